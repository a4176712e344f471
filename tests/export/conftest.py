"""Tiny models whose weights are random: what they make shows every layer."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan import Model, Optics, Psf, preset, train
from tests.support.noise import noise

VOXEL = (0.3, 0.1, 0.1)
TINY = {
    "reconstructor.base": 2,
    "sampling.patch": 16,
    "precision": "float32",
    "steps": 1,
}
ADVERSARY = {"discriminator.base": 4, "discriminator.scales": 1}
SPREAD = {"nonblind": 0.1, "noise2self": 0.2, "utom": 0.1}
"""Of what is added to the weights: so much that no layer is without effect."""
LEVELS = {"saliency.alpha": 60, "saliency.beta": 60}


def trained(name: str) -> Model:
    image = noise((18, 24, 24))
    other = image[::-1].copy()
    recipe = preset(name).updated(TINY)
    if name == "noise2self":
        return train(recipe, image, device="cpu")
    if name == "utom":
        return train(recipe.updated(ADVERSARY | LEVELS), image, other, device="cpu")
    psf = Psf.from_optics(Optics(1, 1.33, 520), VOXEL, (5, 7, 7))
    recipe = recipe.updated(ADVERSARY)
    return train(recipe, image, other, psf=psf, voxel_size=VOXEL, device="cpu")


def shaken(model: Model, spread: float) -> Model:
    """Add noise to the weights of a model, and return it."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in model.generator.parameters():
            weights.add_(spread * torch.randn_like(weights))
    return model


@pytest.fixture(scope="session", params=list(SPREAD))
def model(request: pytest.FixtureRequest) -> Model:
    """One refining network of volumes, one plain U-Net and one ResNet of planes."""
    return shaken(trained(request.param), SPREAD[request.param])
