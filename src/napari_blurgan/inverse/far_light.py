"""Light from farther off than an image reaches: kept, wherever the PSF is cut.

How bright a deconvolved spot is depends on the share of all its light that the PSF
holds in focus. Were a PSF cropped to each stack and scaled to one again, the same spot
would be the dimmer the fewer planes there are. Instead, light that falls farther than
the image reaches is counted as falling just beyond it: no place in the image lights
another over that distance, only what lies outside does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf

__all__ = ["cone_of", "folded", "light_within", "with_far_light", "wrapped"]

# Axial periods to either side over which the light of a widefield microscope counts:
# 14 µm at NA 1.4 in oil. It has no end; what is farther is left to the background.
DEPTH = 25
CONELESS = ("gaussian",)


def folded(psf: Psf, shape: Sequence[int]) -> Psf:
    """Return a PSF whose light beyond the reach of the image stands at that reach.

    Parameters
    ----------
    psf : Psf
        Of any size, on the voxels of the image.
    shape : sequence of int
        (z, y, x) or (y, x) of the image: n voxels reach n - 1 voxels far.
    """
    reach = [1, *shape][-3:]
    if all(k <= 2 * n + 1 for k, n in zip(psf.shape, reach, strict=True)):
        return psf
    data = psf.data.astype(np.float64)
    for axis, n in enumerate(reach):
        data = _folded_axis(data, axis, n)
    return Psf(
        data.astype(np.float32),
        psf.voxel_size,
        {**psf.provenance, "folded": list(psf.shape)},
    )


def light_within(psf: Psf, shape: Sequence[int]) -> float:
    """Return the share of a PSF's light that stays within the reach of an image."""
    reach = [1, *shape][-3:]
    middle = [(k // 2, n - 1) for k, n in zip(psf.shape, reach, strict=True)]
    inner = tuple(slice(max(c - r, 0), c + r + 1) for c, r in middle)
    return float(psf.data[inner].sum(dtype=np.float64) / psf.data.sum(dtype=np.float64))


def _folded_axis(data: NDArray[Any], axis: int, n: int) -> NDArray[Any]:
    rows = np.moveaxis(data, axis, 0)
    first, last = max(len(rows) // 2 - n, 0), min(len(rows) // 2 + n, len(rows) - 1)
    kept = rows[first : last + 1].copy()
    kept[0] += rows[:first].sum(0)
    kept[-1] += rows[last + 1 :].sum(0)
    return np.moveaxis(kept, 0, axis)


def with_far_light(psf: Psf, shape: Sequence[int]) -> Psf:
    """Add what a widefield PSF leaves out: the light of planes beyond its depth.

    In a widefield microscope each plane of the PSF holds the same light, until the cone
    has outgrown the field of view. Of a theoretical PSF that is as deep as the stack
    reaches it is known how much, and it is counted at the depth n, just beyond the
    reach of the stack; other PSFs are returned as they are.

    Parameters
    ----------
    psf : Psf
        As it was made, on the voxels of the image.
    shape : sequence of int
        (z, y, x) of the image.
    """
    optics, planes = cone_of(psf), shape[0]
    half = (psf.shape[0] - 1) // 2
    if optics is None or half < planes - 1:
        return psf
    in_focus = float(psf.data[psf.shape[0] // 2].sum(dtype=np.float64))
    missing = _planes_of_light(optics, shape, psf.voxel_size) * in_focus - 1
    if missing <= 0:
        return psf
    data = psf.data.astype(np.float64)
    if half < planes:
        data = np.pad(data, ((1, 1), (0, 0), (0, 0)))
    for end, nearest in ((0, 1), (-1, -2)):
        spread = data[end] if data[end].any() else data[nearest]
        data[end] += missing / 2 / spread.sum() * spread
    return Psf(
        data.astype(np.float32),
        psf.voxel_size,
        {**psf.provenance, "far_light": missing},
    )


def cone_of(psf: Psf) -> Optics | None:
    """Return the optics of a PSF that has a cone of light, if they are known."""
    known = psf.provenance
    optics = known.get("optics")
    if not isinstance(optics, dict) or known.get("model") in (None, *CONELESS):
        return None
    if optics.get("modality") != "widefield" or "far_light" in known:
        return None
    return Optics(**optics)


def _planes_of_light(
    optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]
) -> float:
    """Return the light of a point in all planes, in units of that in its own plane.

    A plane at the distance z has the share (1 - cos θ) / (1 - cos α) of it in the field
    of view, tan θ = radius of the field / z, α the half angle of the cone.
    """
    step, *pixel = voxel_size
    radius = math.sqrt(math.prod(shape[1:]) * math.prod(pixel) / math.pi)
    depth = max(shape[0] * step, DEPTH * optics.axial_period)
    z = step * np.arange(1, math.floor(depth / step) + 1)
    cone = 1 - math.cos(math.asin(optics.na / optics.ni))
    share = np.minimum((1 - z / np.hypot(z, radius)) / cone, 1)
    return 1 + 2 * float(share.sum())


def wrapped(psf: Psf, shape: Sequence[int]) -> Psf:
    """Return a PSF no larger than a periodic image, into which its ends come back."""
    sizes = [1, *shape][-3:]
    if all(k <= n for k, n in zip(psf.shape, sizes, strict=True)):
        return psf
    data = psf.data.astype(np.float64)
    for axis, n in enumerate(sizes):
        data = _wrapped_axis(data, axis, n)
    return Psf(
        data.astype(np.float32),
        psf.voxel_size,
        {**psf.provenance, "wrapped": list(psf.shape)},
    )


def _wrapped_axis(data: NDArray[Any], axis: int, n: int) -> NDArray[Any]:
    k = data.shape[axis]
    if k <= n:
        return data
    rows = np.moveaxis(data, axis, 0)
    round_ = np.zeros((n, *rows.shape[1:]))
    np.add.at(round_, (np.arange(k) - k // 2 + n // 2) % n, rows)
    return np.moveaxis(round_, 0, axis)
