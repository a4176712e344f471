"""An object that goes on beyond the field of view must not spoil the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur, margin_for

SHAPE, BORDER = (24, 48, 48), (4, 6, 6)


@pytest.fixture(scope="module")
def fields() -> tuple[Psf, list[tuple[Any, ...]]]:
    """Clouds that are everywhere alike, seen through a window: truths and images."""
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 15, 15), (0.3, 0.1, 0.1))
    margin = margin_for(psf.data)
    window = tuple(slice(m, m + n) for m, n in zip(margin, SHAPE, strict=True))
    world = [n + 2 * m for n, m in zip(SHAPE, margin, strict=True)]
    made = []
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=world)
        cloud = ndimage.gaussian_filter(noise, 1.5).clip(0).astype(np.float32)
        seen = blur(cloud, psf.data)[window]
        camera = Camera(photons=500 / seen.max())
        made.append((cloud[window] * camera.photons, camera.expose(seen, seed), camera))
    return psf, made


def border_over_interior(error: np.ndarray) -> float:
    inner = np.zeros(error.shape, bool)
    inner[tuple(slice(b, -b) for b in BORDER)] = True
    return np.sqrt((error[~inner] ** 2).mean() / (error[inner] ** 2).mean())


def mean_ratio(fields: tuple[Psf, list[tuple[Any, ...]]], edges: str) -> float:
    psf, made = fields
    ratios = []
    for truth, image, camera in made:
        result = richardson_lucy(image, psf, 40, camera=camera, edges=edges)
        ratios.append(border_over_interior(result.image - truth))
    return float(np.mean(ratios))


def test_border_is_as_good_as_the_interior(
    fields: tuple[Psf, list[tuple[Any, ...]]],
) -> None:
    assert mean_ratio(fields, "extend") <= 1.05


def test_periodic_edges_are_not(fields: tuple[Psf, list[tuple[Any, ...]]]) -> None:
    """The control: the same images, wrapped round."""
    assert mean_ratio(fields, "periodic") >= 1.2
