"""The likelihood of a measurement, given the signal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan import Stack
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.errors import DataError
from napari_blurgan.objective.likelihood import Likelihood, LikelihoodTerm
from napari_blurgan.preparation.calibration import NoiseModel


def term(noise: NoiseModel) -> Likelihood:
    site: Any = SimpleNamespace(calibration=SimpleNamespace(noise=noise))
    return Likelihood(LikelihoodTerm(weight=1.0), site)


def value(noise: NoiseModel, signal: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    images: Any = SimpleNamespace(x_hat=signal, y=y)
    return term(noise)(images)


def test_it_is_that_of_the_noise() -> None:
    torch.manual_seed(0)
    signal, y = torch.rand(1, 1, 8, 8) + 0.1, torch.rand(1, 1, 8, 8)
    deviation = (0.02 * signal + 0.003).sqrt()
    density = torch.distributions.Normal(signal, deviation).log_prob(y)
    # Less a constant, log(2 pi) / 2.
    expected = -density.mean() - 0.918939
    torch.testing.assert_close(value(NoiseModel(0.02, 0.003), signal, y), expected)


def test_it_is_largest_for_the_signal_that_was_there() -> None:
    torch.manual_seed(0)
    noise, signal = NoiseModel(0.05, 0.001), torch.full((1, 1, 300, 300), 0.4)
    y = noise.add(signal)
    costs = {s: float(value(noise, torch.full_like(y, s), y)) for s in (0.3, 0.4, 0.5)}
    assert min(costs, key=costs.__getitem__) == 0.4


def test_darkness_of_a_perfect_camera_has_a_finite_cost_and_slope() -> None:
    signal = torch.zeros(1, 1, 4, 4, requires_grad=True)
    cost = value(NoiseModel(0.1, 0.0), signal, torch.full((1, 1, 4, 4), 0.1))
    cost.backward()
    assert torch.isfinite(cost)
    assert signal.grad is not None
    # There is more light than none: the signal has to rise.
    assert (signal.grad < 0).all()
    assert torch.isfinite(signal.grad).all()


def test_images_without_noise_are_refused() -> None:
    with pytest.raises(DataError, match="needs noise"):
        term(NoiseModel(0.0, 0.0))


def test_the_noise_of_frames_takes_the_place_of_the_line() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(0.5, 0.1, (16, 32, 32)).astype(np.float32)
    frames += 0.5 * (rng.random(frames.shape) < 0.1)
    calibration = SimpleNamespace(noise=NoiseModel(0.02, 0.0), y=Normalization(0, 1))
    site: Any = SimpleNamespace(calibration=calibration, y=[Stack(frames, "TYX")])
    images: Any = SimpleNamespace(
        x_hat=torch.full((16, 1, 32, 32), 0.55), y=torch.from_numpy(frames)[:, None]
    )
    costs = [
        float(Likelihood(LikelihoodTerm(weight=1.0, noise=noise), site)(images))
        for noise in ("line", "frames")
    ]
    assert costs[1] < costs[0] - 0.2
