"""Power spectra of windowed patches, averaged over rings of equal frequency.

A Hann window that is periodic on the grid of the transform confines a constant
background to the frequencies next to zero, so that beyond them a power spectrum does
not depend on the background at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.errors import DataError
from napari_blurgan.interruption import heed_stop

__all__ = [
    "LARGEST",
    "Rings",
    "checked_volumes",
    "common_patch",
    "cut",
    "hann",
    "power",
]

LARGEST = (64, 128, 128)
SMALLEST = 24  # voxels across, for a spectrum that resolves a transfer function


def checked_volumes(images: Sequence[NDArray[np.generic]], what: str) -> list[Tensor]:
    """Return images as float32 tensors (z, y, x), without their common mean.

    Parameters
    ----------
    images : sequence of ndarray
        (z, y, x), or (y, x) for planes.
    what : str
        How to call them in an error.

    Raises
    ------
    DataError
        If there is none, or one is no image, too small, constant or not finite.
    """
    if not images:
        raise DataError(f"there are no {what} images for power spectra")
    volumes = []
    for number, image in enumerate(images):
        name = f"{what} image {number + 1} of {len(images)}"
        values = np.asarray(image, dtype=np.float32)
        if values.ndim not in (2, 3):
            raise DataError(f"{name}: expected (z, y, x) or (y, x), got {values.shape}")
        if min(values.shape[-2:]) < SMALLEST:
            raise DataError(
                f"{name}: {values.shape} is too small, a power spectrum needs at "
                f"least {SMALLEST} pixels along y and x"
            )
        if not np.isfinite(values).all():
            raise DataError(f"{name}: contains NaN or infinite values")
        if values.min() == values.max():
            raise DataError(f"{name}: is constant and shows no structure")
        volumes.append(torch.from_numpy(values.reshape(-1, *values.shape[-2:])))
    level = float(np.mean([float(volume.mean()) for volume in volumes]))
    return [volume - level for volume in volumes]


def common_patch(
    volumes: Sequence[Tensor], largest: Sequence[int], part: float = 1.0
) -> tuple[int, int, int]:
    """Return the patch size (z, y, x) that fits all volumes, at most `largest`.

    Parameters
    ----------
    volumes : sequence of Tensor
        (z, y, x).
    largest : sequence of int
        (z, y, x).
    part : float
        Share of the images along y and x, where that leaves enough pixels.

    Raises
    ------
    DataError
        If some volumes are planes and others are not.
    """
    z, *plane = (min(volume.shape[axis] for volume in volumes) for axis in range(3))
    if z == 1 and any(volume.shape[0] > 1 for volume in volumes):
        raise DataError(
            "some images are planes and others are volumes: give only one kind"
        )
    y, x = (max(2 * round(part * n / 2), SMALLEST) if part < 1 else n for n in plane)
    return min(z, largest[0]), min(y, largest[1]), min(x, largest[2])


def cut(volume: Tensor, patch: Sequence[int], limit: int) -> list[Tensor]:
    """Return patches that overlap by half, at most `limit`, spread evenly."""
    grids = [_starts(n, p) for n, p in zip(volume.shape, patch, strict=True)]
    corners = [(z, y, x) for z in grids[0] for y in grids[1] for x in grids[2]]
    chosen = np.linspace(0, len(corners) - 1, min(limit, len(corners))).round()
    return [_at(volume, corners[int(i)], patch) for i in chosen]


def _starts(size: int, patch: int) -> list[int]:
    steps = int(np.ceil(2 * (size - patch) / patch))
    return [round(i * (size - patch) / max(steps, 1)) for i in range(steps + 1)]


def _at(volume: Tensor, corner: Sequence[int], patch: Sequence[int]) -> Tensor:
    z, y, x = (slice(c, c + p) for c, p in zip(corner, patch, strict=True))
    return volume[z, y, x]


def hann(patch: Sequence[int]) -> Tensor:
    """Return the periodic Hann window of unit energy; 1 along axes of one voxel."""
    window = torch.ones(tuple(patch))
    for axis, n in enumerate(patch):
        if n > 1:
            line = torch.hann_window(n, periodic=True)
            window = window * line.reshape([-1 if a == axis else 1 for a in range(3)])
    return window / window.square().sum().sqrt()


def power(patches: Iterable[Tensor], window: Tensor) -> Tensor:
    """Return the mean power of windowed patches on the grid of ``rfftn``."""
    total, count = torch.zeros(()), 0
    for patch in patches:
        heed_stop()
        spectrum = torch.fft.rfftn(patch * window)
        total = total + spectrum.real**2 + spectrum.imag**2
        count += 1
    return total / count


class Rings:
    """Bins of equal |f_z| and equal frequency in the plane.

    Parameters
    ----------
    patch : sequence of int
        (z, y, x) of the transform.
    voxel_size : sequence of float
        (z, y, x) in micrometres.

    Attributes
    ----------
    index : Tensor
        Number of the bin of every frequency of the flattened ``rfftn`` grid.
    count : Tensor
        Frequencies in each bin.
    radius : Tensor
        Of each bin, in cycles per micrometre.
    width : float
        Of a bin, likewise.
    whole : Tensor
        Which bins are whole rings: not empty, and not cut by the corners of the grid.
    """

    def __init__(self, patch: Sequence[int], voxel_size: Sequence[float]) -> None:
        depth, height, width = patch
        extents = [n * v for n, v in zip(patch, voxel_size, strict=True)]
        fy = torch.fft.fftfreq(height, voxel_size[1])
        fx = torch.fft.rfftfreq(width, voxel_size[2])
        self.width = 1 / min(extents[1:])
        radius = (torch.hypot(fy[:, None], fx) / self.width).round().long()
        plane = (torch.fft.fftfreq(depth) * depth).abs().round().long()
        rings = int(radius.max()) + 1
        self.index = (plane[:, None, None] * rings + radius).reshape(-1)
        self.size = (depth // 2 + 1) * rings
        self.count = torch.bincount(self.index, minlength=self.size)
        self.radius = (torch.arange(self.size) % rings) * self.width
        nyquist = 0.5 / max(voxel_size[1:])
        self.whole = (self.count > 0) & (self.radius <= nyquist)

    def mean(self, values: Tensor) -> Tensor:
        """Average values on the ``rfftn`` grid over each bin; empty bins are zero."""
        index = self.index.to(values.device)
        sums = values.new_zeros(self.size).index_add(0, index, values.reshape(-1))
        return sums / self.count.clamp(min=1).to(values.device)
