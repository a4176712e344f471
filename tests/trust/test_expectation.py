"""The expected measurement of a restored image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from napari_blurgan.trust.expectation import Expectation, Levels

RNG = np.random.default_rng(0)
PSF = RNG.random((3, 3, 3)).astype(np.float32)
PSF /= PSF.sum()
SHAPE = (6, 10, 10)


def test_the_noise_grows_with_the_light() -> None:
    levels = Levels(scale=1.0, background=10.0, slope=2.0, intercept=3.0)
    light = torch.tensor([0.0, 5.0])
    torch.testing.assert_close(levels.variance(light), torch.tensor([3.0, 13.0]))
    assert levels.pedestal == pytest.approx(1.5)


def test_inside_it_is_the_blurred_restoration() -> None:
    restored = RNG.random(SHAPE).astype(np.float32) * 50
    expected = convolve(restored, PSF, mode="constant")
    light = torch.from_numpy(expected)[None]
    found = Expectation(torch.from_numpy(PSF), SHAPE)(
        light, torch.from_numpy(restored)[None], 1.0
    )
    inside = (slice(2, -2),) * 3
    np.testing.assert_allclose(found[0].numpy()[inside], expected[inside], rtol=1e-3)


def test_without_a_blur_it_is_the_restoration() -> None:
    image = torch.rand(1, *SHAPE)
    torch.testing.assert_close(Expectation(None, SHAPE)(image, image, 1.0), image)
