"""`PatchSampler`: random patches from any number of stacks, read lazily."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.axes import ArrayLike
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.regions import (
    check_channels,
    check_finite,
    check_readable,
    read_region,
)
from napari_blurgan.data.stack import Stack
from napari_blurgan.data.view import AxisView
from napari_blurgan.errors import DataError
from napari_blurgan.sampling.augment import Augmentation, Transform

__all__ = ["ImageSampler", "PatchSampler", "Place", "check_disjoint", "sampler_of"]

PROBES = 64
TRIES = 32
SEARCH: Any = 1_000_000
"""The most steps in which a voxel is sought that two arrays share."""


@dataclass(frozen=True)
class Place:
    """Position and augmentation of a patch, so that its partner can follow."""

    stack: int
    time: int
    corner: tuple[int, ...]
    transform: Transform


class PatchSampler:
    """Draws patches from a data set; only the voxels of the patch are read.

    Every voxel of the data set is about equally likely, so that large stacks give
    more patches than small ones. Two-dimensional patches can be drawn from volumes:
    every plane is then an image.

    Parameters
    ----------
    stacks : sequence of Stack
        The data set: any number, sizes and time points; lazy arrays stay lazy.
    patch : sequence of int
        (z, y, x) or (y, x) of a patch, in voxels.
    normalization : Normalization
        Applied to every patch.
    rng : numpy.random.Generator
        The only source of chance; PCG64, as ``numpy.random.default_rng`` gives it.
    channels : sequence of int, optional
        Channels to read, all by default; every stack must give as many.
    foreground : float
        Share of the patches that must show structure: those whose standard deviation
        exceeds the threshold of Otsu (1979) over 64 random patches. 0 draws
        uniformly, 1 passes over every patch of background.
    reflect : bool
        Whether an axis shorter than the patch is continued by reflection, as Lim et
        al. (2020) did with 30 planes; an error otherwise.
    augmentation : Augmentation, optional
        Random changes of the patches; none by default.

    Raises
    ------
    DataError
        If there are no stacks, or one does not fit the patch or the others.
    AxesError
        If a stack lacks a channel.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        patch: Sequence[int],
        *,
        normalization: Normalization,
        rng: np.random.Generator,
        channels: Sequence[int] | None = None,
        foreground: float = 0.0,
        reflect: bool = False,
        augmentation: Augmentation | None = None,
    ) -> None:
        if not stacks:
            raise DataError("no images to draw patches from, expected at least one")
        self.stacks = tuple(stacks)
        self.patch = tuple(patch)
        self.normalization = normalization
        self.rng = rng
        self.channels = [check_channels(stack, channels) for stack in stacks]
        self.foreground = foreground
        self.augmentation = augmentation or Augmentation(
            mirrors="", quarter_turns=False
        )
        for stack in stacks:
            _check_fits(stack, self.patch, reflect)
        _check_same_channels(self.stacks, self.channels)
        voxels = [math.prod(s.spatial_shape) * s.size("T") for s in stacks]
        self._chances = np.array(voxels) / sum(voxels)
        self._structured = self._structure_threshold() if foreground > 0 else 0.0

    def draw(self) -> Tensor:
        """Return a random patch, (c, z, y, x) or (c, y, x), float32.

        Raises
        ------
        DataError
            If the patch holds NaN or infinity.
        """
        return self.draw_with_place()[1]

    def draw_with_place(self) -> tuple[Place, Tensor]:
        """Return a random patch and where it came from."""
        place = self._place()
        if self.foreground > 0 and self.rng.random() < self.foreground:
            place = self._structured_place(place)
        return place, self.read(place)

    def read(self, place: Place) -> Tensor:
        """Return the patch at a position, with its augmentation.

        For pairs: ``place, y = blurred.draw_with_place(); x = sharp.read(place)``.

        Raises
        ------
        DataError
            If the place lies outside the data, or holds NaN or infinity.
        """
        self._check_place(place)
        shape = self._drawn(self.stacks[place.stack])
        region, start = self._read(place, self.augmentation.margin(shape))
        return torch.from_numpy(place.transform(region, start, shape))

    def state(self) -> dict[str, Any]:
        """Return the state of the random numbers, for JSON; see `set_state`."""
        return {
            "rng": self.rng.bit_generator.state,
            "structured": self._structured,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state in `state`."""
        self.rng.bit_generator.state = state["rng"]
        self._structured = float(state["structured"])

    def _place(self) -> Place:
        number = int(self.rng.choice(len(self.stacks), p=self._chances))
        stack = self.stacks[number]
        sizes = zip(stack.spatial_shape, self._box(stack), strict=True)
        return Place(
            stack=number,
            time=int(self.rng.integers(stack.size("T"))),
            corner=tuple(int(self.rng.integers(max(n - p, 0) + 1)) for n, p in sizes),
            transform=self.augmentation.draw(
                self.rng, self._drawn(stack), stack.voxel_size
            ),
        )

    def _structured_place(self, place: Place) -> Place:
        """Return the first of some places that shows structure, else the best."""
        best, most = place, self._structure(place)
        for _ in range(TRIES - 1):
            if most >= self._structured:
                break
            place = self._place()
            structure = self._structure(place)
            if structure > most:
                best, most = place, structure
        return best

    def _structure(self, place: Place) -> float:
        region, _ = self._read(place, (0,) * len(self.patch))
        return float(region.std())

    def _structure_threshold(self) -> float:
        return _otsu(np.array([self._structure(self._place()) for _ in range(PROBES)]))

    def _check_place(self, place: Place) -> None:
        if place.stack >= len(self.stacks):
            raise DataError(
                f"there is no image {place.stack + 1} to pair with its partner, the "
                f"domain has {len(self.stacks)}; pairs need as many images in both"
            )
        stack = self.stacks[place.stack]
        sizes = zip(stack.spatial_shape, place.corner, self._box(stack), strict=True)
        if place.time >= stack.size("T") or any(c > max(n - p, 0) for n, c, p in sizes):
            raise DataError(
                f"{stack.name}: the patch at {place.corner}, t = {place.time} of its "
                f"partner lies outside its {stack.spatial_shape} voxels and "
                f"{stack.size('T')} time points; pairs need equal sizes"
            )

    def _box(self, stack: Stack) -> tuple[int, ...]:
        """Return the patch along the axes of `stack`: one plane of a volume."""
        shape = self._drawn(stack)
        return (1,) * (len(stack.spatial_shape) - len(shape)) + shape

    def _drawn(self, stack: Stack) -> tuple[int, ...]:
        """Return the size of what is drawn from `stack`."""
        return self.patch

    def _read(
        self, place: Place, margin: tuple[int, ...]
    ) -> tuple[NDArray[np.float32], tuple[int, ...]]:
        """Return the patch with at most `margin` around it, and its corner therein."""
        stack = self.stacks[place.stack]
        box = self._box(stack)
        margin = (0,) * (len(box) - len(margin)) + margin
        sizes = stack.spatial_shape
        corner = place.corner
        first = [max(c - m, 0) for c, m in zip(corner, margin, strict=True)]
        last = [
            min(c + p + m, n)
            for c, p, m, n in zip(corner, box, margin, sizes, strict=True)
        ]
        shape = [b - a for a, b in zip(first, last, strict=True)]
        channels = self.channels[place.stack]
        region = read_region(stack, place.time, first, shape, channels)
        check_finite(region, stack, place.time, first)
        missing = [max(p - n, 0) for p, n in zip(box, sizes, strict=True)]
        padding = [(0, 0)] + [(m // 2, m - m // 2) for m in missing]
        region = np.pad(self.normalization.apply(region), padding, mode="reflect")
        skip = len(box) - len(self.patch)
        start = [c - f for c, f in zip(corner, first, strict=True)]
        if skip:
            region = region[:, 0]
        return region, tuple(start[skip:])


class ImageSampler(PatchSampler):
    """Draws whole images, or planes of volumes, whatever their size.

    `patch` is the smallest size that is expected.
    """

    def _drawn(self, stack: Stack) -> tuple[int, ...]:
        return stack.spatial_shape[-len(self.patch) :]


def sampler_of(whole: bool) -> type[PatchSampler]:
    """Return what draws whole images, or patches."""
    return ImageSampler if whole else PatchSampler


def check_disjoint(one: Sequence[Stack], other: Sequence[Stack]) -> None:
    """Check that no image is in both domains.

    Otherwise a network could learn the pairs, which unpaired training must do without.

    Raises
    ------
    DataError
        If two stacks are the same array or file, or share memory.
    """
    for stack in one:
        for twin in other:
            if _same(stack.data, twin.data):
                raise DataError(
                    f"{stack.name} and {twin.name} are the same image, once in each "
                    f"domain; an image may be in only one of the two"
                )


def _same(one: ArrayLike, other: ArrayLike) -> bool:
    if isinstance(one, AxisView) and isinstance(other, AxisView):
        alike = (one.axis, one.index) == (other.axis, other.index)
        return alike and _same(one.array, other.array)
    if one is other or _overlap(one, other):
        return True
    return _origin(one) is not None and _origin(one) == _origin(other)


def _overlap(one: ArrayLike, other: ArrayLike) -> bool:
    """Return whether arrays in memory share voxels; interleaved channels do not."""
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return False
    if not np.may_share_memory(one, other):
        return False
    try:
        return np.shares_memory(one, other, max_work=SEARCH)
    except np.exceptions.TooHardError:
        return True


def _origin(data: ArrayLike) -> str | None:
    """Return the identity of the source of a lazy array, if it has one."""
    # zarr (whose `path` is relative), memory-mapped files, our own TIFFs; the names
    # of dask's arrays identify them, those of others (HDF5) need not.
    names = ["origin", "store_path", "filename", "path"]
    names += ["name"] if hasattr(data, "__dask_graph__") else []
    origins = (getattr(data, name, None) for name in names)
    return next((str(origin) for origin in origins if origin), None)


def _check_fits(stack: Stack, patch: tuple[int, ...], reflect: bool) -> None:
    check_readable(stack)
    sizes = stack.spatial_shape
    if len(patch) > len(sizes):
        raise DataError(
            f"{stack.name}: is a plane of {sizes}, but patches are volumes of {patch}; "
            f"train with dims 2, or give volumes"
        )
    sizes = sizes[-len(patch) :]
    if not reflect and any(n < p for n, p in zip(sizes, patch, strict=True)):
        raise DataError(
            f"{stack.name}: has {sizes} voxels, patches of {patch} do not fit; take "
            f"smaller patches, leave the image out, or allow reflection"
        )


def _check_same_channels(
    stacks: Sequence[Stack], channels: Sequence[tuple[int, ...]]
) -> None:
    for stack, chosen in zip(stacks, channels, strict=True):
        if len(chosen) != len(channels[0]):
            raise DataError(
                f"{stack.name} has {len(chosen)} channels and {stacks[0].name} "
                f"{len(channels[0])}; choose the channels to train on"
            )


def _otsu(values: NDArray[np.float64]) -> float:
    """Return the lowest value of the upper of Otsu's two classes."""
    ordered = np.sort(values)
    n = np.arange(1, len(ordered))
    means = np.cumsum(ordered)[:-1] / n
    upper = (ordered.sum() - n * means) / (len(ordered) - n)
    between = n * (len(ordered) - n) * (upper - means) ** 2
    return float(ordered[1 + int(between.argmax())])
