"""The saliency thresholds of a recipe, checked against the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.content.threshold import Threshold
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.preparation.notes import Note
from napari_blurgan.sampling.patches import PatchSampler

__all__ = ["check_thresholds", "thresholds_of"]

PATCHES = 32
"""Number of patches that are examined."""

CROWDED = 0.6
"""Share of content above which the sign of the background is questioned."""


def thresholds_of(
    recipe: Recipe, calibration: Calibration
) -> tuple[Threshold, Threshold] | None:
    """Return T_alpha and T_beta on normalised intensities, if there are any."""
    s = recipe.saliency
    if s is None or s.alpha is None or s.beta is None:
        return None
    # The paper's intensities span [-1, 1], ours [0, 1].
    slope = 2 * s.slope
    return (
        Threshold(_level(calibration.y, s.alpha), slope, s.bright_background_a),
        Threshold(_level(calibration.x, s.beta), slope, s.bright_background_b),
    )


def _level(normalization: Normalization, intensity: float) -> float:
    return (intensity - normalization.offset) / normalization.scale


def check_thresholds(
    recipe: Recipe, a: Sequence[Stack], b: Sequence[Stack]
) -> list[Note]:
    """Check that there is content on both sides of the thresholds.

    Raises
    ------
    DataError
        If all pixels of a domain lie on one side.
    """
    s = recipe.saliency
    if s is None or s.alpha is None or s.beta is None:
        return []
    notes = []
    for name, level, bright, stacks in (
        ("alpha", s.alpha, s.bright_background_a, a),
        ("beta", s.beta, s.bright_background_b, b),
    ):
        pixels = _sampled(stacks, recipe.patch)
        _check_within(name, level, pixels, stacks)
        share = float(((pixels > level) != bright).mean())
        if share > CROWDED:
            notes.append(Note.crowded(name, level, share, bright))
    return notes


def _sampled(stacks: Sequence[Stack], patch: tuple[int, ...]) -> NDArray[np.float32]:
    """Return pixels of random patches, the mean over their channels."""
    sampler = PatchSampler(
        stacks,
        patch,
        normalization=Normalization(0.0, 1.0),
        rng=np.random.default_rng(0),
        reflect=True,
    )
    return np.stack([sampler.draw().numpy().mean(axis=0) for _ in range(PATCHES)])


def _check_within(
    name: str, level: float, pixels: NDArray[np.float32], stacks: Sequence[Stack]
) -> None:
    low, high = float(pixels.min()), float(pixels.max())
    if low < level < high:
        return
    domain = {"alpha": "A", "beta": "B"}[name]
    mean = ", mean over the channels" if stacks[0].channels > 1 else ""
    raise DataError(
        f"the threshold of domain {domain} ({name}) is {level:g}, but its images lie "
        f"between {low:g} and {high:g}{mean}: it makes all pixels content, or none. "
        f"Pick background and foreground in these images; {name} is in their grey "
        f"levels "
        f"({np.dtype(stacks[0].data.dtype)})"
    )
