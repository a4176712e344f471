"""A blur along z as forward model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, preset
from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.axial_blur import AxialBlurForward
from napari_blurgan.optics.forward import BlurKernel
from tests.transport.test_turned import SMALL, volume


def test_it_is_a_kernel_along_z_of_the_width_in_the_recipe() -> None:
    stack = Stack(volume(), "ZYX", (0.1, 0.1, 0.1), name="y")
    recipe = preset("three-way").updated(SMALL | {"forward.width": 5.0})
    trainer = Trainer(recipe, [stack], [], steps=1, device="cpu")
    list(trainer)
    blur = trainer._parts.engine.transport.forward_model
    assert isinstance(blur, BlurKernel)
    kernel = blur.kernel()
    assert kernel.shape[1:] == (1, 1)
    assert kernel.sum() == pytest.approx(1)
    line = kernel.flatten()
    assert int((line > 0.49 * line.max()).sum()) == 5
    psf = trainer.model().psf
    assert psf is not None
    assert psf.fwhm()[0] == pytest.approx(0.5, rel=0.05)


def test_a_plane_has_no_z() -> None:
    recipe = preset("half").updated({"dims": 2, "forward.kind": "axial-blur"})
    assert isinstance(recipe.forward, AxialBlurForward)
    images = [
        Stack(np.random.default_rng(n).random((64, 64), np.float32), "YX", name=f"{n}")
        for n in range(2)
    ]
    torch.manual_seed(0)
    with pytest.raises(RecipeError, match="needs volumes"):
        list(Trainer(recipe, images[:1], images[1:], steps=1))
