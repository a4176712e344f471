"""Noise of any shape, measured from repeated frames: a mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.data.normalize import Normalization, random_blocks
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.interruption import heed_stop
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["LEAST_FRAMES", "NoiseMixture", "noise_of_frames"]

LEAST_FRAMES = 8
"""Of which the mean is near enough to the signal."""
FRAMES = 64
"""At most so many of a block are read."""
PAIRS = 2**15
"""Pixels that the mixture is fitted to."""
COMPONENTS = 3
STEPS, RATE = 300, 0.05
SMALLEST_WIDTH = 0.05
"""Of a component, in deviations of the straight line."""
DARKEST = 0.5
"""Photons below which the variance no longer falls with the signal."""


class NoiseMixture(nn.Module):
    """p(y | signal): a mixture of Gaussians that changes with the signal.

    As in probabilistic Noise2Void and DivNoising (Prakash et al. 2020, 2021), with the
    deviation of the straight line as the unit: weights, offsets and widths are straight
    lines over the signal. The mean over the components is the signal.

    Parameters
    ----------
    line : NoiseModel
        Variance over the signal, as a first approximation.
    """

    def __init__(self, line: NoiseModel) -> None:
        super().__init__()
        self.line = line
        start = torch.linspace(-1, 1, COMPONENTS)
        flat = torch.zeros(COMPONENTS)
        self.weights = nn.Parameter(torch.stack([-start.square(), flat]))
        self.offsets = nn.Parameter(torch.stack([0.5 * start, flat]))
        self.widths = nn.Parameter(torch.stack([flat + 0.5, flat]))

    def forward(self, signal: Tensor, y: Tensor) -> Tensor:
        """Return -log p(y | signal) of each pixel, in nats, less log(2 pi) / 2."""
        light = signal.clamp(min=DARKEST * self.line.slope)
        deviation = (self.line.slope * light + self.line.intercept).sqrt()
        unit = ((y - signal) / deviation)[..., None]
        shares = torch.log_softmax(_over(self.weights, signal), -1)
        offsets = _over(self.offsets, signal)
        offsets = offsets - (shares.exp() * offsets).sum(-1, keepdim=True)
        widths = F.softplus(_over(self.widths, signal)) + SMALLEST_WIDTH
        terms = shares - widths.log() - ((unit - offsets) / widths).square() / 2
        return deviation.log() - torch.logsumexp(terms, -1)

    def fit(self, signal: Tensor, y: Tensor) -> None:
        """Make pairs of signal and measurement as likely as possible."""
        optimiser = torch.optim.Adam(self.parameters(), RATE)
        for step in range(STEPS):
            heed_stop()
            for group in optimiser.param_groups:
                group["lr"] = RATE * (1 - step / STEPS)
            optimiser.zero_grad()
            self(signal, y).mean().backward()
            optimiser.step()
        self.requires_grad_(False)


def _over(line: Tensor, signal: Tensor) -> Tensor:
    """Return straight lines at a signal, one component after the other."""
    return line[0] + line[1] * signal.clamp(0, 1)[..., None]


def noise_of_frames(
    stacks: Sequence[Stack], levels: Normalization, line: NoiseModel
) -> NoiseMixture:
    """Return the noise of stacks whose time points show one unchanging field.

    Parameters
    ----------
    stacks : sequence of Stack
        Of at least `LEAST_FRAMES` time points each.
    levels : Normalization
        Of the images.
    line : NoiseModel
        As estimated of single images, normalised.

    Raises
    ------
    DataError
        If a stack has too few frames.
    """
    for stack in stacks:
        if stack.size("T") < LEAST_FRAMES:
            raise DataError(
                f"{stack.name}: has {stack.size('T')} time points; the noise of frames "
                f"is measured from {LEAST_FRAMES} or more of one unchanging field"
            )
    pairs = list(_pairs(stacks, levels))
    signal, y = (np.concatenate(values) for values in zip(*pairs, strict=True))
    chosen = np.random.default_rng(0).permutation(len(y))[:PAIRS]
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        found = NoiseMixture(line)
        found.fit(*(torch.from_numpy(values[chosen]) for values in (signal, y)))
    return found


Values = NDArray[np.float32]


def _pairs(
    stacks: Sequence[Stack], levels: Normalization
) -> Iterator[tuple[Values, Values]]:
    """Yield the mean over the frames of a block, and single frames of it."""
    count = 0
    for stack, _, start, shape in random_blocks(stacks, np.random.default_rng(0)):
        heed_stop()
        times = np.linspace(0, stack.size("T") - 1, min(stack.size("T"), FRAMES))
        read = [
            read_region(stack, int(time), start, shape, range(stack.channels))
            for time in times
        ]
        frames = np.stack([levels.apply(region) for region in read])
        mean = frames.mean(0)
        # A frame is part of the mean: it is nearer to it than to the signal.
        away = (frames - mean) * np.sqrt(len(read) / (len(read) - 1), dtype=np.float32)
        yield np.broadcast_to(mean, frames.shape).ravel(), (mean + away).ravel()
        count += frames.size
        if count >= 4 * PAIRS:
            return
