"""Generators of presets with weights drawn at random: as slow as trained ones."""

from __future__ import annotations

import torch

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.methods.presets import preset
from napari_blurgan.models.network_operator import NetworkOperator as ModelOperator
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.reconstructors.reconstructor import build_reconstructor


def preset_operator(name: str) -> ModelOperator:
    """Return a preset's generator, its weights drawn at random."""
    recipe = preset(name)
    iterations, dims = recipe.reconstructor.estimate_iterations, recipe.dims
    torch.manual_seed(0)
    generator = build_reconstructor(recipe.reconstructor, dims, (1, 1), (2,) * dims)
    network = generator.network
    network.train()
    with torch.inference_mode():
        # Running statistics that are not nought and one, and a correction that is
        # not nought.
        torch.nn.init.normal_(network.last.weight, std=0.1)
        network(torch.rand(1, 1 + (iterations > 0), *[32] * dims))
    generator = generator.eval()
    if not iterations:
        return ModelOperator(generator, (1, 1))
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 11, 11), (0.2, 0.1, 0.1))
    blur = BlurKernel(FixedKernel(psf.data), 1.0, dims)
    return ModelOperator(generator, (1, 1), Estimator(iterations, 0.02), blur)
