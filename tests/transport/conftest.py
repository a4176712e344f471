"""Tiny data sets on which every preset trains within seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import simulate
from tests.support.trainings import Domains, complex_domains

VOXEL = (0.2, 0.1, 0.1)
SHAPE = (20, 40, 40)
OPTICS = Optics(na=0.9, ni=1.33, wavelength=520)

TRANSFORMS = ("utom", "isotropic", "utom-as-published")

TINY = {
    "reconstructor.base": 2,
    "discriminator.base": 4,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def psf() -> Psf:
    return theoretical_psf(OPTICS, (9, 9, 9), VOXEL)


def sharp(seed: int) -> np.ndarray:
    return phantom("vesicles", SHAPE, VOXEL, seed)


@pytest.fixture(scope="session")
def measured(psf: Psf) -> list[Stack]:
    camera = Camera(photons=2000).expose
    images = [simulate(sharp(s), psf.data, seed=s, camera=camera)[1] for s in (1, 2)]
    return [Stack(y, "ZYX", VOXEL, name=f"y{n}") for n, y in enumerate(images)]


@pytest.fixture(scope="session")
def unpaired() -> list[Stack]:
    return [Stack(sharp(s), "ZYX", VOXEL, name=f"x{s}") for s in (11, 12)]


@pytest.fixture(scope="session")
def truth() -> list[Stack]:
    return [Stack(sharp(s), "ZYX", VOXEL, name=f"t{s}") for s in (1, 2)]


@pytest.fixture
def tiny() -> Callable[..., Recipe]:
    def make(name: str, **changes: Any) -> Recipe:
        dotted = {key.replace("__", "."): value for key, value in changes.items()}
        planar = {"sampling.patch": 32} if name in TRANSFORMS else {}
        thresholds = {
            "saliency.alpha": 0.3,
            "saliency.beta": 0.5,
            "saliency.half_life": 5,
            "saliency.floor": 0.1,
        }
        extra = thresholds if name in TRANSFORMS else {}
        recipe = preset(name)
        refines = recipe.updated(dotted).reconstructor.estimate_iterations > 0
        given = {"reconstructor.iterations": 10} if refines else {}
        return recipe.updated(TINY | planar | extra | given | dotted)

    return make


@pytest.fixture
def domains(
    measured: list[Stack], unpaired: list[Stack], truth: list[Stack]
) -> Callable[[str], Domains]:
    def make(name: str) -> Domains:
        if preset(name).values == "complex":
            return complex_domains(name)
        sharp = truth if name == "supervised" else unpaired
        return measured, sharp if preset(name).source.domains == 2 else []

    return make
