"""The background of an image, estimated from its darkest planes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack
from napari_blurgan.tasks.background import estimated_background

RNG = np.random.default_rng(0)


def image(level: float, shape: tuple[int, ...] = (12, 64, 64)) -> np.ndarray:
    light = np.zeros(shape)
    light[..., 20:40, 20:40] = 200
    return RNG.poisson(light + level).astype(np.uint16)


@pytest.mark.parametrize("level", [20, 100])
def test_it_is_the_level_of_the_dark_and_not_its_noise(level: float) -> None:
    found = estimated_background(Stack(image(level), "ZYX"))
    assert found == pytest.approx(level, abs=0.3 * np.sqrt(level))


def test_of_several_channels_the_lowest_or_the_chosen_one() -> None:
    stack = Stack(np.stack([image(100), image(20)]), "CZYX")
    assert estimated_background(stack) == pytest.approx(20, abs=2)
    assert estimated_background(stack, channel=0) == pytest.approx(100, abs=3)
