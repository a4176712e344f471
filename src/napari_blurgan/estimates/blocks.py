"""Blocks of the two domains with their Richardson-Lucy estimates, kept up to date.

A refining generator needs the Richardson-Lucy estimate of every patch it is given.
Computed for each patch, estimates would take longer than the network and be wrong at
the borders. Computed for whole blocks, now and then, they cost little and equal those
used in restoring. So each block of y is kept with its estimate, and each block of x
with a simulated measurement, including noise, and its estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.regions import check_finite, read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FreeKernel, widened
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = [
    "BLOCK",
    "Blocks",
    "Enrich",
    "Measured",
    "Simulated",
    "block_shape",
    "blocks_of",
]

BLOCK = {3: (64, 256, 256), 2: (512, 512)}
"""Largest block of volumes and of planes; a domain may be larger than memory."""

MOST_BLOCKS = 24
"""Blocks of one domain that are kept in memory."""

TYPICAL = 48 * 96 * 96
"""Voxels of a block that is made anew whenever its turn comes; larger ones wait longer.
So estimates take the same share of the time, and each voxel is seen as often."""

SAME = 1e-3
"""Relative change of the peak of a kernel below which an estimate is not recomputed."""

Block = NDArray[np.float32]


class Enrich(Protocol):
    """Computes further channels of a block with a blur."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, as in `Draw`; the block comes first."""

    @property
    def random(self) -> bool:
        """Whether the result is random for the same block and blur."""

    def __call__(self, block: Tensor, blur: BlurKernel) -> Tensor:
        """Map (1, 1, [z,] y, x) to one channel per name."""


@dataclass(frozen=True)
class Measured:
    """y and its estimate."""

    estimator: Estimator
    random: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The measurement and its estimates."""
        return ("y",) + ("estimate",) * self.estimator.depths

    def __call__(self, block: Tensor, blur: BlurKernel) -> Tensor:
        """Return y, RL(y)."""
        return torch.cat([block, self.estimator(block, blur)], 1)


@dataclass(frozen=True)
class Simulated:
    """x, a measurement of it, and the estimate from that.

    What lies beyond the block is not known: each time it is taken to be dark, as around
    a specimen that ends within the stack, or the mirror image of the block.

    Parameters
    ----------
    estimator, noise
        What makes the estimate, and what was measured in y.
    widen : float
        Share by which the blur of the measurement is wider than that which the
        estimate undoes, at the most; drawn anew for every block.
    """

    estimator: Estimator
    noise: NoiseModel
    widen: float = 0.0
    random: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The sharp image, its measurement, and the estimates from that."""
        return ("x", "simulated") + ("simulated_estimate",) * self.estimator.depths

    def __call__(self, block: Tensor, blur: BlurKernel) -> Tensor:
        """Return x, y = Hx + noise, RL(y)."""
        wider = _widened(blur, self.widen) if self.widen else blur
        y = self.noise.add(wider(block, _beyond()))
        return torch.cat([block, y, self.estimator(y, blur)], 1)


class Blocks:
    """The blocks of one domain, in memory, with their additional channels.

    Parameters
    ----------
    stacks : sequence of Stack
        One channel each, in raw intensities.
    normalization : Normalization
        Applied once, when a block is read.
    dims : int
        3, or 2 to take every plane for an image.
    enrich : Enrich
        What makes the further channels.

    Attributes
    ----------
    stacks : list of Stack
        The blocks, (c, [z,] y, x) in normalised intensities; a block that is renewed
        is another Stack.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        normalization: Normalization,
        dims: int,
        enrich: Enrich,
    ) -> None:
        self.enrich = enrich
        self.stacks = [
            replace(
                stack,
                data=_padded(normalization.apply(block), len(enrich.names)),
                axes="C" + stack.spatial_axes[-dims:],
                channel_names=(),
                metadata={
                    "corner": corner,
                    "image": _number_of(stack, stacks),
                    "time_point": time,
                },
            )
            for stack, time, corner, block in blocks_of(stacks, dims)
        ]
        self._made: list[tuple[Tensor, Tensor] | None] = [None] * len(self.stacks)
        self._next = self._waited = 0

    def images(self, name: str) -> list[Block]:
        """Return one channel of every block, ([z,] y, x)."""
        channel = self.enrich.names.index(name)
        return [np.asarray(stack.data)[channel] for stack in self.stacks]

    def renew_in_time(self, blur: BlurKernel) -> None:
        """Update the next block in turn, unless its interval has not yet passed."""
        self._waited += 1
        if self._waited * TYPICAL >= np.asarray(self.stacks[self._next].data)[0].size:
            self._waited = 0
            self.renew_next(blur)

    def renew_next(self, blur: BlurKernel) -> None:
        """Update the next block in turn."""
        kernel, random_state = (
            blur.kernel().detach().cpu().clone(),
            torch.get_rng_state(),
        )
        if self.enrich.random or not _same(self._made[self._next], kernel):
            self._made[self._next] = (kernel, random_state)
            self._make(self._next, blur)
        self._next = (self._next + 1) % len(self.stacks)

    def _make(self, number: int, blur: BlurKernel) -> None:
        stack = self.stacks[number]
        block = torch.from_numpy(np.asarray(stack.data)[None, :1]).to(blur.gain.device)
        with torch.no_grad():
            made = self.enrich(block, blur)[0].cpu().numpy()
        self.stacks[number] = stack.with_data(made)

    def state_dict(self) -> dict[str, Any]:
        """Return the kernel and the random state used for each block."""
        made = [list(made) for made in self._made if made]
        return {"made": made, "next": self._next, "waited": self._waited}

    def load_state_dict(self, state: dict[str, Any], blur: BlurKernel) -> None:
        """Compute every block again as it was when `state_dict` was called."""
        outside = torch.get_rng_state()
        for number, (kernel, random_state) in enumerate(state["made"]):
            # A free kernel keeps every bit; a fixed one is scaled to sum to one again.
            then = BlurKernel(FreeKernel(kernel.numpy()), float(blur.gain), blur.dims)
            torch.set_rng_state(random_state)
            self._made[number] = (kernel, random_state)
            self._make(number, then.to(blur.gain.device))
        self._next, self._waited = state["next"], state.get("waited", 0)
        torch.set_rng_state(outside)


def blocks_of(
    stacks: Sequence[Stack],
    dims: int,
    most: int = MOST_BLOCKS,
    time: int | None = None,
) -> Iterator[tuple[Stack, int, tuple[int, ...], Block]]:
    """Read blocks spread evenly over a domain.

    Parameters
    ----------
    stacks : sequence of Stack
        Any number, sizes and time points.
    dims : int
        3, or 2 to take every plane of a volume for an image.
    most : int
        Number of blocks at the most; of larger domains they are a sample.
    time : int, optional
        The only time point to read; all by default.

    Yields
    ------
    stack : Stack
        Where the block is from.
    time : int
        Its time point.
    corner : tuple of int
        Its first voxel there.
    block : ndarray
        (c, [z,] y, x) in the dtype of the data.
    """
    every = (place for stack in stacks for place in _places(stack, dims))
    places = [place for place in every if time in (None, place[1])]
    for n in np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round()):
        stack, at, corner, size = places[int(n)]
        block = read_region(stack, at, corner, size, range(stack.channels))
        check_finite(block, stack, at, corner)
        yield stack, at, corner[-dims:], block.reshape(len(block), *size[-dims:])


def block_shape(stack: Stack, dims: int) -> tuple[int, ...]:
    """Return the ([z,] y, x) of the few equal blocks into which a stack is divided."""
    shape = stack.spatial_shape[-dims:]
    pairs = zip(shape, _counts(shape, BLOCK[dims]), strict=True)
    return tuple(n // count for n, count in pairs)


def _counts(shape: Sequence[int], limits: Sequence[int]) -> list[int]:
    return [-(-n // limit) for n, limit in zip(shape, limits, strict=True)]


Place = tuple[Stack, int, tuple[int, ...], tuple[int, ...]]


def _places(stack: Stack, dims: int) -> Iterator[Place]:
    """Divide every time point into as few blocks of equal size as memory allows."""
    sizes = stack.spatial_shape
    alone = (1,) * (len(sizes) - dims)
    counts = _counts(sizes, alone + BLOCK[dims])
    size = alone + block_shape(stack, dims)
    for time in range(stack.size("T")):
        for index in np.ndindex(*counts):
            corner = tuple(i * s for i, s in zip(index, size, strict=True))
            yield stack, time, corner, size


def _number_of(stack: Stack, stacks: Sequence[Stack]) -> int:
    return next(n for n, other in enumerate(stacks) if other is stack)


def _beyond() -> Literal["zero", "reflect"]:
    return "zero" if float(torch.rand(())) < 0.5 else "reflect"


def _widened(blur: BlurKernel, most: float) -> BlurKernel:
    """Return a blur widened by a random factor of up to 1 + `most`."""
    return blur.holding(widened(blur.kernel(), 1 + most * float(torch.rand(()))))


def _same(made: tuple[Tensor, Tensor] | None, kernel: Tensor) -> bool:
    """Whether a block was made with (almost) this kernel."""
    if made is None:
        return False
    return float((made[0] - kernel).abs().max()) <= SAME * float(kernel.max())


def _padded(block: Block, channels: int) -> Block:
    data = np.zeros((channels, *block.shape[1:]), np.float32)
    data[0] = block[0]
    return data
