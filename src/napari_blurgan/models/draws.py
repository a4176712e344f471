"""Many restorations of one image, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_blurgan.errors import DataError
from napari_blurgan.methods.parts import DISTRIBUTION
from napari_blurgan.models.model import Model
from napari_blurgan.networks.layers import part_of
from napari_blurgan.reconstructors.variational import Variational
from napari_blurgan.tiling.operator import Operator, computed

__all__ = ["OUTPUTS", "Draws", "DrawsOperator", "check_draws", "mode_of"]

SAMPLES = 100
"""Draws, unless their number is asked for."""

MOST_SAMPLES = 10_000

OUTPUTS = ("mean", "sd", "mode", "samples")
"""Mean of all draws; their standard deviation; the most probable image; each draw."""

BANDWIDTH = 0.5
"""Of the mean shift, in standard deviations of the draws."""

SHIFTS = 10
RADIUS = 1
"""Voxels around each that are compared with it."""

REACH = (SHIFTS + 1) * RADIUS


@dataclass(frozen=True)
class Draws:
    """What is asked for of a distribution of images.

    Parameters
    ----------
    samples : int
        Number of draws, at least 2.
    outputs : tuple of str
        Of `OUTPUTS`; they are channels of the result, in this order.

    Raises
    ------
    DataError
        If there is no such output, or the number makes no sense.
    """

    samples: int = SAMPLES
    outputs: tuple[str, ...] = ("mean",)

    def __post_init__(self) -> None:
        wrong = [name for name in self.outputs if name not in OUTPUTS]
        if wrong or not self.outputs:
            found = repr(wrong[0]) if wrong else "none"
            raise DataError(f"outputs are {', '.join(OUTPUTS)}, found {found:.100}")
        if len(set(self.outputs)) < len(self.outputs):
            raise DataError("an output is asked for twice")
        if not 2 <= self.samples <= MOST_SAMPLES:
            raise DataError(f"samples: {self.samples} is not 2 to {MOST_SAMPLES}")

    @property
    def kept(self) -> bool:
        """Whether all draws are needed at once."""
        return not {"mode", "samples"}.isdisjoint(self.outputs)

    @property
    def names(self) -> tuple[str, ...]:
        """What the images are called, in their order."""
        numbered = [f"sample {n + 1}" for n in range(self.samples)]
        parts = [numbered if o == "samples" else [o] for o in self.outputs]
        return tuple(name for part in parts for name in part)


def check_draws(
    model: Model, samples: int | None, outputs: Sequence[str] | None
) -> Draws | None:
    """Return what is asked for of a distribution, or None for one image.

    Raises
    ------
    DataError
        If the model gives one answer only, or the request makes no sense.
    """
    if samples is None and outputs is None:
        return None
    if DISTRIBUTION not in model.recipe.offers:
        raise DataError(
            f"this model ({model.recipe.name}) has one answer: samples and outputs are "
            f"for those that draw from a distribution, as divnoising does"
        )
    asked = {"samples": samples, "outputs": None if outputs is None else tuple(outputs)}
    return Draws(**{k: v for k, v in asked.items() if v is not None})  # type: ignore[arg-type]


class DrawsOperator:
    """Restores an image many times, and returns what is asked for.

    Parameters
    ----------
    generator : Variational
        Draws from a distribution.
    draws : Draws
        What is asked for.
    operator_of : callable
        Returns what restores with a generator, in grey levels.
    """

    reflected = True
    colour = False

    def __init__(
        self,
        generator: Variational,
        draws: Draws,
        operator_of: Callable[[Variational], Operator],
    ) -> None:
        self.draws = draws
        self._generator, self._operator_of = generator, operator_of
        self._first = self._draw(0)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the results, where each has one channel."""
        return self.draws.names

    @property
    def rehearsal(self) -> DrawsOperator:
        """An operator that takes as much memory, in less time."""
        if self.draws.kept:
            return self
        few = Draws(2, self.draws.outputs)
        return DrawsOperator(self._generator, few, self._operator_of)

    @property
    def halo(self) -> tuple[int, ...]:
        """Halo of a single draw, and the neighbours that a mode is found with."""
        more = REACH if "mode" in self.draws.outputs else 0
        return tuple(halo + more for halo in self._first.halo)

    @property
    def stride(self) -> tuple[int, ...]:
        """Stride of a single draw."""
        return self._first.stride

    @property
    def device(self) -> torch.device:
        """Device of a single draw."""
        return self._first.device

    def channels_out(self, channels_in: int) -> int:
        """Return the channels of all results."""
        return len(self.draws.names) * self._first.channels_out(channels_in)

    def __call__(self, image: Tensor) -> Tensor:
        """Map grey levels to the results, one after the other along the channels."""
        whole = tuple(slice(0, n) for n in image.shape[2:])
        return self.part(image, whole)

    def part(self, image: Tensor, region: Sequence[slice]) -> Tensor:
        """Return a part of the result."""
        if self.draws.kept:
            return self._of_all(image, region)
        mean, square = _running(self._drawn(image, region))
        found = {"mean": mean, "sd": (square / (self.draws.samples - 1)).sqrt()}
        return torch.cat([found[name] for name in self.draws.outputs], 1)

    def _draw(self, number: int) -> Operator:
        return self._operator_of(self._generator.drawing(number))

    def _drawn(self, image: Tensor, region: Sequence[slice]) -> Iterator[Tensor]:
        for number in range(self.draws.samples):
            yield computed(self._draw(number), image, region)

    def _of_all(self, image: Tensor, region: Sequence[slice]) -> Tensor:
        wide = (
            _widened(region, image.shape[2:])
            if "mode" in self.draws.outputs
            else (tuple(region))
        )
        inside = tuple(
            slice(r.start - w.start, r.stop - w.start)
            for r, w in zip(region, wide, strict=True)
        )
        every = torch.stack(list(self._drawn(image, wide)))
        made = {
            "mean": lambda: every.mean(0),
            "sd": lambda: every.std(0),
            "mode": lambda: mode_of(every),
            "samples": lambda: every.transpose(0, 1).flatten(1, 2),
        }
        found = torch.cat([made[name]() for name in self.draws.outputs], 1)
        return part_of(found, inside)


def _running(images: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean, and the sum of the squared differences from it."""
    mean = next(images).clone()
    square = torch.zeros_like(mean)
    for count, image in enumerate(images, start=2):
        step = image - mean
        mean += step / count
        square += step * (image - mean)
    return mean, square


def mode_of(samples: Tensor) -> Tensor:
    """Return the most probable image, found by a mean shift from the mean.

    In each step, each voxel becomes the mean of its samples, weighted by how near they
    are to the last image in the voxels around (Comaniciu and Meer 2002; as in
    DivNoising, in small parts of the image).

    Parameters
    ----------
    samples : Tensor
        (samples, n, c, [z,] y, x).
    """
    found = samples.mean(0)
    spread = _around((samples - found).square().mean(0)) * BANDWIDTH**2
    spread = spread.clamp(min=torch.finfo(spread.dtype).tiny)
    for _ in range(SHIFTS):
        far = torch.stack([_around((one - found).square()) for one in samples])
        weights = torch.softmax(-far / (2 * spread), 0)
        found = (weights * samples).sum(0)
    return found


def _around(image: Tensor) -> Tensor:
    """Return the mean over the next neighbours, within the image."""
    pool = F.avg_pool2d if image.dim() == 4 else F.avg_pool3d
    return pool(image, 2 * RADIUS + 1, 1, RADIUS, count_include_pad=False)


def _widened(region: Sequence[slice], sizes: Sequence[int]) -> tuple[slice, ...]:
    return tuple(
        slice(max(r.start - REACH, 0), min(r.stop + REACH, size))
        for r, size in zip(region, sizes, strict=True)
    )
