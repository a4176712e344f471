"""Is an image like the training images? Reported with numbers, before any work.

A network knows the grey levels and the noise of its training. Offset and scale of an
image are not adapted: only the user can tell whether a darker image has less light, and
so more noise, or only different units, and the two need different remedies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.content import content_digest
from napari_blurgan.data.normalize import (
    Normalization,
    random_blocks,
    robust_normalization,
)
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.models.model import Model
from napari_blurgan.models.strangeness import Strangeness, strangeness
from napari_blurgan.preparation.appearance import FEATURES, Appearance, appearance
from napari_blurgan.preparation.calibration import (
    NoiseModel,
    background_level,
    estimate_noise,
)
from napari_blurgan.preparation.levels import magnitudes

__all__ = ["unfamiliar"]

SCALE = 1.5  # ratio of magnitudes to those of the training, or its inverse
CONTRAST = 2.2  # ratio to that of the training, or its inverse
SHIFT = 0.3  # share of the training range
NOISE = 2.0  # ratio to that of the training
ALIKE = 1.4  # ratio below which noise is considered equal
BRIGHT = 0.25  # share of the range at which noise is compared
SAMPLES = 2**20  # number of sampled voxels
BLOCKS = 24
SMALLEST = 8  # pixels of a block in which noise can be measured


def unfamiliar(model: Model, stack: Stack, channel: int | None = None) -> Iterator[str]:
    """Yield messages about how an image differs from the training images of a model.

    Reported are a contrast 2.2 times as high or low, a background shifted by 0.3 of
    the training range, noise twice as strong or half as strong; then detail and peaks,
    which reveal another structure or objective. Nothing is said about an image that
    the model learned from, if its source has no other images.

    Parameters
    ----------
    model : Model
        Its calibration holds levels and noise of the training.
    stack : Stack
        A million voxels of it are read, in random blocks.
    channel : int, optional
        The only channel to be restored.
    """
    if model.recipe.values == "complex":
        yield from _scale(model, stack)
        return
    notes = _notes(model, stack, channel)
    first = next(notes, None)
    if first is not None and not _learned_from(model, stack):
        yield first
        yield from notes


def _learned_from(model: Model, stack: Stack) -> bool:
    """Whether this is an image of the training; of two domains it may be the other."""
    if model.recipe.source.domains > 1:
        return False
    data = model.provenance.get("data")  # as a file says: anything
    images = data if isinstance(data, list) else []
    known = [image.get("content") for image in images if isinstance(image, dict)]
    return content_digest(stack) in known


def _notes(model: Model, stack: Stack, channel: int | None) -> Iterator[str]:
    for group, where in _groups(model, stack, channel):
        try:
            levels = robust_normalization([stack], group, max_samples=SAMPLES)
        except DataError:  # constant, or not readable: reported elsewhere
            continue
        for note in _levels(model, stack, group, levels):
            yield where + note
        for note in _looks(model.provenance.get("appearance"), stack, group):
            yield where + note


def _scale(model: Model, stack: Stack) -> Iterator[str]:
    """Yield a message if complex images are of another scale than the training."""
    if stack.channels != model.channels[0]:
        return  # reported elsewhere
    known = model.calibration.y.scale
    found = magnitudes(model.recipe, [stack])[0].scale
    if 1 / SCALE <= found / known <= SCALE:
        return
    yield (
        f"the standard deviation of its magnitude is {found:.4g}, that of the training "
        f"images {known:.4g}: multiply it by {known / found:.4g}"
    )


def _groups(
    model: Model, stack: Stack, channel: int | None
) -> Iterator[tuple[list[int], str]]:
    """Yield groups of channels that are restored together, and their names."""
    known = range(stack.channels)
    chosen = [c for c in known if channel is None or c == channel]
    if model.channels[0] == len(chosen):
        yield chosen, ""
        return
    for number in chosen:
        yield [number], f"channel {number}: " if len(chosen) > 1 else ""


def _levels(
    model: Model, stack: Stack, group: Sequence[int], levels: Normalization
) -> Iterator[str]:
    known, noise = model.calibration.y, model.calibration.noise
    measured = noise.slope > 0 or noise.intercept > 0
    patches = _patches(stack, group) if measured else []
    if patches:
        levels = _from_background(levels, patches)
    contrast = levels.scale / known.scale
    shift = (levels.offset - known.offset) / known.scale
    if 1 / CONTRAST <= contrast <= CONTRAST and abs(shift) <= SHIFT:
        if patches:
            yield from _noisier(
                noise, estimate_noise([known.apply(p) for p in patches])
            )
        return
    yield (
        f"its grey levels run from {_range(levels)}, those of the training from "
        f"{_range(known)} (background to 99.9th percentile): {contrast:.2g} times the "
        "contrast, outside the training range; trust the result less"
        + _advice(noise, patches, known, levels)
    )


def _looks(known: Any, stack: Stack, group: Sequence[int]) -> Iterator[str]:
    """Yield how much an image differs from the training, if it is strange."""
    trained = Appearance.from_dict(known)
    found = None if trained is None else appearance([stack], group)
    if trained is None or found is None:
        return
    strange = strangeness(found, trained)
    if max(strange.difference, abs(strange.fading)) <= 1:
        return
    yield (
        "it does not look like the training images: "
        + (_faded if abs(strange.fading) > strange.difference else _moved)(strange)
    )


def _moved(strange: Strangeness) -> str:
    word = "more" if strange.moved > 0 else "less"
    return (
        f"{FEATURES[strange.worst]} {np.exp(abs(strange.moved)):.2g} times {word} (all "
        f"in all {strange.difference:.1f} times as different as is tolerated); the "
        "model was not trained for another structure, voxel size or exposure"
    )


def _faded(strange: Strangeness) -> str:
    word = "weaker" if strange.fading > 0 else "stronger"
    return (
        f"fine detail is {word} beside coarse detail ({abs(strange.fading):.1f} times "
        "what is tolerated); the model was not trained for another objective, focus or "
        "pixel size"
    )


def _range(levels: Normalization) -> str:
    return f"{levels.offset:.4g} to {levels.offset + levels.scale:.4g}"


def _from_background(
    levels: Normalization, patches: Sequence[NDArray[np.float32]]
) -> Normalization:
    """Set zero as training does when it measures noise: at the background."""
    top, dark = levels.offset + levels.scale, background_level(patches)
    return Normalization(dark, top - dark) if top > dark else levels


def _advice(
    noise: NoiseModel,
    patches: Sequence[NDArray[np.float32]],
    known: Normalization,
    levels: Normalization,
) -> str:
    """Distinguish other units from less light by the noise, if it is known."""
    if not patches:
        return ", or rescale it to the grey levels of the training"
    found = estimate_noise([levels.apply(p) for p in patches])
    ratio = _strength(found) / _strength(noise)
    factor = known.scale / levels.scale
    if not 1 / ALIKE <= ratio <= ALIKE:
        return (
            f"; relative to its contrast it is {ratio:.2g} times as noisy: train on "
            "images like it"
        )
    move = known.offset - factor * levels.offset
    return (
        f"; judging by its noise, it only has other units: convert it by "
        f"levels × {factor:.4g} {move:+.4g}"
    )


def _noisier(known: NoiseModel, found: NoiseModel) -> Iterator[str]:
    ratio = _strength(found) / _strength(known)
    if 1 / NOISE <= ratio <= NOISE:
        return
    word = "noisier" if ratio > 1 else "less noisy"
    yield (
        f"it is {word} than the training images: {ratio:.2g} times the noise "
        "at a quarter of their brightness; noise may be mistaken for structure, or "
        "structure for noise"
    )


def _strength(noise: NoiseModel) -> float:
    """Return the standard deviation at a quarter of the range."""
    return max(float(np.sqrt(noise.slope * BRIGHT + noise.intercept)), 1e-6)


def _patches(stack: Stack, group: Sequence[int]) -> list[NDArray[np.float32]]:
    """Return blocks of single channels, as read."""
    found: list[NDArray[np.float32]] = []
    for where, time, start, shape in random_blocks([stack], np.random.default_rng(0)):
        if min(shape[-2:]) >= SMALLEST:
            block = read_region(where, time, start, shape, group)
            found += [np.asarray(part, np.float32) for part in block]
        if len(found) >= BLOCKS:
            break
    return found
