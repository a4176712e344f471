"""A blurred, noisy stack with its truth, small enough to deconvolve many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur, margin_for

VOXEL = (0.3, 0.1, 0.1)


@dataclass
class Case:
    truth: np.ndarray
    image: np.ndarray
    psf: Psf
    camera: Camera

    def error(self, image: np.ndarray) -> Any:
        """RMSE over the truth's root mean square."""
        return np.sqrt(((image - self.truth) ** 2).mean() / (self.truth**2).mean())


def simulated(
    structure: str, photons: float, seed: int = 0, shape: tuple[int, ...] = (16, 48, 48)
) -> Any:
    """Light from outside the field falls into it; `photons` at the brightest voxel."""
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 15, 15), VOXEL)
    margin = margin_for(psf.data)
    world = [n + 2 * m for n, m in zip(shape, margin, strict=True)]
    sharp = phantom(structure, world, VOXEL, seed)
    field = tuple(slice(m, n - m) for m, n in zip(margin, world, strict=True))
    blurred = blur(sharp, psf.data)[field]
    scale = photons / blurred.max()
    camera = Camera(photons=scale, gain=2.0, offset=100.0, read_noise=1.5)
    image = camera.expose(blurred, seed)
    return Case(sharp[field] * scale * camera.gain, image, psf, camera)


@pytest.fixture(scope="session")
def nuclei() -> Case:
    return simulated("nuclei", 50)


@pytest.fixture(scope="session")
def filaments() -> Case:
    return simulated("microtubules", 200)
