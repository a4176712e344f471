"""`Psf`: a point-spread function with its voxel size and provenance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_blurgan.axes import SAMPLES
from napari_blurgan.checks import as_path, in_range, refuse_existing
from napari_blurgan.errors import OpticsError
from napari_blurgan.optics import geometry, psf_file, width
from napari_blurgan.optics.diffraction.parameters import Optics, support_shape
from napari_blurgan.optics.diffraction.volumes import computed
from napari_blurgan.optics.geometry import (
    MOST_VOXELS,
    checked_shape,
    checked_voxel_size,
)
from napari_blurgan.optics.offset import without_offset
from napari_blurgan.optics.order import unwrapped

__all__ = ["VOXELS", "Psf", "unit_of"]

VOXELS = "voxels"
"""Unit in the provenance of a PSF for which the size of a voxel is unknown."""

SMALLEST_PICTURE = 16
"""Rows and columns of an array whose last axis of three or four is for colours."""
MOST_TIMES = 100
"""Largest ratio of the voxel sizes of a PSF and its image."""


@dataclass(frozen=True, eq=False, repr=False)
class Psf:
    """A non-negative, unit-sum point-spread function.

    Its centre is the voxel ``n // 2`` of every axis; outside its array it is zero.

    Parameters
    ----------
    data : array-like
        (z, y, x); made float32 and scaled to sum to one. Planes are (1, y, x).
    voxel_size : tuple of float
        (z, y, x) in micrometres.
    provenance : dict
        Model and parameters, or file, or the beads it was measured from; what JSON
        can hold.

    Raises
    ------
    OpticsError
        If values are negative, not finite, or all zero, if the array is not 3D, or
        if the voxel size is not three positive numbers.
    """

    data: NDArray[np.float32]
    voxel_size: tuple[float, float, float]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.provenance, dict):
            raise OpticsError(f"provenance is a dict, found {self.provenance!r}")
        object.__setattr__(self, "data", _normalised(self.data))
        object.__setattr__(self, "voxel_size", checked_voxel_size(self.voxel_size))

    @classmethod
    def from_optics(
        cls,
        optics: Optics,
        voxel_size: Sequence[float],
        shape: Sequence[int] | None = None,
        model: str = "auto",
    ) -> Psf:
        """Compute the PSF of a microscope.

        Parameters
        ----------
        optics : Optics
            Objective, light and sample.
        voxel_size : sequence of float
            (z, y, x) in micrometres.
        shape : sequence of int, optional
            (z, y, x) of the array; by default the core of the PSF.
        model : str
            ``"vectorial"`` (``"auto"``), ``"gibson-lanni"``, ``"born-wolf"`` or
            ``"gaussian"``.

        Raises
        ------
        OpticsError
            If there is no such model, or shape or voxel size are none.
        """
        size = checked_voxel_size(voxel_size)
        if not isinstance(optics, Optics):
            raise OpticsError(f"a PSF is computed from Optics, found {optics!r:.60}")
        core = support_shape(optics, size) if shape is None else shape
        return cls(*computed(optics, core, size, model))

    def __repr__(self) -> str:
        sizes = "×".join(map(str, self.shape))
        voxel = " × ".join(f"{v:.4g}" for v in self.voxel_size)
        return f"Psf({sizes}, voxels of {voxel} µm)"

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the values, (z, y, x)."""
        return np.array(self.data, dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sizes along z, y and x, in voxels."""
        z, y, x = self.data.shape
        return z, y, x

    def centroid(self) -> tuple[float, float, float]:
        """Return the centre of mass as (z, y, x) voxels away from ``n // 2``."""
        return geometry.centroid(self.data)

    def fwhm(self) -> tuple[float, float, float]:
        """Return the full widths at half maximum, (z, y, x) in micrometres.

        Measured on the lines through the sub-voxel peak, see
        `napari_blurgan.optics.width.fwhm`; NaN along an axis on which the array ends
        before the PSF has fallen to half its maximum.
        """
        z, y, x = width.fwhm(self.data)
        return z * self.voxel_size[0], y * self.voxel_size[1], x * self.voxel_size[2]

    def in_order(self) -> Psf:
        """Return the PSF with its peak in the middle, if it was in FFT order.

        Arrays made for an FFT have their centre at the first voxel, and light in all
        corners; see `napari_blurgan.optics.order.unwrapped`.
        ``provenance["fft_order"]`` records the axes concerned; if there are none, the
        PSF itself is returned.
        """
        data, wrapped = unwrapped(self.data)
        if not wrapped:
            return self
        return self._derived(data, fft_order="".join("zyx"[a] for a in wrapped))

    def without_offset(self) -> Psf:
        """Return the PSF without the camera offset, if it has one.

        ``provenance["offset"]`` records its share of the sum; without an offset the PSF
        itself is returned. See `napari_blurgan.optics.offset.without_offset`.
        """
        data, share = without_offset(self.data)
        return self if share == 0 else self._derived(data, offset=share)

    def centred(self) -> Psf:
        """Move the core of the PSF to the voxel ``n // 2`` of every axis.

        A PSF in FFT order is reordered first (`in_order`).

        The core is the region above half the maximum around the brightest voxel; its
        centre of mass, weighted by the excess over half, is found and moved by a
        quintic spline. Unlike the brightest voxel it is sub-voxel and robust against
        noise; unlike the centroid of the whole array it is not biased towards the
        middle of the array by faint wings. ``provenance["centred"]`` records the shift
        in voxels.
        """
        psf = self.in_order()
        data, shift = geometry.centre_core(psf.data)
        return psf._derived(data, centred={"on": "core", "shift": list(shift)})

    def cropped(
        self, shape: Sequence[int] | None = None, *, energy: float = 0.99
    ) -> Psf:
        """Return the middle of the PSF, again scaled to sum to one.

        Parameters
        ----------
        shape : sequence of int, optional
            (z, y, x) to crop to; axes already smaller are left alone.
        energy : float
            Without `shape`, the smallest odd box around the centre outside which each
            axis leaves at most a third of the remaining ``1 - energy``.

        Returns
        -------
        Psf
            ``provenance["cropped"]`` keeps the share of the energy that was kept.
        """
        in_range("energy", energy, 0, 1, above=True, error=OpticsError)
        if shape is None:
            shape = geometry.support(self.data, energy)
        wanted = checked_shape(shape)
        data = geometry.fit(self.data, np.minimum(wanted, self.shape))
        kept = float(data.sum(dtype=np.float64) / self.data.sum(dtype=np.float64))
        return self._derived(data, cropped={"from": list(self.shape), "kept": kept})

    def padded(self, shape: Sequence[int]) -> Psf:
        """Return the PSF amid zeros; axes already larger are left alone."""
        larger = np.maximum(checked_shape(shape), self.shape)
        return self._derived(geometry.fit(self.data, larger))

    def resampled(self, voxel_size: Sequence[float]) -> Psf:
        """Return the PSF on voxels of another size, (z, y, x) in micrometres.

        The values of the new voxels are taken from a cubic spline through the
        cumulative sum of the old ones, so that energy is conserved, coarser voxels
        integrate over their area, and the centre does not move. A plane remains a
        plane.
        """
        new = checked_voxel_size(voxel_size)
        _check_growth(self.shape, self.voxel_size, new)
        data = geometry.resample(self.data, self.voxel_size, new)
        return self._derived(data, new, resampled={"from": list(self.voxel_size)})

    def projected(self, thickness: float) -> Psf:
        """Return the sum over the thickness of a sample, as one plane.

        A single widefield plane contains the out-of-focus light of everything above
        and below it. If the sample looks much the same throughout its thickness, this
        sum is the blur between what lies in the plane and its image.

        Parameters
        ----------
        thickness : float
            Of the sample, in micrometres; half of it on either side of the focus. Zero
            keeps the plane in focus alone.

        Raises
        ------
        OpticsError
            If the PSF covers less than this thickness.
        """
        in_range("thickness", thickness, 0, error=OpticsError)
        away = int(thickness / 2 / self.voxel_size[0] + 1e-6)
        middle = self.shape[0] // 2
        if away > middle:
            covered = self.shape[0] * self.voxel_size[0]
            raise OpticsError(
                f"the PSF covers {covered:.3g} µm, less than a thickness of "
                f"{thickness:g} µm: compute it with at least {2 * away + 1} planes"
            )
        planes = self.data[middle - away : middle + away + 1]
        data = planes.sum(0, keepdims=True, dtype=np.float64)
        return self._derived(data, projected=thickness)

    def rotation_averaged(self) -> Psf:
        """Return the mean over all rotations about the optical axis (z)."""
        _, y, x = self.voxel_size
        data = geometry.rotation_average(self.data, (y, x))
        return self._derived(data, rotation_averaged=True)

    def otf(self) -> NDArray[np.complex64]:
        """Return the optical transfer function, (z, y, x).

        Complex; zero frequency, where it is one, is at ``n // 2``.
        """
        spectrum = np.fft.fftn(np.fft.ifftshift(self.data))
        return np.fft.fftshift(spectrum).astype(np.complex64)

    def digest(self) -> str:
        """Return the SHA-256 of the voxel size and the values."""
        found = hashlib.sha256(repr(self.voxel_size).encode())
        found.update(np.ascontiguousarray(self.data).data)
        return found.hexdigest()

    def ncc(self, other: Psf) -> float:
        """Return the normalised cross-correlation with `other` at zero shift.

        Both are aligned by their centres in the smallest common box, and their means
        are subtracted: 1 is a perfect match of shape.

        Raises
        ------
        OpticsError
            If the voxel sizes differ.
        """
        a, b = self._beside(other)
        a, b = a - a.mean(), b - b.mean()
        return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))

    def relative_error(self, other: Psf) -> float:
        """Return ``‖self - other‖₂ / ‖other‖₂``, aligned by their centres.

        Raises
        ------
        OpticsError
            If the voxel sizes differ.
        """
        a, b = self._beside(other)
        return float(np.linalg.norm(a - b) / np.linalg.norm(b))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write an OME-TIFF with the voxel size in µm and the provenance.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.tif`` or ``.tiff``.
        overwrite : bool
            Whether a file that is there may be replaced.

        Raises
        ------
        OpticsError
            If the provenance holds what JSON cannot, or the name does not end
            in ``.tif`` or ``.tiff``.
        DataError
            If there is a file of that name and `overwrite` is false.
        """
        place = as_path(path, OpticsError)
        refuse_existing(place, overwrite)
        psf_file.write(place, self.data, self.voxel_size, self.provenance)

    @classmethod
    def load(cls, path: str | Path, voxel_size: Sequence[float] | None = None) -> Psf:
        """Read a PSF from a file.

        Parameters
        ----------
        path : path-like
            Whatever `read_stack` reads, in any unit of length; without a voxel size
            (plain TIFF) together with `voxel_size`. Axes of length one are dropped; a
            single plane becomes (1, y, x). A PSF in FFT order, its centre in the first
            voxel, is put in order. What was odd is in ``provenance["notes"]``.
        voxel_size : sequence of float, optional
            (z, y, x) in micrometres; overrules the file's.

        Raises
        ------
        OpticsError
            If the file cannot be read, is not a volume, has no voxel size where none
            is given, or its values are no PSF (NaN, negative, all zero).
        """
        data, in_file, provenance = psf_file.read(as_path(path, OpticsError))
        size = in_file if voxel_size is None else checked_voxel_size(voxel_size)
        unknown = [axis for axis, n in zip("zyx", size, strict=False) if n is None]
        if unknown:
            found = "; ".join(["", *provenance.get(psf_file.NOTES, ())])
            raise OpticsError(
                f"{path}: the file does not say how large its voxels are along "
                f"{', '.join(unknown)}{found}; give voxel_size (--psf-voxel on the "
                "command line), z y x in µm"
            )
        try:
            return cls(data, size, provenance)  # type: ignore[arg-type]
        except OpticsError as error:
            raise OpticsError(f"{path}: {error}") from error

    def _beside(self, other: Psf) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not isinstance(other, Psf):
            raise OpticsError(f"a Psf is compared with a Psf, found {other!r:.60}")
        if not np.allclose(self.voxel_size, other.voxel_size, rtol=1e-3):
            raise OpticsError(
                f"PSFs of different voxel sizes cannot be compared: "
                f"{self.voxel_size} and {other.voxel_size} µm; resample one first"
            )
        box = np.maximum(self.shape, other.shape)
        a, b = geometry.fit(self.data, box), geometry.fit(other.data, box)
        return a.astype(np.float64), b.astype(np.float64)

    def _derived(
        self,
        data: NDArray[Any],
        voxel_size: tuple[float, float, float] | None = None,
        **done: Any,
    ) -> Psf:
        return Psf(data, voxel_size or self.voxel_size, {**self.provenance, **done})


def _check_growth(
    shape: Sequence[int], old: Sequence[float], new: Sequence[float]
) -> None:
    """Refuse unreasonably many voxels, and voxels larger than the whole PSF."""
    for axis, n, o, m in list(zip("zyx", shape, old, new, strict=True))[1:]:
        if m > n * o:
            raise OpticsError(
                f"voxels {m:g} µm long in {axis} are larger than the whole PSF, "
                f"{n * o:.3g} µm: is one of the sizes wrong?"
            )
    pairs = [(o, m) for n, o, m in zip(shape, old, new, strict=True) if n > 1]
    if any(not 1 / MOST_TIMES <= m / o <= MOST_TIMES for o, m in pairs):
        raise OpticsError(
            f"a PSF with voxels of {_um(old)} cannot blur an image with voxels of "
            f"{_um(new)}: is one of the sizes in another unit, such as nm?"
        )
    grown = [n * o / m if n > 1 else 1 for n, o, m in zip(shape, old, new, strict=True)]
    if math.prod(max(1, n) for n in grown) > MOST_VOXELS:
        raise OpticsError(
            f"a PSF of {' × '.join(map(str, shape))} voxels of {tuple(old)} µm would "
            f"have {math.prod(grown):.2g} voxels of {tuple(new)} µm, at most "
            f"{MOST_VOXELS:.2g} can be used: is one of the sizes wrong?"
        )


def _um(size: Sequence[float]) -> str:
    return " × ".join(f"{s:.4g}" for s in size) + " µm"


def _normalised(values: ArrayLike) -> NDArray[np.float32]:
    data = np.asarray(values)
    if data.dtype.kind not in "buif":
        raise OpticsError(f"a PSF needs real numbers, found {data.dtype}")
    if data.ndim != 3:
        raise OpticsError(f"a PSF has the axes z, y, x; found shape {data.shape}")
    if data.shape[-1] in SAMPLES and min(data.shape[:2]) >= SMALLEST_PICTURE:
        raise OpticsError(
            f"an array of shape {data.shape} is probably a colour image; a PSF has the "
            "axes z, y, x and no colours"
        )
    odd = data.size - np.count_nonzero(np.isfinite(data))
    if odd:
        raise OpticsError(
            f"{odd} of the {data.size} values of the PSF are NaN or infinite; replace "
            "them first"
        )
    if (data < 0).any():
        raise OpticsError("the PSF has negative values; subtract its background first")
    total = data.sum(dtype=np.float64)
    if total <= 0:
        raise OpticsError("the PSF is zero everywhere")
    # Leaving values that already sum to one unchanged makes save and load exact.
    if data.dtype == np.float32 and abs(total - 1) < 1e-6:
        return data.copy()
    return (data.astype(np.float64) / total).astype(np.float32)


def unit_of(psf: Psf) -> str:
    """Return the unit of a PSF's voxel size: µm, or voxels where that is unknown."""
    return str(psf.provenance.get("unit", "µm"))
