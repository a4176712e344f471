"""Blur kernels, fixed or learned: their parametrisations and initial values.

A parametrisation is a module whose ``forward()`` returns the kernel as a float32 tensor
(z, y, x); planes are (1, y, x). Its centre is the voxel ``n // 2`` of every axis.
Except for `FreeKernel` the values are non-negative and sum to one by construction, so
that an optimiser cannot leave the set of valid PSFs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.symmetry import Symmetry, measured_symmetry

__all__ = [
    "FixedKernel",
    "FreeKernel",
    "Kernel",
    "SoftmaxKernel",
    "delta_kernel",
    "gaussian_kernel",
    "random_kernel",
    "widened",
]

Orbits = Literal["none", "axes", "rotational"]
# What a voxel without any light gets of the brightest one before its logarithm is
# taken: small enough to be nothing, large enough for a gradient to lift it again.
FLOOR = 1e-6


class Kernel(nn.Module):
    """A blur kernel with any parametrisation.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) in voxels.

    Raises
    ------
    OpticsError
        If the shape is not three positive sizes.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        if len(shape) != 3 or min(shape) < 1:
            raise OpticsError(f"a kernel has three sizes (z, y, x), found {shape}")
        z, y, x = (int(n) for n in shape)
        self.shape = (z, y, x)

    def forward(self) -> Tensor:
        """Return the kernel, (z, y, x)."""
        raise NotImplementedError

    @property
    def symmetry(self) -> Symmetry:
        """Its symmetry, both now and as it may become.

        A kernel whose voxels are learned individually is assumed to be symmetric, as
        Lim et al. (2020) do by mirroring their patches, and so becomes symmetric.
        """
        return Symmetry()

    @property
    def findings(self) -> dict[str, float]:
        """Learned quantities other than the voxels, for the provenance of a PSF."""
        return {}


class FixedKernel(Kernel):
    """A known kernel: nothing to learn.

    Parameters
    ----------
    values : array-like
        (z, y, x), scaled here to sum to one.
    """

    values: Tensor

    def __init__(self, values: ArrayLike) -> None:
        array = np.asarray(values, dtype=np.float64)
        super().__init__(array.shape)
        array = array / _positive_sum(array)
        self.register_buffer("values", torch.tensor(array, dtype=torch.float32))

    def forward(self) -> Tensor:
        """Return the kernel, (z, y, x), sum one."""
        return self.values

    @property
    def symmetry(self) -> Symmetry:
        """Symmetry of the values, up to their noise."""
        return measured_symmetry(self.values)


class FreeKernel(Kernel):
    """Every voxel is a free number, as in the paper: sign and sum are unconstrained.

    Parameters
    ----------
    values : array-like
        (z, y, x) to start from; `random_kernel` is what a convolution layer starts
        from.

    Notes
    -----
    [Lim et al. 2020] learn h this way, with a penalty λ‖h‖₁. It can turn negative,
    lose mass, and shift against the image: kept for comparison.
    """

    def __init__(self, values: ArrayLike) -> None:
        start = torch.tensor(np.asarray(values), dtype=torch.float32)
        super().__init__(start.shape)
        self.values = nn.Parameter(start)

    def forward(self) -> Tensor:
        """Return the kernel, (z, y, x), without constraints."""
        return self.values


class SoftmaxKernel(Kernel):
    """Non-negative and sum one by a softmax; symmetric (thus centred) on request.

    Parameters
    ----------
    values : array-like
        (z, y, x) to start from, non-negative; averaged to the symmetry.
    symmetry : {"none", "axes", "rotational"}
        "axes": the same when flipped along z, y or x, and when y and x are swapped
        where they are of one size. "rotational": voxels at the same |z| and the same
        radius in the plane share a value, for pixels that are square. Both are centred
        by construction and need odd sizes; "none" may move its centroid.

    Raises
    ------
    OpticsError
        If a value is negative, all are zero, or a symmetric kernel has an even size.
    """

    def __init__(self, values: ArrayLike, symmetry: Orbits = "axes") -> None:
        array = np.asarray(values, dtype=np.float64)
        super().__init__(array.shape)
        if symmetry != "none" and any(n % 2 == 0 for n in self.shape):
            raise OpticsError(
                f"a symmetric kernel has odd sizes, found {self.shape}; "
                f"crop it by one voxel"
            )
        if (array < 0).any():
            raise OpticsError("the initial kernel has negative values")
        orbits, count = _orbits(self.shape, symmetry)
        self.register_buffer("orbits", torch.tensor(orbits))
        sums = np.bincount(orbits, array.ravel() / _positive_sum(array), count)
        means = sums / np.bincount(orbits, minlength=count)
        logits = np.log(means + FLOOR * means.max())
        self.logits = nn.Parameter(torch.tensor(logits, dtype=torch.float32))

    orbits: Tensor

    def forward(self) -> Tensor:
        """Return the kernel, (z, y, x), sum one."""
        return self.logits[self.orbits].softmax(0).reshape(self.shape)


def _orbits(
    shape: tuple[int, int, int], symmetry: Orbits
) -> tuple[NDArray[np.int64], int]:
    """Return for each voxel the index of the value that it shares, and their number."""
    grid = zip(np.indices(shape), shape, strict=True)
    z, y, x = (abs(place - n // 2).ravel() for place, n in grid)
    if symmetry == "none":
        keys = [np.arange(z.size)]
    elif symmetry == "rotational":
        keys = [z, y**2 + x**2]
    elif shape[1] == shape[2]:
        keys = [z, np.minimum(y, x), np.maximum(y, x)]
    else:
        keys = [z, y, x]
    rows, orbits = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    return orbits.ravel(), len(rows)


def _positive_sum(values: NDArray[np.float64]) -> float:
    total = float(values.sum())
    if not np.isfinite(values).all() or total <= 0:
        raise OpticsError(
            f"a kernel needs finite values and a sum above zero, found {total}"
        )
    return total


def delta_kernel(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return one at the centre, zero elsewhere, (z, y, x)."""
    kernel = np.zeros(tuple(shape), np.float32)
    kernel[tuple(n // 2 for n in shape)] = 1
    return kernel


def gaussian_kernel(shape: Sequence[int], fwhm: Sequence[float]) -> NDArray[np.float32]:
    """Return a Gaussian of sum one, (z, y, x).

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) in voxels.
    fwhm : sequence of float
        Full width at half maximum along (z, y, x), in voxels.
    """
    grid = np.indices(tuple(shape))
    centred = (i - n // 2 for i, n in zip(grid, shape, strict=True))
    exponent = sum((i / w) ** 2 for i, w in zip(centred, fwhm, strict=True))
    kernel = np.exp(-4 * np.log(2) * np.asarray(exponent))
    return (kernel / kernel.sum()).astype(np.float32)


def random_kernel(shape: Sequence[int], seed: int) -> NDArray[np.float32]:
    """Return initial values of a convolution layer: uniform within ±1/√n of n taps."""
    bound = 1 / np.sqrt(np.prod(shape))
    values = np.random.default_rng(seed).uniform(-bound, bound, tuple(shape))
    return values.astype(np.float32)


def widened(kernel: Tensor, factor: float) -> Tensor:
    """Return a kernel `factor` times as wide, of sum one and on the same support.

    An optical PSF scales with the wavelength along all three axes, so this is that of
    `factor` times the wavelength, within the support.

    Parameters
    ----------
    kernel : Tensor
        (z, y, x), float32; interpolated linearly.
    factor : float
        At least 1: what lies beyond the support is not known.

    Raises
    ------
    OpticsError
        If `factor` is less than 1.
    """
    if factor < 1:
        raise OpticsError(f"a kernel is widened by 1 or more, not by {factor:g}")
    places = torch.eye(3, 4, device=kernel.device)[None] / factor
    grid = F.affine_grid(places, [1, 1, *kernel.shape], align_corners=False)
    found = F.grid_sample(kernel[None, None], grid, align_corners=False)[0, 0]
    return found / found.sum()
