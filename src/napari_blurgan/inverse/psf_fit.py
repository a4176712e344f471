"""Adapt a PSF to an image: centred, in plane, with its voxels, not too large."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import VoxelSize
from napari_blurgan.inverse.doubts import doubt
from napari_blurgan.inverse.far_light import cone_of, folded, light_within
from napari_blurgan.optics import geometry, width
from napari_blurgan.optics.models import Optics, support_shape
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.psf_file import FITTED, NOTES

__all__ = ["PsfLike", "centred", "fit_psf", "psf_shape_for", "usable"]

PsfLike = Psf | NDArray[np.floating]
Fitted = tuple[Psf, str | None]

# The noise of a measured PSF causes offsets smaller than this.
CENTRED = 0.05
SAME_SIZE = 0.005
SUPPORT = 0.999
ALL = 0.9995
"""Share of the light that is called all of it."""
REFERENCE = (12.0, 6.4, 6.4)
"""Half of the (z, y, x) in µm over which the light of a widefield microscope counts at
least, for any crop of a stack. Its cone has no end: this sets the scale."""
NOTICEABLE = 1.02
"""Factor of brightness above which a note is given."""
THIN = 3.0
"""Depth of a stack, in axial widths of the PSF, below which light just outside it is
confused with light within."""


def fit_psf(
    psf: PsfLike, shape: Sequence[int], voxel_size: VoxelSize | None = None
) -> tuple[Psf, tuple[str, ...]]:
    """Return the PSF for images of one shape, with notes on the changes.

    It is corrected (see `usable`), centred if it is more than 0.05 voxel off, reduced
    to its middle plane for images of one plane, and resampled to the voxels of the
    image. If it is larger than the image it is cropped to the box that contains 99.9 %
    of it, and light that falls into planes farther than the image reaches is counted
    just beyond it (`napari_blurgan.inverse.far_light`). A PSF that was adapted before,
    as for a tile, is only folded again.

    Parameters
    ----------
    psf : Psf or ndarray
        An array, (z, y, x) or (y, x), is taken to have the voxels of the image.
    shape : sequence of int
        (z, y, x) or (y, x) of the images.
    voxel_size : tuple of (float or None), optional
        (z, y, x) of the image in micrometres; where unknown, the PSF's own.

    Raises
    ------
    OpticsError
        If the PSF is no PSF: negative, NaN, all zero, or of other axes.
    """
    known = psf if isinstance(psf, Psf) else _with_voxels(psf, voxel_size)
    found: tuple[str, ...] = ()
    moved, middle = None, known
    if FITTED not in known.provenance:
        alone, found = usable(known)
        middle, moved = centred(alone)
    planar, picked = _in_plane(middle, shape)
    resampled, scaled = _resampled(planar, voxel_size)
    fitted, cut = _within_reach(resampled, shape)
    haze, scale = _too_shallow(resampled, shape), _beyond_reference(resampled)
    thin, lent = _too_thin(resampled, shape), _lent(psf, shape, voxel_size)
    notes = (*found, moved, picked, scaled, haze, cut, scale, thin, lent)
    return fitted, tuple(note for note in notes if note)


def psf_shape_for(
    optics: Optics,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    depths: float = 1.0,
) -> tuple[int, ...]:
    """Return the odd (z, y, x) of the theoretical PSF that a stack needs.

    In a widefield microscope the light of every plane reaches all others: the PSF then
    covers the distance from the first plane to the last in both directions, and is as
    wide as the cone of light over half the depth of the stack, at most as the stack. It
    covers at least `REFERENCE`, so that the brightness of a spot is the same in all
    crops of a stack of that size. Otherwise, or for one plane, it is the core alone.

    Parameters
    ----------
    optics : Optics
        NA, refractive index, wavelength and modality are used.
    shape : sequence of int
        (z, y, x) or (y, x) of the images.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    depths : float
        How far it reaches to either side, in depths of the stack; where less than one,
        it does not reach as far as `REFERENCE`.
    """
    core = support_shape(optics, voxel_size)
    if len(shape) == 2 or shape[0] == 1 or optics.modality != "widefield":
        return core
    half = shape[0] // 2 * voxel_size[0]
    cone = [_voxels(_cone(optics, half), v) for v in voxel_size[1:]]
    most = [_odd(n) for n in shape[1:]]
    wanted = [_odd(int(2 * depths * shape[0])), *map(min, cone, most)]
    least = core if depths < 1 else map(max, core, _reference(optics, voxel_size))
    z, y, x = map(max, least, wanted)
    return z, y, x


def _reference(optics: Optics, voxel_size: Sequence[float]) -> list[int]:
    """Return the odd (z, y, x) over which light counts at least, in voxels."""
    across = min(REFERENCE[1], _cone(optics, REFERENCE[0]))
    reach = REFERENCE[0], across, across
    return [2 * math.floor(r / v) + 1 for r, v in zip(reach, voxel_size, strict=True)]


def _cone(optics: Optics, depth: float) -> float:
    """Return the radius of the cone of light at a depth, both in µm."""
    return depth * math.tan(math.asin(min(optics.na / optics.ni, 1.0)))


def _voxels(radius: float, size: float) -> int:
    return 2 * math.ceil(radius / size) + 1


def _odd(n: int) -> int:
    return n - 1 + n % 2


def _with_voxels(psf: NDArray[np.floating], voxel_size: VoxelSize | None) -> Psf:
    data = np.asarray(psf)
    z, y, x = voxel_size or (None, None, None)
    return Psf(data[None] if data.ndim == 2 else data, (z or 1.0, y or 1.0, x or 1.0))


def _lent(
    psf: PsfLike, shape: Sequence[int], voxel_size: VoxelSize | None
) -> str | None:
    """Return a note on the voxel sizes that are taken from the PSF."""
    if not isinstance(psf, Psf):
        return None
    ours = zip("zyx", voxel_size or (None,) * 3, psf.voxel_size, strict=True)
    seen = "zyx" if len(shape) == 3 and shape[0] > 1 else "yx"
    taken = [(axis, its) for axis, own, its in ours if own is None and axis in seen]
    if not taken:
        return None
    sizes = ", ".join(f"{axis} {size:.4g}" for axis, size in taken)
    return (
        f"the voxel size of the image is unknown: that of the PSF is used, {sizes} µm"
    )


def usable(psf: Psf) -> tuple[Psf, tuple[str, ...]]:
    """Return the corrected PSF, and notes about the corrections.

    A PSF in FFT order is reordered, and a camera offset is subtracted. What does not
    show one point is said, and used as it is.
    """
    notes = [f"the PSF: {note}" for note in psf.provenance.get(NOTES, ())]
    ordered = psf.in_order()
    if ordered is not psf:
        notes.append(
            f"the PSF was in FFT order along {ordered.provenance['fft_order']}, its "
            "centre at the first voxel: reordered"
        )
    alone = ordered.without_offset()
    if alone is not ordered:
        share = alone.provenance["offset"]
        notes.append(
            f"the PSF lay on a constant level that made up {share:.0%} of its sum, "
            f"such "
            "as a camera offset: subtracted, together with equally faint haze; it is "
            "better to subtract the background measured beside the beads"
        )
    notes += [said] if (said := doubt(alone.data)) else []
    return alone, tuple(notes)


def centred(psf: Psf) -> Fitted:
    """Return the PSF, centred if it is more than 0.05 voxel off, with a note."""
    middle = [n // 2 for n in psf.shape]
    offset = np.subtract(geometry.core_centre(psf.data), middle)
    if np.abs(offset).max() <= CENTRED:
        return psf, None
    off = ", ".join(f"{o:+.2f}" for o in offset)
    return (
        psf.centred(),
        f"the PSF was off centre by ({off}) voxels (z, y, x): centred",
    )


def _in_plane(psf: Psf, shape: Sequence[int]) -> Fitted:
    planes = psf.shape[0]
    volume = len(shape) == 3 and shape[0] > 1
    if volume and planes == 1:
        return psf, (
            "the PSF is one plane but the image is a volume: each plane is deconvolved "
            "separately, and the blur along z remains"
        )
    if planes == 1 or volume:
        return psf, None
    middle = Psf(psf.data[planes // 2][None], psf.voxel_size, psf.provenance)
    return middle, (
        f"the image is one plane: the middle one of the {planes} planes of the PSF is "
        f"used"
    )


def _resampled(psf: Psf, voxel_size: VoxelSize | None) -> Fitted:
    pairs = zip(voxel_size or (None, None, None), psf.voxel_size, strict=True)
    z, y, x = (ours or its for ours, its in pairs)
    if np.allclose((z, y, x), psf.voxel_size, rtol=SAME_SIZE):
        return psf, None
    resampled = psf.resampled((z, y, x))
    return resampled, (
        f"the PSF was resampled from {_um(psf.voxel_size)} to {_um((z, y, x))}"
    )


def _too_shallow(psf: Psf, shape: Sequence[int]) -> str | None:
    """Return a note if a widefield PSF is too shallow for the stack."""
    planes = shape[0]
    lit = psf.shape[0] == 1 or psf.shape[0] >= 2 * planes - 1
    if lit or cone_of(psf) is None:
        return None
    return (
        f"the PSF has {psf.shape[0]} planes, but in a widefield stack of {planes} "
        f"light "
        f"reaches over {2 * planes - 1}: haze from farther planes remains"
    )


def _too_thin(psf: Psf, shape: Sequence[int]) -> str | None:
    """Return a note if a stack is hardly deeper than the PSF."""
    if len(shape) == 2 or 1 in (shape[0], psf.shape[0]) or FITTED in psf.provenance:
        return None
    _, y, x = np.unravel_index(int(psf.data.argmax()), psf.shape)
    (axial,) = width.fwhm(psf.data[:, y, x])
    if not shape[0] < THIN * axial:
        return None
    error = "a few per cent" if shape[0] >= 2 * axial else "a tenth or more"
    return (
        f"the stack has {shape[0]} planes, the PSF a depth of {axial:.1f} (full width "
        "at half maximum): in so thin a stack, light just above or below it is "
        f"confused with light within, and intensities may be wrong by {error}; record "
        "more planes"
    )


def _beyond_reference(psf: Psf) -> str | None:
    """Return a note on how much brighter spots become than in crops."""
    optics = cone_of(psf)
    if optics is None or psf.shape[0] == 1 or FITTED in psf.provenance:
        return None
    inner = geometry.fit(
        psf.data, np.minimum(_reference(optics, psf.voxel_size), psf.shape)
    )
    more = 1 / float(inner.sum(dtype=np.float64))
    if more < NOTICEABLE:
        return None
    z, y, x = (2 * r for r in REFERENCE)
    return (
        f"the light of a point is counted over more than {z:g} × {y:g} × {x:g} µm: "
        f"spots come out {more:.2f} times as bright as in crops up to that size"
    )


def _within_reach(psf: Psf, shape: Sequence[int]) -> Fitted:
    room = (1, *shape)[-3:]
    if FITTED in psf.provenance:
        return folded(psf, room[0]), None
    if all(k <= n for k, n in zip(psf.shape, room, strict=True)):
        return psf, None
    support = psf.cropped(energy=SUPPORT)
    fitted = folded(support, room[0])
    kept = support.provenance["cropped"]["kept"]
    beyond = 1 - light_within(support, shape)
    if fitted.shape == psf.shape and beyond <= 0:
        return _marked(fitted), None
    used, light = _voxels_of(fitted), "all" if kept >= ALL else f"{kept:.1%}"
    far = f", of which {beyond:.1%} falls outside the image" if beyond > 0 else ""
    return _marked(fitted), (
        f"the PSF of {_voxels_of(psf)} voxels is larger than the image: {used} are "
        f"used, with {light} of its light{far}"
    )


def _voxels_of(psf: Psf) -> str:
    return " × ".join(map(str, psf.shape))


def _marked(psf: Psf) -> Psf:
    return Psf(psf.data, psf.voxel_size, {**psf.provenance, FITTED: True})


def _um(size: Sequence[float]) -> str:
    return " × ".join(f"{s:.4g}" for s in size) + " µm"
