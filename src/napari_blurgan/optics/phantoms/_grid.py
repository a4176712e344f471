"""Voxel positions in micrometres, and their coverage by solid bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError

__all__ = [
    "Array",
    "Axes",
    "Grid",
    "RandomField",
    "block_mean",
    "check_positive",
    "coverage",
    "draw_body",
]

Array = NDArray[np.float64]
Axes = Sequence[Array]


@dataclass(frozen=True)
class Grid:
    """Voxel centres at ``index * voxel`` micrometres; 2D or 3D.

    Parameters
    ----------
    shape : tuple of int
        Without a z axis of length one: a plane is 2D.
    voxel : ndarray
        Micrometres along each axis.
    """

    shape: tuple[int, ...]
    voxel: Array

    @classmethod
    def of(cls, shape: Sequence[int], voxel_size: Sequence[float]) -> Grid:
        """Check the arguments and drop the z axis of a single plane."""
        sizes, voxel = tuple(shape), tuple(voxel_size)
        if len(sizes) not in (2, 3) or min(sizes) < 1:
            raise OpticsError(
                f"a phantom's shape is (z, y, x) or (y, x), all positive; found {sizes}"
            )
        if len(sizes) == 3 and sizes[0] == 1:
            sizes = sizes[1:]
        if not len(sizes) <= len(voxel) <= 3 or not all(0 < v < np.inf for v in voxel):
            raise OpticsError(
                f"a voxel size is (z, y, x) in micrometres, all positive; "
                f"found {voxel} for the shape {tuple(shape)}"
            )
        return cls(sizes, np.array(voxel[-len(sizes) :], dtype=float))

    @property
    def ndim(self) -> int:
        """Number of dimensions, 2 or 3."""
        return len(self.shape)

    @property
    def extent(self) -> Array:
        """Size of the field in micrometres."""
        return np.array(self.shape) * self.voxel

    @property
    def in_plane(self) -> float:
        """The voxel size within the plane, in micrometres."""
        return float(self.voxel[-1])

    def volume(self, margin: float = 0.0) -> float:
        """Return the volume (µm³) or area (µm²) of the field, a margin around it."""
        return float(np.prod(self.extent + 2 * margin))

    def ball(self, radius: float) -> float:
        """Return the volume (µm³) of a sphere, or the area (µm²) of a disc."""
        return float(np.pi * radius**2 if self.ndim == 2 else 4 / 3 * np.pi * radius**3)

    def axes(
        self, box: Sequence[slice] | None = None, split: Sequence[int] = ()
    ) -> Axes:
        """Return open coordinate grids in micrometres, of the field or a box in it.

        Parameters
        ----------
        box : sequence of slice, optional
            Part of the field; all of it by default.
        split : sequence of int
            Points a voxel along each axis; one by default.
        """
        box = box or [slice(0, n) for n in self.shape]
        split = split or [1] * self.ndim
        lines = [
            v * (b.start - 0.5 + (np.arange((b.stop - b.start) * s) + 0.5) / s)
            for v, b, s in zip(self.voxel, box, split, strict=True)
        ]
        return np.ix_(*lines)

    def split(self, feature: float) -> tuple[int, ...]:
        """Return the points per voxel that resolve `feature` (µm) by two points."""
        return tuple(int(n) for n in np.ceil(2 * self.voxel / feature - 1e-6))

    def refined(self, split: Sequence[int]) -> Grid:
        """Return the same field on voxels `split` times smaller along each axis."""
        shape = tuple(n * s for n, s in zip(self.shape, split, strict=True))
        return Grid(shape, self.voxel / np.array(split))

    def box(self, centre: Array, reach: Array | float) -> list[slice]:
        """Return the part of the field within `reach` micrometres of `centre`."""
        low = np.floor((centre - reach) / self.voxel).astype(int)
        high = np.ceil((centre + reach) / self.voxel).astype(int) + 1
        return [
            slice(max(a, 0), min(b, n))
            for a, b, n in zip(low, high, self.shape, strict=True)
        ]

    def scatter(self, rng: np.random.Generator, count: int, margin: float) -> Array:
        """Return uniform positions (count, ndim) in the field and a margin around."""
        low = -0.5 * self.voxel - margin
        return low + rng.random((count, self.ndim)) * (self.extent + 2 * margin)


def check_positive(**options: float) -> None:
    """Refuse sizes and numbers that are not positive.

    Raises
    ------
    OpticsError
        Naming the option.
    """
    for name, value in options.items():
        if not 0 < value < np.inf:
            raise OpticsError(f"{name} must be above zero; found {value:g}")


def coverage(distance: Array, edge: float) -> Array:
    """Return the covered part of a voxel whose centre is `distance` from a surface.

    Parameters
    ----------
    distance : ndarray
        Micrometres, negative inside the body.
    edge : float
        Size of the voxel; the coverage falls from one to zero over it.
    """
    return np.clip(0.5 - distance / edge, 0.0, 1.0)


def block_mean(values: Array, split: Sequence[int]) -> Array:
    """Average blocks of `split` points into one voxel."""
    pairs = [p for n, s in zip(values.shape, split, strict=True) for p in (n // s, s)]
    return values.reshape(pairs).mean(axis=tuple(range(1, 2 * values.ndim, 2)))


def draw_body(
    image: Array,
    grid: Grid,
    centre: Array,
    reach: float,
    feature: float,
    density: Callable[[Axes, float], Array],
) -> None:
    """Draw one body into `image`; where bodies overlap the brighter one counts.

    Parameters
    ----------
    image : ndarray
        On `grid`; changed in place.
    grid : Grid
        The field.
    centre : ndarray
        Of the body, in micrometres.
    reach : float
        Radius of a ball that holds the body.
    feature : float
        The finest detail in micrometres; voxels are split to resolve it.
    density : callable
        ``density(offsets, edge)``: labelled density at offsets from the centre, for
        points that stand for cells of size `edge`.
    """
    box = grid.box(centre, reach + float(grid.voxel.max()))
    if any(part.start >= part.stop for part in box):
        return
    split = grid.split(feature)
    edge = float(np.mean(grid.voxel / np.array(split)))
    offsets = [a - c for a, c in zip(grid.axes(box, split), centre, strict=True)]
    part = image[tuple(box)]
    np.maximum(part, block_mean(density(offsets, edge), split), out=part)


@dataclass(frozen=True)
class RandomField:
    """A smooth Gaussian random field: a sum of plane waves, defined at every point.

    Zero mean, unit variance, and not periodic: the same seed gives the same field on
    a finer grid or over a larger field of view.

    Parameters
    ----------
    waves : ndarray
        (modes, ndim) wave vectors in radians a micrometre.
    amplitudes : ndarray
        (modes,) complex.
    """

    waves: Array
    amplitudes: NDArray[np.complex128]

    @classmethod
    def draw(
        cls, rng: np.random.Generator, ndim: int, scale: float, modes: int = 192
    ) -> RandomField:
        """Draw a field whose correlation is Gaussian with the sd `scale` (µm)."""
        waves = rng.normal(size=(modes, ndim)) / scale
        phases = rng.uniform(0, 2 * np.pi, modes)
        return cls(waves, np.sqrt(2 / modes) * np.exp(1j * phases))

    def __call__(self, axes: Axes) -> Array:
        """Return the values on open coordinate grids, as `Grid.axes` returns them."""
        return self._sum(axes, self.amplitudes)

    def slope(self, axes: Axes) -> Array:
        """Return the modulus of the gradient, per micrometre."""
        parts = self._gradient(axes)
        return np.sqrt(sum((part**2 for part in parts), np.zeros(())))

    def _gradient(self, axes: Axes) -> Iterator[Array]:
        for wave in self.waves.T:
            yield self._sum(axes, 1j * wave * self.amplitudes)

    def _sum(self, axes: Axes, amplitudes: NDArray[np.complex128]) -> Array:
        # A plane wave is a product of one factor per axis, so that the sum over the
        # modes is one matrix product.
        factors = [
            np.exp(1j * wave[:, None] * axis.ravel())
            for wave, axis in zip(self.waves.T, axes, strict=True)
        ]
        left = amplitudes[:, None] * factors[0]
        for factor in factors[1:-1]:
            left = (left[:, :, None] * factor[:, None, :]).reshape(len(left), -1)
        values = (left.T @ factors[-1]).real
        return values.reshape([axis.size for axis in axes])
