"""Random changes of a patch that leave it a possible image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from napari_blurgan.axes import VoxelSize
from napari_blurgan.errors import RecipeError

__all__ = ["Augmentation", "Transform"]

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Transform:
    """One drawn change; the same one can be applied to both images of a pair.

    Parameters
    ----------
    flips : tuple of bool
        Which of the patch's axes are mirrored.
    quarter_turns : int
        In-plane turns by 90 degrees, counter-clockwise.
    rotation : float
        In-plane angle in degrees.
    scale : float
        Magnification of the content.
    translation : tuple of float
        Shift of the content in voxels.
    intensity : float
        Factor on all values.
    pixel_ratio : float
        Height of a pixel over its width.
    """

    flips: tuple[bool, ...]
    quarter_turns: int = 0
    rotation: float = 0.0
    scale: float = 1.0
    translation: tuple[float, ...] = ()
    intensity: float = 1.0
    pixel_ratio: float = 1.0

    def __call__(
        self, region: Image, start: Sequence[int], shape: Sequence[int]
    ) -> Image:
        """Return the changed patch.

        Parameters
        ----------
        region : ndarray, (c, z, y, x) or (c, y, x)
            The patch and, where there is more, its surroundings.
        start, shape : sequence of int
            Corner and size of the patch inside the region.
        """
        if self.rotation or self.scale != 1 or any(self.translation):
            patch = self._resampled(region, start, shape)
        else:
            box = (slice(s, s + n) for s, n in zip(start, shape, strict=True))
            patch = region[(slice(None), *box)]
        patch = np.rot90(patch, self.quarter_turns, axes=(-2, -1))
        patch = np.flip(
            patch, tuple(n + 1 for n, flip in enumerate(self.flips) if flip)
        )
        return np.ascontiguousarray(patch * np.float32(self.intensity))

    def _resampled(
        self, region: Image, start: Sequence[int], shape: Sequence[int]
    ) -> Image:
        inverse = self._inverse(len(shape))
        middle = (np.array(shape) - 1) / 2
        shift = np.array(self.translation or (0.0,) * len(shape))
        offset = np.array(start) + middle - inverse @ (middle + shift)
        channels = [
            affine_transform(
                channel, inverse, offset, tuple(shape), order=1, mode="mirror"
            )
            for channel in region
        ]
        return np.stack(channels)

    def _inverse(self, dims: int) -> NDArray[np.float64]:
        """Return the matrix from voxels of the result to voxels of the source."""
        angle = math.radians(self.rotation)
        sine, cosine = math.sin(angle), math.cos(angle)
        inverse = np.eye(dims)
        inverse[-2:, -2:] = [
            [cosine, sine / self.pixel_ratio],
            [-sine * self.pixel_ratio, cosine],
        ]
        return inverse / self.scale


@dataclass(frozen=True)
class Augmentation:
    """Possible random changes, and their size.

    Flips and quarter turns are exact. The others interpolate linearly, which smooths
    noise, and a change of scale also changes the blur: they are off by default.

    Parameters
    ----------
    mirrors : str
        The axes that are mirrored, each with a chance of one half; not those along
        which the blur has two different sides (z under spherical aberration).
    quarter_turns : bool
        Turn by 0, 90, 180 or 270 degrees in the plane; by 0 or 180 only if the patch
        or the pixel is not square.
    rotation : float
        Largest in-plane angle in degrees, either way.
    scale : float
        Largest relative change of size, in [0, 1), the same for all axes.
    translation : float
        Largest shift in voxels along each axis, either way.
    intensity : float
        Largest relative change of brightness, in [0, 1).

    Raises
    ------
    RecipeError
        If a range is negative, or scale or intensity reach 1.
    """

    mirrors: str = "zyx"
    quarter_turns: bool = True
    rotation: float = 0.0
    scale: float = 0.0
    translation: float = 0.0
    intensity: float = 0.0

    def __post_init__(self) -> None:
        ranges = (self.rotation, self.scale, self.translation, self.intensity)
        if min(ranges) < 0 or max(self.scale, self.intensity) >= 1:
            raise RecipeError(
                f"augmentation by rotation, scale, translation, intensity {ranges}: "
                f"expected numbers >= 0, scale and intensity < 1"
            )

    def draw(
        self, rng: np.random.Generator, shape: Sequence[int], voxel_size: VoxelSize
    ) -> Transform:
        """Draw a change for a patch of this shape and voxel size."""
        dims = len(shape)
        height, width = (size or 1.0 for size in voxel_size[-2:])
        if None in voxel_size[-2:]:
            height = width = 1.0
        square = shape[-1] == shape[-2] and math.isclose(height, width, rel_tol=1e-3)
        turns = int(rng.integers(4)) // (1 if square else 2) * (1 if square else 2)
        return Transform(
            flips=tuple(
                bool(rng.integers(2)) and axis in self.mirrors for axis in "zyx"[-dims:]
            ),
            quarter_turns=turns if self.quarter_turns else 0,
            rotation=rng.uniform(-self.rotation, self.rotation),
            scale=rng.uniform(1 - self.scale, 1 + self.scale),
            translation=tuple(
                rng.uniform(-self.translation, self.translation, dims).tolist()
            ),
            intensity=rng.uniform(1 - self.intensity, 1 + self.intensity),
            pixel_ratio=height / width,
        )

    def margin(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return how many voxels around a patch the strongest change may need."""
        sine = math.sin(math.radians(min(self.rotation, 90.0)))
        across = {-2: shape[-1] * sine, -1: shape[-2] * sine}
        return tuple(
            math.ceil(
                (size + across.get(axis, 0.0)) / (1 - self.scale) / 2
                - size / 2
                + self.translation / (1 - self.scale)
            )
            for axis, size in zip(range(-len(shape), 0), shape, strict=True)
        )
