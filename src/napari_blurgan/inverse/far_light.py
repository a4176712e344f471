"""Light from beyond the reach of an image: conserved, wherever the PSF is cut.

The brightness of a deconvolved spot depends on the share of its light that the PSF
contains in focus. If a PSF were cropped to each stack and renormalised, the same spot
would become dimmer with fewer planes. Instead, light that falls into planes farther
than the stack reaches is counted just beyond it: no plane sends light to another over
that distance, only objects outside do. The planes next to the stack are exempt: they
contain the ends of objects that extend beyond it, and if they seemed to send that much
light to its far end, the light of these ends would be attributed to planes inside.
Laterally nothing is folded, because what was at the rim would become as sharp as the
core and explain as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf

__all__ = ["cone_of", "folded", "light_within", "wrapped"]

CONELESS = ("gaussian",)
NEXT_TO = 0.5
"""µm beyond the first and last plane within which light is located along z."""


def folded(psf: Psf, planes: int) -> Psf:
    """Return a PSF whose light beyond the reach of the stack is moved to that reach.

    Parameters
    ----------
    psf : Psf
        Of any size, on the voxels of the image.
    planes : int
        Of the image: n planes reach n - 1 planes far, and the planes within 0.5 µm of
        the stack as much farther.
    """
    reach = planes + math.ceil(NEXT_TO / psf.voxel_size[0])
    if psf.shape[0] <= 2 * reach + 1:
        return psf
    data = _folded_along_z(psf.data.astype(np.float64), reach)
    return Psf(
        data.astype(np.float32),
        psf.voxel_size,
        {**psf.provenance, "folded": list(psf.shape)},
    )


def light_within(psf: Psf, shape: Sequence[int]) -> float:
    """Return the share of the light of a PSF that stays within reach of an image."""
    reach = [1, *shape][-3:]
    middle = [(k // 2, n - 1) for k, n in zip(psf.shape, reach, strict=True)]
    inner = tuple(slice(max(c - r, 0), c + r + 1) for c, r in middle)
    return float(psf.data[inner].sum(dtype=np.float64) / psf.data.sum(dtype=np.float64))


def _folded_along_z(data: NDArray[Any], n: int) -> NDArray[Any]:
    first, last = len(data) // 2 - n, min(len(data) // 2 + n, len(data) - 1)
    kept = data[first : last + 1].copy()
    kept[0] += data[:first].sum(0)
    kept[-1] += data[last + 1 :].sum(0)
    return kept


def cone_of(psf: Psf) -> Optics | None:
    """Return the optics of a PSF with a cone of light, if they are known."""
    known = psf.provenance
    optics = known.get("optics")
    if not isinstance(optics, dict) or known.get("model") in (None, *CONELESS):
        return None
    if optics.get("modality") != "widefield":
        return None
    try:  # a file may say anything
        return Optics(**optics)
    except (TypeError, OpticsError):
        return None


def wrapped(psf: Psf, shape: Sequence[int]) -> Psf:
    """Return a PSF no larger than a periodic image, with its ends wrapped around."""
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
