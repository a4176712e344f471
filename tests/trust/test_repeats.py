"""Restoring again: halves of the light."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.trust.expectation import Levels
from napari_blurgan.trust.repeats import disagreement, halves


@pytest.mark.parametrize("slope", [0.5, 1e-9, 1e-300, 0.0])
def test_halves_are_as_noisy_as_the_image_however_little_noise_there_is(
    slope: float,
) -> None:
    """Down to images without any, in which there would be too many photons to count."""
    levels = Levels(1.0, 0.0, slope, 4.0)
    image = np.full((6, 40, 40), 1000, np.float32)
    spread = halves(lambda stack: stack, Stack(image, "ZYX"), levels)
    expected = np.sqrt(slope * 1000 + 4)
    assert np.sqrt((spread**2).mean()) == pytest.approx(expected, rel=0.05)


def test_disagreement_is_the_deviation_between_the_restorations() -> None:
    measured = Stack(np.ones((4, 8, 8), np.float32), "ZYX")
    ways = [lambda s, n=n: s.with_data(n * np.asarray(s.data)) for n in (1, 2, 6)]
    np.testing.assert_allclose(disagreement(ways, measured), np.std([1, 2, 6], ddof=1))
