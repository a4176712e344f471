"""`Deconvolution`: the result of every method."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.optics.psf import Psf

__all__ = ["Deconvolution"]


@dataclass(frozen=True, eq=False)
class Deconvolution:
    """A deconvolved image with its details; numpy treats it as its image.

    Attributes
    ----------
    image : ndarray of float32
        In the shape and units of what was deconvolved, its background removed.
    psf : Psf
        As it was used: centred, resampled, cropped, or estimated.
    iterations : int
        Updates that the image has had; 0 for a method without iterations.
    reason : str
        Why it ended there.
    criterion : str
        What `trace` holds; empty without a stopping rule.
    trace : tuple of float
        The criterion of the start and of each estimate that was judged.
    notes : tuple of str
        What was done to the PSF and found in the image, in words.
    axes : str
        One letter of TCZYXS for each axis of the image; (y, x) or (z, y, x) if empty.
    voxel_size : tuple of (float or None)
        (z, y, x) of the image in micrometres; None where unknown.
    name, channel_names
        Of the image.
    provenance : dict
        What made it, to be written into a file.
    acquisition : Acquisition or None
        How the image was taken.
    """

    image: NDArray[np.float32]
    psf: Psf
    iterations: int = 0
    reason: str = ""
    criterion: str = ""
    trace: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    axes: str = ""
    voxel_size: VoxelSize = (None, None, None)
    name: str = "image"
    channel_names: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    acquisition: Acquisition | None = None

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the image."""
        return np.array(self.image, dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return self.image.shape

    @property
    def stack(self) -> Stack:
        """The image with its axes, voxel size, names and provenance."""
        return Stack(
            self.image,
            self.axes or "ZYX"[-self.image.ndim :],
            self.voxel_size,
            self.name,
            self.channel_names,
            {
                "provenance": self.provenance,
                "notes": list(self.notes),
                "acquisition": self.acquisition,
            },
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the image as OME-TIFF or OME-Zarr; see `Stack.save`."""
        self.stack.save(path, overwrite=overwrite)
