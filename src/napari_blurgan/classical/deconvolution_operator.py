"""`DeconvolutionOperator`: a method as an operator for the tiling engine."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_blurgan.axes import VoxelSize
from napari_blurgan.classical.methods import Method
from napari_blurgan.data.stack import Stack
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.inverse.blur import Edges
from napari_blurgan.inverse.observation import SPARSE
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.optics.psf import Psf

__all__ = ["DeconvolutionOperator", "channel_levels"]

WARM_PLANS = 4


class DeconvolutionOperator:
    """Deconvolves (n, c, [z,] y, x), each channel with its PSF.

    Plans are kept for the most recent shapes, so that further time points and tiles
    cost only their iterations.

    Parameters
    ----------
    method : Method
        One of `METHODS`.
    psfs : sequence of Psf
        One for all channels, or one for each.
    dims : int
        Spatial axes, 2 or 3.
    voxel_size : tuple of (float or None), optional
        Of the image, (z, y, x) in micrometres.
    device, edges
        As for `Plan`.
    levels : sequence of float, optional
        For images in tiles: the mean of each channel above its background, over the
        whole image, at which its tiles start so that they agree.
    **parameters
        Of the method, and options.

    Attributes
    ----------
    results : list of Deconvolution
        What came out, in the order of the calls, without the pixels.
    """

    def __init__(
        self,
        method: Method,
        psfs: Sequence[Psf],
        dims: int,
        *,
        voxel_size: VoxelSize | None = None,
        device: str | None = None,
        edges: Edges = "extend",
        levels: Sequence[float] | None = None,
        **parameters: Any,
    ) -> None:
        self.method = method
        self.psfs = tuple(psfs)
        self.voxel_size = voxel_size
        self.edges: Edges = edges
        self.levels = levels
        self.parameters = parameters
        self.results: list[Deconvolution] = []
        self.stride = (1,) * dims
        self.device = choose_device(device or "auto")
        self._plans: dict[tuple[int, ...], Plan] = {}

    @property
    def rehearsal(self) -> DeconvolutionOperator:
        """An operator with only two iterations, which need as much memory as all."""
        short = copy.copy(self)
        short.results = []
        short.parameters = {k: v for k, v in self.parameters.items() if k != "callback"}
        if self.method.iterative:
            short.parameters["iterations"] = 2
        return short

    @property
    def halo(self) -> tuple[int, ...]:
        """Twice the reach of the PSF for tiles, nothing for whole images.

        Strictly, each iteration reaches farther, but with decreasing influence;
        docs/classical.md states the remaining error.
        """
        dims = len(self.stride)
        if self.levels is None:
            return (0,) * dims
        sizes = zip(*(psf.shape[-dims:] for psf in self.psfs), strict=True)
        return tuple(max(along) - 1 for along in sizes)

    def channels_out(self, channels_in: int) -> int:
        """Return as many; ValueError unless there is a PSF for each, or one for all."""
        if len(self.psfs) not in (1, channels_in):
            raise ValueError(
                f"there are {len(self.psfs)} PSFs for {channels_in} channels; give one "
                "for each, or one for all"
            )
        return channels_in

    def __call__(self, image: Tensor) -> Tensor:
        """Deconvolve; grey levels in, grey levels out."""
        frames = [
            self._frame(frame, channel)
            for sample in image
            for channel, frame in enumerate(sample)
        ]
        return torch.stack(frames).view(image.shape)

    def _frame(self, frame: Tensor, channel: int) -> Tensor:
        options = dict(self.parameters)
        if self.levels is not None:
            options["start"] = self.levels[channel % len(self.levels)]
        plan = self._plan(tuple(frame.shape), channel % len(self.psfs))
        try:
            result = self.method.function(frame.cpu().numpy(), plan, **options)
        except OutOfMemoryError as error:
            if self.levels is None:
                raise
            raise MemoryError(str(error)) from error  # to be tried in smaller pieces
        self.results.append(replace(result, image=np.empty(0, np.float32)))
        return torch.from_numpy(result.image)

    def _plan(self, shape: tuple[int, ...], psf: int) -> Plan:
        """Return the plan for frames of a shape, made once."""
        key = (*shape, psf)
        if key not in self._plans:
            while len(self._plans) >= WARM_PLANS * len(self.psfs):
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = Plan(
                self.psfs[psf],
                shape,
                self.voxel_size,
                edges=self.edges,
                device=self.device,
            )
        return self._plans[key]


def channel_levels(stack: Stack, dark: float) -> list[float]:
    """Return the level of the flat start of each channel, from a few planes.

    Its mean above darkness, as in `Observation`.
    """
    thin = {"Z": slice(None, None, max(1, stack.size("Z") // 32)), "T": slice(0, 1)}
    planes = np.asarray(stack.data[tuple(thin.get(a, slice(None)) for a in stack.axes)])
    others = tuple(i for i, a in enumerate(stack.axes) if a not in "CS")
    above = planes.astype(np.float32) - np.float32(dark)
    bright = np.ravel(above.clip(min=0).mean(axis=others, dtype=np.float64))
    means = np.ravel(above.mean(axis=others, dtype=np.float64))
    return [float(level) for level in np.maximum(means, SPARSE * bright)]
