"""PSFs on disk: written as OME-TIFF; read from any image format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError, OpticsError
from napari_blurgan.optics.order import unwrapped
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.atomic import replacing

__all__ = ["FITTED", "NOTES", "read", "write"]

Triple = tuple[float, float, float]
NOTES = "notes"
"""Key of the provenance for notes of the reader; it is not saved."""
FITTED = "fitted"
"""Key of the provenance of a PSF that was adapted to one image; it is not saved."""
NEVER_SAVED = (NOTES, FITTED)


def write(
    path: Path,
    data: NDArray[np.float32],
    voxel_size: Triple,
    provenance: dict[str, Any],
) -> None:
    """Write (z, y, x) `data` as OME-TIFF, completely or not at all."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise OpticsError(f"{path}: a PSF is saved as .ome.tif")
    metadata = _metadata(voxel_size, provenance)
    if not path.parent.is_dir():
        raise OpticsError(f"{path}: cannot be written, there is no {path.parent}")
    with replacing(path, OpticsError) as part:
        tifffile.imwrite(
            part, data, ome=True, photometric="minisblack", metadata=metadata
        )


def _metadata(voxel_size: Triple, provenance: dict[str, Any]) -> dict[str, Any]:
    kept = {key: known for key, known in provenance.items() if key not in NEVER_SAVED}
    try:
        text = json.dumps(kept, ensure_ascii=False, default=_plain)
    except TypeError as error:
        raise OpticsError(f"the PSF's provenance cannot be written: {error}") from error
    sizes = {f"PhysicalSize{a}": s for a, s in zip("ZYX", voxel_size, strict=True)}
    units = {f"PhysicalSize{a}Unit": "µm" for a in "ZYX"}
    return {"axes": "ZYX", "Name": "PSF", "Description": text, **sizes, **units}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def read(path: Path) -> tuple[NDArray[Any], VoxelSize, dict[str, Any]]:
    """Read a PSF with the image readers, and put it in order.

    Returns
    -------
    data : ndarray
        (z, y, x), its centre in the middle, see `unwrapped`.
    voxel_size : tuple of (float or None)
        (z, y, x) in micrometres; None where the file does not say. The z of a single
        plane counts for nothing and is its y where unknown.
    provenance : dict
        What `write` was given, or the name of the file; what reading found under
        ``"notes"``, if anything.

    Raises
    ------
    OpticsError
        If the file is missing, damaged, or holds no single volume or plane of grey
        levels.
    """
    try:
        stack = read_stack(path)
        data, notes = _volume(path, stack)
    except (AxesError, DataError) as error:
        said = str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ")
        raise OpticsError(f"{path}: cannot be read as a PSF: {said}") from error
    ours = _provenance(stack.metadata.get("description"))
    # Files of `write` are in order, and their voxel sizes are meant as they are.
    notes = [] if ours else notes
    data, wrapped = (data, ()) if ours else unwrapped(data)
    if wrapped:
        notes.append(
            "its centre was in the first voxel (FFT order) and has been moved to the "
            f"middle of {', '.join('zyx'[axis] for axis in wrapped)}"
        )
    z, y, x = stack.voxel_size
    if data.shape[0] == 1 and z is None:
        z = y
    provenance = ours or {"file": path.name}
    return data, (z, y, x), provenance | ({NOTES: notes} if notes else {})


def _volume(path: Path, stack: Stack) -> tuple[NDArray[Any], list[str]]:
    """Return (z, y, x), and notes."""
    notes = list(stack.metadata.get("notes", ()))
    shape = tuple(stack.data.shape)
    long = {a for a, n in zip(stack.axes, shape, strict=True) if n > 1} - set("YX")
    if "S" in long:
        raise OpticsError(f"{path}: is a colour picture; a PSF must have grey levels")
    if len(long) > 1 or "C" in long:
        raise OpticsError(
            f"{path}: a PSF is one volume (z, y, x); the file holds axes {stack.axes} "
            f"of shape {shape}. Save one channel and one time point"
        )
    if "T" in long:
        notes.append(f"its {stack.size('T')} time points were used as planes")
    data = np.asarray(stack.data[...])
    order = [stack.axes.index(a) for a in "YX"]
    rest = [axis for axis in range(data.ndim) if axis not in order]
    data = data.transpose(*rest, *order)
    return data.reshape(-1, *data.shape[-2:]), notes


def _provenance(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {key: known for key, known in value.items() if key not in NEVER_SAVED}
