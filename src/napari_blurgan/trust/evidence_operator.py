"""Evidence maps as an operator for the tiling engine."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.trust.expectation import Expectation, Levels
from napari_blurgan.trust.smoothing import (
    Neighbourhood,
    core_share,
    core_sigmas,
)
from napari_blurgan.trust.support import (
    SCALES,
    evidence_of,
    expected_error,
    misfit,
    steady,
)

__all__ = ["MAPS", "EvidenceOperator"]

MAPS = ("evidence", "residual", "light", "error")
SHARP_SIGMA = 1.0
"""Size of the neighbourhood in pixels, if nothing is blurred in the plane."""


class EvidenceOperator:
    """(measured, restored, spreads …) to the maps, tile by tile.

    Parameters
    ----------
    psf : ndarray or None
        ([z,] y, x); None for denoising, where nothing is blurred.
    dims : int
        Spatial axes, 2 or 3.
    levels : Levels
        Of the whole image.
    spreads : int
        Channels after the first two: deviations of repeated restorations.
    device : torch.device
        Where to compute.
    """

    reflected = False
    channel_names = MAPS

    def __init__(
        self,
        psf: NDArray[np.float32] | None,
        dims: int,
        levels: Levels,
        spreads: int = 0,
        device: torch.device | None = None,
    ) -> None:
        sharp = (0.0, SHARP_SIGMA, SHARP_SIGMA)[-dims:]
        sigmas = sharp if psf is None else core_sigmas(psf)
        self.share = 1.0 if psf is None else core_share(psf)
        self.psf = None if psf is None else torch.from_numpy(psf)
        self.around = [Neighbourhood([s * sigma for sigma in sigmas]) for s in SCALES]
        self.levels = levels
        self.spreads = spreads
        self.stride = (1,) * dims
        self.device = device or torch.device("cpu")

    @property
    def halo(self) -> tuple[int, ...]:
        """Reach of the PSF and of the widest neighbourhood."""
        reach = self.around[-1].reach
        if self.psf is None:
            return reach
        return tuple(n // 2 + r for n, r in zip(self.psf.shape, reach, strict=True))

    def channels_out(self, channels_in: int) -> int:
        """Return the number of maps; ValueError for another number of inputs."""
        if channels_in != 2 + self.spreads:
            raise ValueError(f"evidence needs {2 + self.spreads} images")
        return len(MAPS)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Map (n, 2 + spreads, [z,] y, x), grey levels, to (n, 4, [z,] y, x)."""
        images = images.to(self.device)
        light = images[:, 0] - self.levels.background
        restored = self.levels.scale * images[:, 1]
        expected = self.expected(light, restored)
        found = misfit(light, restored, expected, self.levels, self.around, self.share)
        margin = found.margin
        spreads = (self.levels.scale * images[:, 2:]).unbind(1)
        for spread in spreads:
            firm = steady(restored, spread, found.light, self.around[0])
            margin = torch.minimum(margin, firm)
        variance = self.levels.variance(expected)
        error = expected_error(
            light - expected, variance, spreads, self.around[0], self.share
        )
        maps = [evidence_of(margin), found.z, found.light, error / self.levels.scale]
        return torch.stack(maps, 1)

    def expected(self, light: Tensor, restored: Tensor) -> Tensor:
        """Return the expected measured light, (n, [z,] y, x)."""
        psf = None if self.psf is None else self.psf.to(self.device)
        dims = len(self.stride)
        expectation = Expectation(psf, restored.shape[-dims:])
        return expectation(light, restored, self.levels.pedestal)
