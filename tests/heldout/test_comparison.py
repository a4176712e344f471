"""Blurs compared by the photons that they predict."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan.heldout.comparison import Comparison, worse
from tests.transport.test_settling import NOISE, OFFSET, blur, image

pytestmark = pytest.mark.slow


def test_a_wrong_blur_predicts_worse_than_the_right_one() -> None:
    right, wrong = blur(0.9), blur(0.7)
    compared = Comparison(image(400) - np.float32(OFFSET), right, NOISE)
    good, bad = (compared.squares(kernel) for kernel in (right, wrong))
    assert good.mean() < bad.mean()
    assert worse(bad, good) and not worse(good, good) and not worse(good, bad)


def test_chance_is_not_taken_for_a_difference() -> None:
    torch.manual_seed(0)
    best = torch.rand(1, 1, 24, 48, 48)
    for _ in range(20):
        assert not worse(best + 0.3 * torch.randn(best.shape), best)
    assert worse(best + 0.3 * torch.randn(best.shape) + 0.1, best)
