"""Two parts of one measurement: as bright, independent, and together what there was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

SLOPE = 0.02
SHAPE = (1, 1, 50, 50, 80)


def measured(photons: float, read: float, rng: np.random.Generator) -> torch.Tensor:
    """Return voxels of one brightness, zero at the background."""
    counts = rng.poisson(photons, SHAPE) + rng.normal(0, read, SHAPE)
    return torch.from_numpy((SLOPE * counts).astype(np.float32))


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(("photons", "read"), [(40.0, 0.0), (40.0, 3.0), (2.0, 3.0)])
def test_parts_are_independent_and_as_bright(
    photons: float, read: float, share: float
) -> None:
    rng = np.random.default_rng(0)
    y = measured(photons, read, rng)
    noise = NoiseModel(SLOPE, (SLOPE * read) ** 2)
    parts = split_photons(y, noise, share, rng)
    for part, of_light in zip(parts, (share, 1 - share), strict=True):
        assert float(part.mean()) == pytest.approx(float(y.mean()), rel=0.05)
        expected = SLOPE**2 * (photons + read**2) / of_light
        assert float(part.var()) == pytest.approx(expected, rel=0.05)
    one, other = (part.numpy().ravel() for part in parts)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    whole = share * parts[0] + (1 - share) * parts[1]
    # A count is rounded; below none at all it is cut off, which is rare.
    assert float((whole - y).abs().quantile(0.99)) <= 0.5001 * SLOPE


@pytest.mark.parametrize("photons", [0.0, 1.5])
def test_the_square_of_a_part_does_not_predict_the_other_in_dim_light(
    photons: float,
) -> None:
    rng = np.random.default_rng(2)
    noise = NoiseModel(SLOPE, (SLOPE * 3.0) ** 2)
    parts = split_photons(measured(photons, 3.0, rng), noise, 0.5, rng)
    one, other = (part.numpy().ravel() - float(part.mean()) for part in parts)
    assert abs(np.corrcoef(one**2, other)[0, 1]) < 0.02


def test_noise_without_photons_is_split_too() -> None:
    rng = np.random.default_rng(1)
    y = torch.from_numpy(rng.normal(1, 0.3, SHAPE).astype(np.float32))
    one, other = split_photons(y, NoiseModel(0.0, 0.09), 0.5, rng)
    assert abs(np.corrcoef(one.numpy().ravel(), other.numpy().ravel())[0, 1]) < 0.02
    assert float(one.var()) == pytest.approx(2 * 0.09, rel=0.03)
    torch.testing.assert_close((one + other) / 2, y)
