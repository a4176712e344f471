"""HDF5 files (.h5, .hdf5), as scanners and fastMRI write them: one dataset is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import check_axes, name_axes
from napari_blurgan.data.complex_numbers import in_parts
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.reading.damage import damage_refused
from napari_blurgan.reading.vendors.image import reader_of

__all__ = ["HDF5", "file_and_dataset", "read_hdf5"]

HDF5 = (".h5", ".hdf5")
NUMBERS = "buifc"
PLANE = (-2, -1)


def file_and_dataset(path: Path) -> tuple[Path, str]:
    """Return the file of a path such as ``scan.h5/kspace``, and what is named in it.

    Any other path comes back as it is, with an empty name.
    """
    for parent in path.parents:
        if parent.suffix.lower() in HDF5 and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path, ""


def read_hdf5(path: Path, axes: str | None = None, dataset: str = "") -> Stack:
    """Read a dataset into memory; complex ones become two channels.

    A complex dataset with "kspace" in its name is transformed to images. The lowest
    frequency lies in its middle, as everywhere.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        A letter for each axis of the dataset; (y, x) or (z, y, x) without.
    dataset : str
        Its name in the file; may be left out if it is the only one of two or more axes.

    Raises
    ------
    DataError
        If the package h5py is missing, the file is damaged, or which dataset is meant
        is not clear: the message names all.
    AxesError
        If the axes are not known.
    """
    h5py = reader_of("h5py", path, "an HDF5 file")
    with (
        damage_refused(path, "is no HDF5 file, or is damaged"),
        h5py.File(path, "r") as file,
    ):
        name, chosen = _chosen(_datasets(file, h5py), dataset, path.name)
        names = (axes or name_axes(chosen.shape, path.name)).upper()
        check_axes(names, chosen.shape, path.name)
        # Once as stored, once as an image.
        refuse_beyond_memory(2 * chosen.nbytes, f"{path.name}: its pixels")
        pixels = np.asarray(chosen[()])
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    notes: list[str] = []
    if pixels.dtype.kind == "c" and "kspace" in name.lower():
        pixels = _images(pixels)
        notes = [f"{name} is k-space by its name: its Fourier transform was read"]
    metadata = {"source": str(path / name), "notes": notes}
    stack = Stack(pixels, names, name=path.name, metadata=metadata)
    return in_parts(stack) if pixels.dtype.kind == "c" else stack


def _datasets(file: Any, h5py: Any) -> dict[str, Any]:
    """Return the datasets that may be images and that lie in this file, by name.

    Links, and pixels that a file says lie in others, are not followed.
    """
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        within = isinstance(item, h5py.Dataset) and not (
            item.external or item.is_virtual
        )
        if within and item.ndim > 1 and item.size and item.dtype.kind in NUMBERS:
            found[name] = item

    file.visititems(visit)
    return found


def _chosen(datasets: dict[str, Any], wanted: str, name: str) -> tuple[str, Any]:
    """Return the dataset that is meant, and its name."""
    if wanted in datasets:
        return wanted, datasets[wanted]
    if len(datasets) == 1 and not wanted:
        return next(iter(datasets.items()))
    if not datasets:
        raise DataError(f"{name}: holds no image, a dataset of two or more axes")
    known = ", ".join(f"{n} {d.dtype} {d.shape}" for n, d in datasets.items())
    fault = f"holds no dataset {wanted!r}" if wanted else "holds several datasets"
    example = f"{name}/{next(iter(datasets))}"
    raise DataError(f"{name}: {fault}; name one, as in {example}: {known:.500}")


def _images(kspace: NDArray[Any]) -> NDArray[np.complex64]:
    """Return images of k-space whose lowest frequency is in the middle."""
    spectra = np.fft.ifftshift(kspace, axes=PLANE)
    return np.fft.fftshift(np.fft.ifft2(spectra), axes=PLANE).astype(np.complex64)
