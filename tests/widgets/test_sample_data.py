"""The samples of File → Open Sample, and how they fit the widgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_blurgan import preset, restore, train
from napari_blurgan.data.complex_numbers import as_complex
from napari_blurgan.data.exposure import exposure_notes
from napari_blurgan.widgets import sample_cells, sample_data, sample_measurements
from napari_blurgan.widgets._data_form import DataForm
from napari_blurgan.widgets._layers import LayerData, to_psf, to_stack

OTHERS = [
    sample_measurements.heads,
    sample_measurements.flat_stack,
    sample_measurements.projections,
]
TINY = {
    "reconstructor.base": 2,
    "discriminator.base": 2,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
    "steps": 1,
}


@pytest.fixture(scope="module")
def microtubules() -> list[LayerData]:
    return sample_data.microtubules()


def opened(data: Any) -> Any:
    viewer = ViewerModel()
    for pixels, attributes, kind in data:
        assert kind == "image"
        viewer.add_image(pixels, **attributes)
    return viewer


@pytest.mark.parametrize("make", [sample_data.dna, sample_data.yeast])
def test_real_stacks_have_a_voxel_size_and_credit(make: Any) -> None:
    for layer in opened(make()).layers:
        stack = to_stack(layer)
        assert stack.axes == "ZYX"
        assert all(stack.voxel_size)
        assert "CC BY" in stack.metadata["provenance"]["licence"]


def test_the_simulated_psf_is_the_one_that_blurred(
    microtubules: list[LayerData],
) -> None:
    layers = opened(microtubules).layers
    psf = to_psf(layers["microtubules, PSF"])
    assert psf.voxel_size == pytest.approx((0.2, 0.08, 0.08))
    truth = np.asarray(layers["microtubules, truth"].data)
    blurred = np.asarray(layers["microtubules, blurred"].data)
    assert truth.shape == blurred.shape
    assert truth.max() <= 1 < blurred.max()


def test_the_sharp_set_shows_another_field(microtubules: list[LayerData]) -> None:
    layers = opened(microtubules).layers
    truth, other = (
        layers[n].data for n in ("microtubules, truth", "other field, sharp")
    )
    assert np.corrcoef(np.ravel(truth), np.ravel(other))[0, 1] < 0.2


def test_train_knows_what_to_do_with_it(
    microtubules: list[LayerData], qtbot: QtBot
) -> None:
    form = DataForm(opened(microtubules))
    qtbot.addWidget(form)
    form.reset_choices()
    assert [x.name for x in form.blurred.layers()] == ["microtubules, blurred"]
    assert [x.name for x in form.sharp.layers()] == ["other field, sharp"]
    assert form.make_sharp == "layers"
    optics = form.optics.optics()
    assert (optics.na, optics.ni, optics.wavelength) == (1.4, 1.515, 525)


@pytest.mark.parametrize(
    "make",
    [
        sample_data.dna,
        sample_data.yeast,
        sample_data.microtubules,
        sample_data.beads,
        sample_cells.cells,
        *OTHERS,
    ],
)
def test_no_sample_is_saturated_or_clipped(make: Any) -> None:
    for layer in opened(make()).layers:
        assert exposure_notes(to_stack(layer)) == ()


def test_beads_are_found_in_the_bead_sample() -> None:
    from napari_blurgan.identification.beads import detect_beads

    (layer,) = opened(sample_data.beads()).layers
    assert len(detect_beads(np.asarray(layer.data))) >= 5


@pytest.mark.parametrize("make", OTHERS)
def test_other_measurements_train_with_the_recipe_that_they_name(
    make: Any, qtbot: QtBot
) -> None:
    form = DataForm(opened(make()))
    qtbot.addWidget(form)
    form.reset_choices()
    (y,), x = form.blurred.layers(), form.sharp.layers()
    assert form.recipe is not None
    recipe = preset(form.recipe)
    assert len(x) == (0 if recipe.source.most_domains == 1 else 1)
    measured, sharp = to_stack(y), to_stack(x[0]) if x else None
    model = train(recipe.updated(TINY), measured, sharp, device="cpu")
    found = np.asarray(restore(model, measured, device="cpu").data)
    assert found.shape[-2:] == measured.data.shape[-2:]


def test_magnitudes_are_those_of_the_complex_layers() -> None:
    layers = opened(sample_measurements.heads()).layers
    for name in ("heads, undersampled", "other heads, fully sampled"):
        parts, shown = layers[name], layers[f"{name}, magnitude"]
        assert to_stack(parts).axes == "CZYX"
        found = np.abs(as_complex(np.asarray(parts.data)))
        np.testing.assert_allclose(found, shown.data, rtol=1e-6)
