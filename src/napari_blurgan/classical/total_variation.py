"""Richardson–Lucy with total-variation regularisation against noise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Unpack

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.classical.keywords import checked
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, run

__all__ = ["curvature", "tv_richardson_lucy"]

# |div(∇x / |∇x|)| is at most 6 in three dimensions: above this weight the denominator
# 1 - weight · div could turn negative.
LARGEST_WEIGHT = 0.15
# Differences below this share of the mean count as flat.
SMOOTHING = 0.05


class TotalVariationSteps(AcceleratedSteps):
    """Accelerated updates, divided by 1 − weight · div(∇x / |∇x|)."""

    def __init__(
        self, observation: Observation, start: Tensor | None = None, *, weight: float
    ) -> None:
        super().__init__(observation, start)
        self.weight = weight
        self._side = 1

    def correct(self, expected: Tensor) -> None:
        """Update from the extrapolated point; overwrites `expected`."""
        seen = self.observation
        bend = curvature(
            self.extrapolated, seen.spacing, SMOOTHING * seen.flat, self._side
        )
        # Differences look to one side, alternately, so that nothing is shifted.
        self._side = -self._side
        field = seen.blur.crop(self.extrapolated)
        before = field.sum(seen.axes, keepdim=True)
        self.extrapolated /= bend.mul_(-self.weight).add_(1)
        # The division alone would not conserve the flux.
        self.extrapolated *= before / field.sum(seen.axes, keepdim=True)
        super().correct(expected)


def curvature(
    x: Tensor, spacing: Sequence[float], flat: Tensor | float, side: int = 1
) -> Tensor:
    """Return div(∇x / √(|∇x|² + flat²)), minus the gradient of the total variation.

    Parameters
    ----------
    x : Tensor
        (…, *spatial), taken as periodic.
    spacing : sequence of float
        Distance of voxels along each spatial axis.
    flat : float or Tensor
        What rounds off the kink at zero gradient.
    side : int
        1 for differences with the next voxel, -1 with the last.
    """
    axes = dict(zip(range(-len(spacing), 0), spacing, strict=True))
    slopes = [x.roll(-side, axis).sub_(x).div_(h) for axis, h in axes.items()]
    norm = torch.zeros_like(x).add_(torch.as_tensor(flat) ** 2)
    for slope in slopes:
        norm.addcmul_(slope, slope)
    norm.sqrt_().clamp_(min=torch.finfo(x.dtype).tiny)
    bend = torch.zeros_like(x)
    for (axis, h), slope in zip(axes.items(), slopes, strict=True):
        flux = slope.div_(norm).div_(h)
        bend.add_(flux).sub_(flux.roll(side, axis))
    return bend


@checked
def tv_richardson_lucy(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 40,
    *,
    weight: float = 0.005,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve by Richardson–Lucy with total-variation regularisation.

    Each update is divided by 1 − weight · div(∇x / |∇x|), which flattens noise and
    preserves edges (Dey et al., Microsc. Res. Tech. 69, 260, 2006), with the momentum
    of `accelerated_richardson_lucy`. More iterations then hardly build up noise. It
    suits filled structures with edges, such as nuclei; larger weights dim thin
    filaments.

    Parameters
    ----------
    weight : float
        Of the regularisation, 0 to 0.15. In photo-electrons (with `camera`) about
        0.05 / √(brightest count): 0.01 for dim images, 0.002 for bright ones.

    Other parameters, options and errors are those of `richardson_lucy`.
    """
    if not 0 <= weight <= LARGEST_WEIGHT:
        raise DataError(f"the weight is 0 to {LARGEST_WEIGHT}, found {weight}")
    steps = partial(TotalVariationSteps, weight=weight)
    return run(steps, image, psf, iterations, options)
