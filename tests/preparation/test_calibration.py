"""Background and noise of the images, and noise that is made like it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.preparation.calibration import background_level, estimate_noise


@pytest.mark.parametrize(("slope", "intercept"), [(0.05, 0.001), (0.0, 0.01)])
def test_the_noise_of_an_image_is_found(slope: float, intercept: float) -> None:
    rng = np.random.default_rng(1)
    z, y, x = np.indices((8, 128, 128))
    signal = 0.5 + 0.45 * np.sin(y / 20) * np.cos(x / 25 + z / 9)
    noisy = signal + rng.normal(size=signal.shape) * np.sqrt(slope * signal + intercept)
    found = estimate_noise([noisy.astype(np.float32)])
    assert found.slope == pytest.approx(slope, rel=0.15, abs=0.002)
    assert found.intercept == pytest.approx(intercept, rel=0.3, abs=0.003)


@pytest.mark.parametrize(("photons", "within"), [(10.0, 0.15), (120.0, 0.05)])
def test_the_noise_of_sparse_structure_in_dim_light_is_found(
    photons: float, within: float
) -> None:
    voxel = (0.16, 0.08, 0.08)
    truth = phantom("microtubules", (48, 96, 96), voxel, 60, density=0.4)
    seen = gaussian_filter(truth, (2.5, 1.5, 1.5))
    scale = photons / float(np.percentile(seen, 99.95))
    camera = Camera(photons=scale, read_noise=3.0, gain=1.0, offset=0.0)
    found = estimate_noise([camera.expose(seen, 1).astype(np.float32)])
    assert found.slope == pytest.approx(1.0, rel=within)
    assert found.intercept == pytest.approx(9.0, rel=0.05)


@pytest.mark.parametrize("kind", ["microtubules", "membranes", "vesicles"])
@pytest.mark.parametrize("photons", [8, 30, 120])
def test_the_noise_of_fine_detail_in_planes_is_found(kind: str, photons: int) -> None:
    rng = np.random.default_rng(2)
    drawn = [phantom(kind, (1, 64, 64), (0.1, 0.064, 0.064), n) for n in range(16)]
    light = np.stack([gaussian_filter(image[0], 1.4) for image in drawn])
    light *= photons / np.percentile(light, 99.9)
    seen = rng.poisson(light) + rng.normal(0, 0.9, light.shape)
    found = estimate_noise(list(seen.astype(np.float32)))
    assert found.slope == pytest.approx(1.0, rel=0.1)
    assert found.intercept == pytest.approx(0.81, rel=0.05)


def test_the_noise_of_single_photons_is_found_and_made_again() -> None:
    rng = np.random.default_rng(2)
    z, y, x = np.indices((16, 128, 128))
    photons = 0.2 + 20 * np.exp(-(((x - 64) ** 2 + (y - 50 - z) ** 2) / 200))
    counted = rng.poisson(photons)
    # A photon is a twentieth; darkness, 0.2 photons, is taken off.
    measured = ((counted - 0.2) / 20).astype(np.float32)
    found = estimate_noise([measured])
    assert found.slope == pytest.approx(0.05, rel=0.1)
    assert found.intercept == pytest.approx(0.2 / 400, rel=0.35)

    dark = torch.zeros(1, 1, 16, 128, 128, requires_grad=True)
    made = found.add(dark)
    noisy = made.detach()
    assert float(noisy.mean()) == pytest.approx(0, abs=1e-3)
    assert float(noisy.var()) == pytest.approx(found.intercept, rel=0.05)
    # Most pixels of darkness are without a photon, and all count whole ones.
    steps = (noisy + found.pedestal) / found.slope
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert float((steps.round() == 0).float().mean()) > 0.7
    made.sum().backward()
    assert dark.grad is not None
    assert torch.all(dark.grad == 1)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_background_is_known_to_less_than_a_grey_level(dtype: type) -> None:
    board = np.indices((8, 32, 32)).sum(0) % 2
    image = (102 + board).astype(dtype)
    assert background_level([image]) == pytest.approx(102.5, abs=0.05)


def test_an_image_without_noise_has_none() -> None:
    """Whole numbers, drawn, not measured: most are equal to their neighbours."""
    image = np.zeros((8, 64, 64), np.float32)
    image[:, 20:40, 20:40] = 100
    found = estimate_noise([image])
    assert (found.slope, found.intercept) == (0, 0)
