"""`Normalization`: one offset and one scale for a whole data set.

Never for a patch: scaling each patch by its own content would break the linearity of
the blur, and tiles would disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.data.regions import (
    check_channels,
    check_finite,
    check_readable,
    read_region,
)
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.interruption import heed_stop

__all__ = ["Normalization", "random_blocks", "robust_normalization"]

Values = TypeVar("Values", NDArray[Any], Tensor)
BLOCK = (8, 128, 128)
MAX_SAMPLES = 2**22
MAX_BLOCKS = 2**16


@dataclass(frozen=True)
class Normalization:
    """Maps grey levels to network units and back: (image - offset) / scale.

    Parameters
    ----------
    offset : float
        Grey level that becomes 0: the background.
    scale : float
        Grey levels that become 1; positive.

    Raises
    ------
    DataError
        If offset or scale are not finite, or the scale is not positive.
    """

    offset: float
    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset) and 0 < self.scale < math.inf):
            raise DataError(
                f"a normalisation needs a finite offset and a positive scale, "
                f"not {self.offset} and {self.scale}"
            )

    def apply(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Return `image` of any real dtype in network units, as float32."""
        units = np.subtract(image, self.offset, dtype=np.float32)
        units /= np.float32(self.scale)
        return units

    def undo(self, image: Values) -> Values:
        """Return an array or tensor in network units as grey levels."""
        return image * self.scale + self.offset

    def to_dict(self) -> dict[str, float]:
        """Return a dict for `from_dict`, suitable for JSON."""
        return {"offset": self.offset, "scale": self.scale}

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> Self:
        """Return the normalisation written by `to_dict`.

        Raises
        ------
        DataError
            If the values are missing, not numbers or out of range.
        """
        try:
            return cls(float(values["offset"]), float(values["scale"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"a normalisation has an offset and a scale, found {values!r}"
            ) from error


def robust_normalization(
    stacks: Sequence[Stack],
    channels: Sequence[int] | None = None,
    low: float = 1.0,
    high: float = 99.9,
    max_samples: int = MAX_SAMPLES,
    seed: int = 0,
) -> Normalization:
    """Map the percentiles `low` and `high` of a whole data set to 0 and 1.

    Small data are read completely and the percentiles are exact. From larger data,
    random blocks are read, one at a time, until `max_samples` voxels are reached; every
    block of every stack and time point is equally likely.

    Parameters
    ----------
    stacks : sequence of Stack
        The data set; it may be larger than the memory.
    channels : sequence of int, optional
        Channels to look at, all by default; they share one normalisation.
    low, high : float
        Percentiles, 0 <= low < high <= 100. If nearly all voxels are equal, as in
        an image of few beads, the brightest voxel takes the place of `high`.
    max_samples : int
        Voxels that are held in memory at most, save for the last block.
    seed : int
        Same seed, same blocks.

    Raises
    ------
    DataError
        If there are no data, or they are constant, NaN, infinite or not real.
    """
    if not 0 <= low < high <= 100:
        raise DataError(
            f"percentiles {low} and {high} should be 0 <= low < high <= 100"
        )
    if not stacks:
        raise DataError("no images were given, expected at least one")
    for stack in stacks:
        check_readable(stack)
    values = _sample(stacks, channels, max_samples, np.random.default_rng(seed))
    bottom, top = (float(v) for v in np.percentile(values, [low, high]))
    if top <= bottom:
        top = float(values.max())
    if top <= bottom:
        raise DataError(
            f"{_names(stacks)}: all sampled voxels are {bottom:g}, expected an "
            f"image; check that the right channel and file were chosen"
        )
    return Normalization(bottom, top - bottom)


def _sample(
    stacks: Sequence[Stack],
    channels: Sequence[int] | None,
    max_samples: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    samples: list[NDArray[np.float32]] = []
    count = 0
    for stack, time, start, shape in random_blocks(stacks, rng):
        heed_stop()
        chosen = check_channels(stack, channels)
        region = read_region(stack, time, start, shape, chosen)
        with np.errstate(over="ignore"):
            values = region.astype(np.float32)
        check_finite(values, stack, time, start)
        samples.append(values.ravel())
        count += region.size
        if count >= max_samples:
            break
    return np.concatenate(samples)


def random_blocks(
    stacks: Sequence[Stack], rng: np.random.Generator
) -> Iterator[tuple[Stack, int, tuple[int, ...], tuple[int, ...]]]:
    """Yield stack, time, corner and shape of different blocks, at most `MAX_BLOCKS`."""
    grids = [_grid(stack) for stack in stacks]
    ends = np.cumsum([math.prod(grid) for grid in grids])
    chosen = rng.choice(ends[-1], min(ends[-1], MAX_BLOCKS), replace=False)
    for number in chosen:
        index = int(np.searchsorted(ends, number, side="right"))
        stack, grid = stacks[index], grids[index]
        within = int(number - ends[index]) + math.prod(grid)
        time, *cell = (int(n) for n in np.unravel_index(within, grid))
        block = BLOCK[-len(cell) :]
        start = tuple(c * b for c, b in zip(cell, block, strict=True))
        ends_at = zip(block, stack.spatial_shape, start, strict=True)
        yield stack, time, start, tuple(min(b, n - s) for b, n, s in ends_at)


def _grid(stack: Stack) -> tuple[int, ...]:
    """Return the number of blocks along time and the spatial axes."""
    sizes = stack.spatial_shape
    blocks = zip(sizes, BLOCK[-len(sizes) :], strict=True)
    return (stack.size("T"), *(-(-n // b) for n, b in blocks))


def _names(stacks: Sequence[Stack]) -> str:
    names = [stack.name for stack in stacks[:3]]
    more = len(stacks) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
