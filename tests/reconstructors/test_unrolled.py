"""A generator with the forward model inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import Psf, Stack, Trainer, load_model, preset, restore
from napari_blurgan.data.complex_numbers import as_complex
from napari_blurgan.data.kspace import measured_lines, through_lines
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.export.networks import plain_network
from napari_blurgan.methods.references import references_of
from napari_blurgan.optics.kernel import gaussian_kernel
from napari_blurgan.reconstructors.unrolled import Unrolled
from tests.transport.test_kspace import SMALL, slices, stack, tensor, undersampled

KERNEL = {"reconstructor.kind": "unrolled", "reconstructor.turns": 2}
VOXEL = (0.1, 0.1, 0.1)


def volume(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(20, (24, 32, 32)).astype(np.float32)


def test_a_model_keeps_the_measured_lines_and_restores_alike_from_its_folder(
    tmp_path: Path,
) -> None:
    measured = undersampled(slices(1))
    y, x = stack(measured, "y"), stack(slices(2), "x")
    out = tmp_path / "m.blurgan"
    fast = {"reconstructor.average": 0.0, "optimiser.generator_rate": 0.01}
    recipe = preset("mri").updated(SMALL | fast)
    trainer = Trainer(recipe, [y], [x], out, steps=30, device="cpu")
    list(trainer)
    made = restore(trainer.model(), y, precision="float32", device="cpu")
    again = restore(load_model(out), y, precision="float32", device="cpu")
    np.testing.assert_array_equal(made.data, again.data)
    found, seen = tensor(as_complex(np.asarray(made.data), 0)), tensor(measured)
    change = (found - seen).abs().max()
    assert change > 1e-3
    kept = through_lines(found - seen, measured_lines(seen))
    assert kept.abs().max() < 0.1 * change


def test_with_a_kernel_the_model_has_the_blur_inside(tmp_path: Path) -> None:
    recipe = preset("nonblind").updated(
        {
            **KERNEL,
            "reconstructor.base": 2,
            "discriminator.base": 2,
            "sampling.patch": 16,
            "precision": "float32",
        }
    )
    y, x = (Stack(volume(n), "ZYX", VOXEL, name=f"{n}") for n in (0, 1))
    psf = Psf(gaussian_kernel((5, 5, 5), (2, 1, 1)), VOXEL)
    out = tmp_path / "m.blurgan"
    list(Trainer(recipe, [y], [x], out, psf=psf, steps=2, device="cpu"))
    model = load_model(out)
    assert isinstance(model.generator, Unrolled)
    made = restore(model, y, precision="float32", device="cpu", tile=(16, 16, 16))
    whole = restore(model, y, precision="float32", device="cpu")
    np.testing.assert_allclose(made.data, whole.data, rtol=1e-3, atol=0.02)
    other = model.with_psf(Psf(gaussian_kernel((5, 5, 5), (3, 2, 2)), VOXEL))
    changed = restore(other, y, precision="float32", device="cpu")
    assert not np.allclose(changed.data, whole.data, rtol=1e-3)


def test_it_needs_an_adjoint() -> None:
    with pytest.raises(RecipeError, match="needs an adjoint"):
        preset("mri-supervised").updated({"forward.kind": "none"})


def test_other_programs_have_no_forward_model(tmp_path: Path) -> None:
    y, x = stack(undersampled(slices(1)), "y"), stack(slices(2), "x")
    trainer = Trainer(preset("mri").updated(SMALL), [y], [x], steps=1, device="cpu")
    list(trainer)
    with pytest.raises(DataError, match="forward model inside"):
        plain_network(trainer.model().generator.network)


def test_its_paper_is_cited() -> None:
    texts = [found["text"] or "" for found in references_of(preset("mri"))]
    assert any("Akçakaya" in text for text in texts)
