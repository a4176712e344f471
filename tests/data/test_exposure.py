"""Voxels that were cut off above or below are told of, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import DTypeLike

from napari_blurgan import Stack
from napari_blurgan.data.exposure import exposure_notes


def counts(
    mean: float, shape: tuple[int, ...] = (6, 40, 50), seed: int = 0
) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, shape)


@pytest.mark.parametrize(
    ("top", "dtype"),
    [(255, np.uint8), (4095, np.uint16), (16383, np.uint16), (65535, np.uint16)],
)
def test_saturation_of_a_dtype_and_of_a_camera(top: int, dtype: DTypeLike) -> None:
    image = np.minimum(counts(top - top**0.5), top).astype(dtype)
    share = (image == top).mean()
    assert 0 < share < 0.5
    (note,) = exposure_notes(Stack(image, "ZYX"))
    assert f"{share:.1%} of the voxels are saturated (at {top})" in note


def test_images_that_fill_their_dtype_are_not_saturated() -> None:
    image = counts(1000).astype(float)
    scaled = np.round(255 * (image - image.min()) / np.ptp(image)).astype(np.uint8)
    assert scaled.max() == 255
    assert exposure_notes(Stack(scaled, "ZYX")) == ()
    assert exposure_notes(Stack(counts(1000).astype(np.uint16), "ZYX")) == ()
    assert exposure_notes(Stack(counts(4000.0).astype(np.float32), "ZYX")) == ()


def test_what_was_cut_off_below() -> None:
    noise = np.random.default_rng(0).normal(0, 20, (6, 40, 50))
    image = np.maximum(noise, 0).astype(np.uint16)
    (note,) = exposure_notes(Stack(image, "ZYX"))
    assert f"{(image == 0).mean():.1%} of the voxels are 0" in note


@pytest.mark.parametrize("mean", [0.3, 1, 3, 10])
def test_few_photons_are_not_cut_off(mean: float) -> None:
    image = counts(mean)
    image[0, 0, 0] = 100
    assert exposure_notes(Stack(image.astype(np.uint16), "ZYX")) == ()


def test_channels_are_named_and_one_can_be_asked_for() -> None:
    good, bad = counts(100), np.minimum(counts(254), 255)
    stack = Stack(np.stack([good, bad]).astype(np.uint8), "CZYX")
    (note,) = exposure_notes(stack)
    assert note.startswith("channel 1: ")
    assert exposure_notes(stack, channel=0) == ()
    assert len(exposure_notes(stack, channel=1)) == 1


def test_long_series_are_looked_at_here_and_there() -> None:
    image = np.full((40, 30, 8, 8), 255, np.uint8)
    (note,) = exposure_notes(Stack(image, "TZYX"))
    assert "100.0%" in note
    assert len(exposure_notes(Stack(image, "TZYX"), time=3)) == 1
