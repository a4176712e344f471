"""The model y = Hx + b of an image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation

SHAPE = (4, 8, 8)


def observed(background: float = 5.0, scale: float = 1.0) -> Observation:
    kernel = torch.ones(3, 3, 3) / 27
    counts = np.random.default_rng(0).poisson(40, SHAPE).astype(np.float32)
    return Observation(
        torch.from_numpy(counts), Blur(kernel, SHAPE), background, scale=scale
    )


def test_the_start_is_flat_and_has_the_light_above_the_background() -> None:
    seen = observed()
    start = seen.start()
    assert float(start.std()) == pytest.approx(0, abs=1e-5)
    assert float(start.mean()) == pytest.approx(float(seen.image.mean()) - 5, rel=1e-4)


def test_what_is_expected_is_at_least_the_background() -> None:
    seen = observed()
    expected = seen.expected(torch.zeros(seen.blur.shape))
    torch.testing.assert_close(expected, torch.full(SHAPE, 5.0))


def test_an_image_as_expected_needs_no_correction() -> None:
    seen = observed()
    correction = seen.correction(seen.image.clone())
    inside = seen.blur.crop(correction)
    torch.testing.assert_close(inside, torch.ones(SHAPE), rtol=1e-4, atol=1e-4)


def test_halves_share_the_photons() -> None:
    seen = observed(0.0)
    half = seen.halved(seed=1)
    assert half.image.shape == (2, *SHAPE)
    torch.testing.assert_close(half.image.sum(0), seen.image)
