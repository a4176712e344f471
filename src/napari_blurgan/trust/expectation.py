"""The expected measurement of a restored image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_blurgan.inverse.blur import Blur

__all__ = ["Expectation", "Levels"]

ITERATIONS = 10
"""Iterations of Richardson-Lucy for the light from outside the field of view."""


@dataclass(frozen=True)
class Levels:
    """Relation between a restored image and the measurement, in its grey levels.

    Attributes
    ----------
    scale : float
        Restored times scale, blurred, plus background is what is expected.
    background : float
        What is measured where there is no light.
    slope, intercept : float
        Variance of the noise = slope × light + intercept.
    """

    scale: float
    background: float
    slope: float
    intercept: float

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of the noise at an expected light level."""
        return self.slope * light.clamp(min=0) + self.intercept

    @property
    def pedestal(self) -> float:
        """Light whose photon noise equals the read noise; large enough to divide by."""
        return self.intercept / self.slope if self.slope > 0 else self.intercept**0.5


class Expectation:
    """H, for images of one shape.

    A restored image ends at the border of the field of view, but light from beyond it
    reaches the measurement. This light is assumed to be whatever explains the
    measurement best, as in a deconvolution (`napari_blurgan.inverse.blur.Blur`).

    Parameters
    ----------
    psf : Tensor or None
        ([z,] y, x); None where nothing is blurred.
    shape : sequence of int
        Of the images.
    """

    def __init__(self, psf: Tensor | None, shape: Sequence[int]) -> None:
        self._blur = None if psf is None else Blur(psf, shape)

    def __call__(self, light: Tensor, restored: Tensor, pedestal: float) -> Tensor:
        """Return the expected light, in the shape of the images.

        Parameters
        ----------
        light : Tensor
            Measured, less the background, (n, [z,] y, x).
        restored : Tensor
            In the units of `light`.
        pedestal : float
            See `Levels`.
        """
        if self._blur is None:
            return restored
        blur = self._blur
        inside = blur.forward(blur.embed(restored))
        if blur.shape == blur.image_shape:
            return inside
        counts = light.add(pedestal).clamp_(min=0)
        beyond = torch.ones(blur.shape, device=light.device)
        blur.crop(beyond).zero_()
        level = light.mean(tuple(range(1, light.ndim)), keepdim=True)
        outside = beyond * level.clamp(min=0.01 * pedestal)
        for _ in range(ITERATIONS):
            expected = inside + blur.forward(outside) + pedestal
            expected.clamp_(min=0.01 * pedestal)
            outside = outside * blur.back_ratio(counts, expected).clamp_(min=0)
        return inside + blur.forward(outside)
