"""From misfits to evidence: how far the restored light is supported, per voxel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from napari_blurgan.trust.expectation import Levels
from napari_blurgan.trust.smoothing import Neighbourhood

__all__ = [
    "CLEAR",
    "SCALES",
    "Misfit",
    "evidence_of",
    "expected_error",
    "misfit",
    "steady",
]

SCALES = (1.0, 2.0)
"""Sizes of the neighbourhoods, in cores of the PSF."""

PART = 0.5
"""Share of the restored light that must be there; at most as much may be missing."""

CLEAR = 3.0
"""Standard deviations of the noise below which light makes no claim."""

SLOPE, INTERCEPT = 0.48, 0.97
"""Parameters of the logistic curve from margins to evidence, fitted by
benchmarks.claims.evidence."""


class Misfit(NamedTuple):
    """Misfit in standard deviations of the noise.

    Attributes
    ----------
    z : Tensor
        Measured less expected, in the neighbourhood of one PSF: below zero light was
        invented, above zero light was lost.
    light : Tensor
        The light that was restored there: what z would be if none of it were.
    margin : Tensor
        By how much z stays within what is tolerated, at the worst scale.
    """

    z: Tensor
    light: Tensor
    margin: Tensor


def misfit(
    light: Tensor,
    restored: Tensor,
    expected: Tensor,
    levels: Levels,
    around: Sequence[Neighbourhood],
    share: float,
) -> Misfit:
    """Compare measured and expected light.

    Weighted by the inverse variance, as in a matched filter: z is the most sensitive
    statistic for light that is added or removed in a neighbourhood.

    Parameters
    ----------
    light, restored, expected : Tensor
        Measured, restored, and expected of the restored, (n, [z,] y, x), in grey
        levels.
    levels : Levels
        Of the noise.
    around : sequence of Neighbourhood
        One a scale; the first is the core of the PSF.
    share : float
        Of the light of a point that falls into the core.
    """
    weight = 1 / levels.variance(expected).clamp(min=1e-12)
    here = share * around[0].mean(restored)
    found = [_at(a, light - expected, here, weight) for a in around]
    margin = torch.stack([_tolerated(m) - z.abs() for z, m in found]).amin(0)
    return Misfit(*found[0], margin)


def _at(
    around: Neighbourhood, difference: Tensor, here: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    deviation = around.variance_of_mean(weight).clamp(min=1e-30).sqrt()
    z = around.mean(difference * weight) / deviation
    return z, around.mean(here * weight) / deviation


def _tolerated(light: Tensor) -> Tensor:
    """Return the misfit that is tolerated, in standard deviations."""
    return (PART * light.clamp(min=0)).square().add(CLEAR**2).sqrt()


def steady(
    restored: Tensor, spread: Tensor, light: Tensor, around: Neighbourhood
) -> Tensor:
    """Return how far light exceeds the variation of repeated restorations.

    Parameters
    ----------
    restored, spread : Tensor
        Grey levels; the deviation of repeated restorations in each voxel.
    light : Tensor
        See `Misfit`.
    around : Neighbourhood
        Of the core of the PSF.
    """
    deviation = around.mean(spread.square()).sqrt().clamp(min=1e-12)
    ratio = PART * around.mean(restored) / deviation
    return torch.where(light > CLEAR, ratio, CLEAR)


def expected_error(
    difference: Tensor,
    variance: Tensor,
    spreads: Sequence[Tensor],
    around: Neighbourhood,
    share: float,
) -> Tensor:
    """Return by how much the restored light is likely to be wrong, in grey levels.

    The light that is missing or too much, estimated from the misfit by a matched
    filter, and the deviations of repeated restorations, as a root of the sum of
    squares: the error of their mean over a neighbourhood.

    Parameters
    ----------
    difference, variance : Tensor
        Measured less expected light, and the variance of its noise, (n, [z,] y, x).
    spreads : sequence of Tensor
        Deviations of repeated restorations.
    around : Neighbourhood
        Of the core of the PSF.
    share : float
        Of the light of a point that falls into the core.
    """
    weight = 1 / variance.clamp(min=1e-12)
    missing = around.mean(difference * weight) / (share * around.mean(weight))
    varied = (around.mean(spread.square()) for spread in spreads)
    return sum(varied, start=missing.square()).sqrt()


def evidence_of(margin: Tensor) -> Tensor:
    """Return the evidence, 0 to 1, for a margin in standard deviations."""
    return torch.sigmoid(SLOPE * margin + INTERCEPT)
