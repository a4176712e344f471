"""Accelerated MRI: some lines of k-space are measured, the others are zero.

H = F^-1 P F with the two-dimensional Fourier transform F and the lines P that were
measured (Sim et al. 2020, eqs 22-23). Images are complex, in two channels.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from napari_blurgan.data.complex_numbers import PARTS
from napari_blurgan.data.kspace import (
    AXIS,
    Lines,
    conjugate,
    draw_lines,
    keep_measured,
    measured_lines,
    rotated,
    smooth_phase,
    through_lines,
)
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import ForwardSettings
from napari_blurgan.methods.parts import ADJOINT, Need
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.preparation.site import Site
from napari_blurgan.tiling.operator import Operator

__all__ = ["KSpaceForward", "KSpaceMask", "KeepsLines", "kspace_physics"]

EVERYWHERE = 1 << 20
"""A halo, in pixels, that no image exceeds."""


class KSpaceForward(ForwardSettings):
    """Some lines of k-space; the others are zero."""

    kind: Literal["k-space-mask"] = "k-space-mask"
    home: ClassVar[str] = "napari_blurgan.forward.kspace:kspace_physics"
    domains: ClassVar[tuple[str, str]] = (
        "undersampled images",
        "fully sampled images",
    )
    whole: ClassVar[bool] = True
    remade: ClassVar[str] = "napari_blurgan.forward.kspace:KSpaceMask"
    cites: ClassVar[tuple[str, ...]] = ("sim2020",)

    acceleration: Annotated[float, Field(ge=1, le=64)] = 4.0
    """Lines of k-space per line that is measured."""
    centre: Annotated[float, Field(ge=0, le=1)] = 0.04
    """Share of the lines, in the middle of k-space, that are always measured."""
    lines: Lines = "y"
    """Axis along which lines are left out: that of the phase encoding."""
    mask: Literal["random", "fixed"] = "random"
    """Whether lines are drawn anew for every Hx, or are those of the first measured
    image. Those of each measured image are found in it."""
    noise: bool = False

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model with an adjoint."""
        return super().offers | {ADJOINT}


class KSpaceMask(ForwardModel):
    """H = F^-1 P F on complex images in two channels.

    Parameters
    ----------
    settings : KSpaceForward
        How lines are drawn.
    gain : float
        Mean of y over mean of x.
    lines : Tensor of bool, optional
        Those measured; drawn by `forward` without.
    """

    gain: Tensor

    def __init__(
        self,
        settings: KSpaceForward,
        gain: float = 1.0,
        lines: Tensor | None = None,
    ) -> None:
        super().__init__(dims=2)
        self.settings = settings
        self.lines = lines
        self.phase: Tensor | None = None
        self.register_buffer("gain", torch.tensor(float(gain)))

    @property
    def symmetry(self) -> Symmetry:
        """A mirror image has mirrored lines, which are as likely as others."""
        fixed = {"y": "x", "x": "y"}[self.settings.lines]
        mirrors = "yx" if self.settings.mask == "random" else fixed
        return Symmetry(mirrors, quarter_turns=False)

    def expected_level(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the mean of y without the gain: the middle of k-space is kept."""
        return y.mean() / self.gain

    @property
    def reach(self) -> tuple[int, ...]:
        """All of the image: every line runs through it."""
        return (EVERYWHERE, EVERYWHERE)

    def matching(self, y: Tensor) -> KSpaceMask:
        """Return the mask with the lines that are not zero in `y`."""
        lines = measured_lines(y, self.settings.lines)
        other = KSpaceMask(self.settings, float(self.gain), lines)
        other.phase = smooth_phase(
            y.detach(), self.settings.centre, self.settings.lines
        )
        return other.to(y.device)

    def simpler(self, x: Tensor) -> Tensor:
        """Return x without the phase of the middle lines: nearly real, positive."""
        return x if self.phase is None else rotated(x, conjugate(self.phase))

    def original(self, x: Tensor) -> Tensor:
        """Return x with that phase."""
        return x if self.phase is None else rotated(x, self.phase)

    def towards(self, x: Tensor, y: Tensor) -> Tensor:
        """Return what the measured lines of y / gain have that those of x have not."""
        known = self if self.lines is not None else self.matching(y)
        assert known.lines is not None
        return through_lines(y / self.gain - x, known.lines, self.settings.lines)

    def forward(self, x: Tensor) -> Tensor:
        """Return y, (n, 2, y, x), zero-filled."""
        lines = self._drawn(x) if self.lines is None else self.lines.to(x.device)
        return self.gain * through_lines(x, lines, self.settings.lines)

    def _drawn(self, x: Tensor) -> Tensor:
        """Return lines for each image of a batch."""
        s, dim = self.settings, AXIS[self.settings.lines]
        count, size = len(x), x.shape[dim]
        drawn = [draw_lines(size, s.acceleration, s.centre) for _ in range(count)]
        shape = (count, size, 1) if dim == -2 else (count, 1, size)
        return torch.stack(drawn).reshape(shape).to(x.device)


def kspace_physics(settings: KSpaceForward, site: Site) -> Physics:
    """Return the operator.

    Raises
    ------
    RecipeError
        If the recipe is one of volumes, or of light.
    """
    if site.recipe.dims != 2 or site.recipe.values != "complex":
        raise RecipeError(
            "forward 'k-space-mask' needs complex slices: set dims to 2 and values to "
            "complex"
        )
    lines = None if settings.mask == "random" else _of_first(site.y[0], settings.lines)
    return Physics(KSpaceMask(settings, site.calibration.gain, lines), site.recipe)


def _of_first(stack: Stack, axis: str) -> Tensor:
    """Return the lines of the first slice of an image."""
    flat = (1,) * (len(stack.spatial_shape) - 2)
    shape = (*flat, *stack.spatial_shape[-2:])
    image = read_region(stack, 0, (0,) * len(shape), shape, range(stack.channels))
    slice_ = torch.from_numpy(np.float32(image)).reshape(1, 2, *shape[-2:])
    return measured_lines(slice_, axis)


class KeepsLines:
    """A reconstruction whose measured lines are replaced by those of its image.

    Parameters
    ----------
    operator : Operator
        From undersampled to reconstructed images, in the same units.
    axis : {"y", "x"}
        Across the lines.
    """

    reflected = False

    def __init__(self, operator: Operator, axis: str) -> None:
        self.operator = operator
        self.axis = axis
        self.colour = False
        self.channel_names = PARTS

    @property
    def halo(self) -> tuple[int, ...]:
        """All of the image: every line runs through it."""
        return (EVERYWHERE, EVERYWHERE)

    @property
    def stride(self) -> tuple[int, ...]:
        """Stride of the operator."""
        return self.operator.stride

    @property
    def device(self) -> torch.device:
        """Device of the operator."""
        return self.operator.device

    def channels_out(self, channels_in: int) -> int:
        """Return the channels of the operator."""
        return self.operator.channels_out(channels_in)

    def __call__(self, image: Tensor) -> Tensor:
        """Map undersampled to reconstructed images."""
        made = self.operator(image)
        return keep_measured(image.to(made.device), made, self.axis)
