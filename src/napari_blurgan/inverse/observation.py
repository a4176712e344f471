"""`Observation`: the measured image and its blur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.inverse.blur import Blur

__all__ = ["SPARSE", "Observation"]

SPARSE = 0.1
"""Minimum of a flat start, relative to the light above the background, with noise."""


@dataclass
class Observation:
    """The model y = Hx + b of an image, or of a batch of images.

    Parameters
    ----------
    image : Tensor
        y, float32, ``(…, *blur.image_shape)``; counts are not negative.
    blur : Blur
        H.
    background : float
        b: what is read without light from the object, in the units of the image.
    spacing : sequence of float
        Voxel size along each axis relative to the smallest; ones by default.
    level : float, optional
        Of a flat first estimate; by default the image's mean above the background, at
        least a tenth of the mean of what lies above it.
    scale : float
        Grey levels to a unit of `image`, for results.
    halves : bool
        Whether the first axis of `image` holds two halves of one image's counts.
    """

    image: Tensor
    blur: Blur
    background: float = 0.0
    spacing: Sequence[float] = ()
    level: float | None = None
    scale: float = 1.0
    halves: bool = False

    def __post_init__(self) -> None:
        self.axes = tuple(range(-len(self.blur.shape), 0))
        self.spacing = tuple(self.spacing) or (1.0,) * len(self.axes)
        mean = self.image.mean(self.axes, keepdim=True).clamp(min=0)
        # Where Hx is zero, rounding in the FFT leaves values of either sign; this
        # minimum
        # keeps the quotient y / (Hx + b) finite.
        self.least = 1e-6 * mean + torch.finfo(torch.float32).tiny
        above = mean - self.background
        if self.level is not None:
            above = torch.full_like(above, self.level)
        elif (above < SPARSE * mean).any():
            # Multiplicative updates hardly recover from a start with almost no light.
            bright = self.image.sub(self.background).clamp_(min=0)
            above = torch.maximum(above, SPARSE * bright.mean(self.axes, keepdim=True))
        self.flat = torch.maximum(above, self.least)

    def start(self, estimate: Tensor | None = None) -> Tensor:
        """Return a first estimate over the domain, to be changed in place.

        Flat, so that noise enters only through the iterations. A given `estimate`, in
        the shape of the image, replaces the part within the field of view.
        """
        size = (*self.image.shape[: -len(self.axes)], *self.blur.shape)
        x = self.flat.expand(size).clone()
        if estimate is not None:
            self.blur.crop(x).copy_(estimate / 2 if self.halves else estimate)
        return x

    def expected(self, x: Tensor) -> Tensor:
        """Return Hx + b, positive, in newly allocated memory."""
        blurred = self.blur.forward(x)
        if self.background:
            blurred.add_(self.background)
        return torch.maximum(blurred, self.least, out=blurred)

    def correction(self, expected: Tensor) -> Tensor:
        """Return Hᵀ(y / expected) / Hᵀ1, the factor of a Richardson–Lucy update.

        Overwrites `expected`. Never negative.
        """
        return self.blur.back_ratio(self.image, expected).clamp_(min=0)

    def result(self, x: Tensor) -> NDArray[np.float32]:
        """Return a copy of an estimate in the field of view, in grey levels."""
        seen = self.blur.crop(x)
        total = seen.sum(0) if self.halves else seen
        return total.mul(self.scale).cpu().numpy()

    def halved(self, seed: int) -> Observation:
        """Return two half exposures, as if each photon had been assigned at random.

        Only for images in photo-electrons: only then is their noise independent. A
        rounded normal draw replaces the binomial one; with p = ½ it is accurate to two
        per cent for a single count and better for more.
        """
        random = torch.Generator(self.image.device).manual_seed(seed)
        counts = self.image.round()
        draw = torch.empty_like(counts).normal_(generator=random)
        first = draw.mul_(counts.sqrt()).add_(counts).div_(2).round_().clamp_(min=0)
        first = torch.minimum(first, counts, out=first)
        halves = torch.stack([first, counts - first])
        return replace(self, image=halves, background=self.background / 2, halves=True)
