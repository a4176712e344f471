"""Noise measured from repeated frames, of whatever shape it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan import Stack
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.errors import DataError
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.mixture import NoiseMixture, noise_of_frames

LEVELS = Normalization(100.0, 200.0)
SLOPE, READ = 0.01, 0.02
LINE = NoiseModel(SLOPE, READ**2)


def frames(hot: float, seed: int = 0) -> Stack:
    """Return a movie of one field; some pixels of each frame are far too bright."""
    rng = np.random.default_rng(seed)
    light = np.linspace(0, 1, 64)[:, None] * np.ones(64)
    y = light + np.sqrt(SLOPE * light + READ**2) * rng.normal(size=(16, 64, 64))
    y += 0.5 * (rng.random(y.shape) < hot)
    pixels = LEVELS.offset + LEVELS.scale * y
    return Stack(pixels.astype(np.float32), "TYX", name="movie")


def log_densities(mixture: NoiseMixture, signal: float) -> tuple[torch.Tensor, ...]:
    y = torch.linspace(signal - 1.5, signal + 1.5, 4001)
    cost = mixture(torch.full_like(y, signal), y) + 0.5 * np.log(2 * np.pi)
    return y, torch.exp(-cost)


@pytest.mark.parametrize("signal", [0.1, 0.5, 0.9])
def test_it_is_a_density_whose_mean_is_the_signal(signal: float) -> None:
    y, density = log_densities(noise_of_frames([frames(0.05)], LEVELS, LINE), signal)
    assert float(torch.trapezoid(density, y)) == pytest.approx(1, abs=0.01)
    assert float(torch.trapezoid(y * density, y)) == pytest.approx(signal, abs=0.01)


@pytest.mark.parametrize("signal", [0.2, 0.8])
def test_normal_noise_is_found_to_be_normal(signal: float) -> None:
    y, density = log_densities(noise_of_frames([frames(0.0)], LEVELS, LINE), signal)
    deviation = (SLOPE * signal + READ**2) ** 0.5
    variance = torch.trapezoid((y - signal).square() * density, y)
    assert float(variance) ** 0.5 == pytest.approx(deviation, rel=0.1)
    expected = torch.distributions.Normal(signal, deviation).log_prob(y).exp()
    assert float((density - expected).abs().max() / expected.max()) < 0.12


def test_pixels_that_are_too_bright_are_expected() -> None:
    """A normal distribution would take each for hundreds of nats of structure."""
    found = noise_of_frames([frames(0.05)], LEVELS, LINE)
    shown = frames(0.05, seed=1)
    y = torch.from_numpy(LEVELS.apply(np.asarray(shown.data)))
    signal = torch.linspace(0, 1, 64)[:, None].expand_as(y) + 0.025
    variance = SLOPE * signal + READ**2
    normal = (variance.log() + (y - signal).square() / variance) / 2
    assert float(found(signal, y).mean()) < float(normal.mean()) - 0.3


def test_few_frames_are_refused() -> None:
    few = frames(0.0)
    short = few.with_data(np.asarray(few.data)[:4])
    with pytest.raises(DataError, match="movie: has 4 time points"):
        noise_of_frames([short], LEVELS, LINE)


def test_the_random_numbers_of_the_training_stay_as_they_were() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    noise_of_frames([frames(0.0)], LEVELS, LINE)
    assert torch.rand(1) == expected
