"""Reading image files as Stacks: one function for all formats."""

from __future__ import annotations

import os
from pathlib import Path

from napari_blurgan.checks import as_path, whole
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.hdf5 import HDF5, file_and_dataset, read_hdf5
from napari_blurgan.reading.nifti import read_nifti
from napari_blurgan.reading.numpy_file import read_npy
from napari_blurgan.reading.tiff import read_tiff

__all__ = ["read_stack"]

FOREIGN = {
    ".oir": "an Olympus OIR file",
    ".vsi": "an Olympus VSI file",
    ".dv": "a DeltaVision file",
    ".r3d": "a DeltaVision file",
    ".ims": "an Imaris file",
    ".ics": "an ICS file",
    ".ids": "the pixels of an ICS file",
    ".mrc": "an MRC file",
    ".png": "a PNG file",
    ".jpg": "a JPEG file",
    ".jpeg": "a JPEG file",
}
LARGEST = 1_000_000
NIFTI = (".nii", ".nii.gz")
VENDORS = (".czi", ".lif", ".nd2", ".oib", ".oif")


def read_stack(
    path: str | os.PathLike[str],
    *,
    axes: str | None = None,
    strict: bool = False,
    image: int = 0,
) -> Stack:
    """Read an image file lazily, with its axes, voxel size and channel names.

    Parameters
    ----------
    path : path-like
        TIFF, OME-TIFF, BigTIFF, an ImageJ hyperstack, OME-Zarr, a zarr array, or one
        of numpy (``.npy``) or NIfTI-1 (``.nii``, ``.nii.gz``), whose complex numbers
        become two channels. With the extra ``formats`` also Nikon ND2, Zeiss CZI, Leica
        LIF, Olympus OIF and OIB, of which one position, scene or image is read, and
        HDF5: ``scan.h5``, or ``scan.h5/kspace`` if it holds several datasets.
    axes : str, optional
        Axis letters of TCZYXS that overrule those of the file.
    strict : bool
        Whether chunks, strips or tiles that are not in the file are an error. Zarr's
        rule is that such chunks hold the fill value; by default, that is a note.
    image : int
        Which one of an ND2, CZI or LIF file, counted from 0; ``metadata["images"]`` is
        their number.

    Returns
    -------
    Stack
        ``data`` is read when indexed, in native byte order; ``voxel_size`` is in
        micrometres, None where the file does not say; RGB samples are the axis S.
        ``metadata`` holds ``source`` (the path), ``notes`` (what was guessed, left
        out or looks wrong, in words; every door says them), ``voxel_size_from`` (the
        header that the voxel size was taken from), ``translation`` (where the first
        voxel lies, (z, y, x) in micrometres, or None) and ``provenance`` (what
        `write_ome_tiff` was given).

    Raises
    ------
    DataError
        If the file is missing, empty, truncated, damaged or of another format, or
        declares more than it, or the memory, can hold.
    AxesError
        If the axes are ambiguous, or `axes` do not fit the data. One axis without
        a name is taken as Z (as T where there is a Z already) and noted.
    """
    found, number = as_path(path), whole("image", image, 0, LARGEST)
    found, dataset = file_and_dataset(found)
    if not found.exists():
        raise DataError(f"{found}: no such file")
    if number and found.suffix.lower() not in VENDORS:
        raise DataError(f"{found.name}: holds one image; image is 0, found {number}")
    if found.is_dir():
        return _read_folder(found, axes, strict)
    if found.stat().st_size == 0:
        raise DataError(f"{found}: the file is empty (0 bytes)")
    if found.suffix.lower() == ".npy":
        return read_npy(found, axes)
    if found.name.lower().endswith(NIFTI):
        return read_nifti(found, axes)
    if found.suffix.lower() in VENDORS:
        return _read_vendor(found, axes, number)
    if found.suffix.lower() in HDF5:
        return read_hdf5(found, axes, dataset)
    foreign = FOREIGN.get(found.suffix.lower())
    if foreign:
        raise DataError(
            f"{found.name}: is {foreign}; convert it to OME-TIFF first, for example "
            "with Fiji (Bio-Formats) or with bioformats2raw and raw2ometiff"
        )
    return read_tiff(found, axes, strict=strict)


def _read_folder(path: Path, axes: str | None, strict: bool) -> Stack:
    # zarr takes half a second to import: only when needed.
    from napari_blurgan.reading.ome_zarr import is_zarr, read_zarr

    if not is_zarr(path):
        raise DataError(f"{path}: is a folder, expected an image file or a zarr")
    return read_zarr(path, axes, strict=strict)


def _read_vendor(path: Path, axes: str | None, image: int) -> Stack:
    # Imported only when needed: few files are of these kinds.
    from napari_blurgan.reading.vendors.czi import read_czi
    from napari_blurgan.reading.vendors.lif import read_lif
    from napari_blurgan.reading.vendors.nd2 import read_nd2
    from napari_blurgan.reading.vendors.oif import read_oif

    readers = {".czi": read_czi, ".lif": read_lif, ".nd2": read_nd2}
    return readers.get(path.suffix.lower(), read_oif)(path, axes, image)
