"""Where PSFs lie, what they are called, and that nothing hides under them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_blurgan import Psf
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.widgets._layers import to_psf
from napari_blurgan.widgets._psf_layers import add_psf, psf_layer, psf_title

UM = ("um",) * 3
OPTICS = Optics(1.4, 1.515, 520)


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((45, 40, 30)), name="cells", scale=(0.3, 0.1, 0.1))
    viewer.dims.set_point(0, 4.2)
    return viewer


def psf(**provenance: Any) -> Any:
    data = np.zeros((7, 9, 9))
    data[3, 4, 4] = 1
    return Psf(data, (0.3, 0.1, 0.1), provenance)


def overlap(a: Any, b: Any) -> Any:
    """Return whether two layers share a place in the plane, edges included."""
    boxes = [np.asarray(x._extent_world_augmented)[:, -2:] for x in (a, b)]
    low = np.max([box[0] for box in boxes], axis=0)
    high = np.min([box[1] for box in boxes], axis=0)
    return bool((low < high).all())


def test_it_lies_outside_its_source_and_apart_from_other_psfs(
    viewer: ViewerModel,
) -> None:
    source = viewer.layers["cells"]
    made = [add_psf(viewer, psf(), source) for _ in range(3)]
    everything = [source, *made]
    for i, one in enumerate(everything):
        assert not any(overlap(one, other) for other in everything[:i])
    for layer in made:
        assert layer.blending == "additive"
        assert layer.extent.world[0, 1] == pytest.approx(source.extent.world[0, 1])


def test_it_is_seen_on_a_light_canvas(viewer: ViewerModel) -> None:
    viewer.theme = "light"
    layer = add_psf(viewer, psf(), viewer.layers["cells"])
    assert layer.blending == "translucent_no_depth"


def test_the_plane_in_view_is_its_middle(viewer: ViewerModel) -> None:
    layer = add_psf(viewer, psf(), viewer.layers["cells"])
    assert layer.world_to_data(viewer.dims.point)[0] == pytest.approx(3)


def test_it_is_in_the_units_of_its_source() -> None:
    source = Image(np.zeros((45, 40, 30)), scale=(300, 100, 100), units=("nm",) * 3)
    _, attributes, _ = psf_layer(psf(), source)
    assert attributes["scale"] == pytest.approx((300, 100, 100))
    assert attributes["units"] == [source.units[-1]] * 3


def test_the_psf_of_a_plane_is_a_plane() -> None:
    source = Image(np.zeros((40, 30)), scale=(0.1, 0.1), units=("um", "um"))
    data, attributes, _ = psf_layer(Psf(np.ones((1, 5, 5)), (1, 0.1, 0.1)), source)
    assert data.shape == (5, 5)
    assert attributes["scale"] == pytest.approx((0.1, 0.1))


def test_the_psf_of_a_series_of_planes_is_seen_at_every_time(
    viewer: ViewerModel,
) -> None:
    source = viewer.add_image(
        np.zeros((20, 40, 30)),
        scale=(1, 0.1, 0.1),
        units=("pixel", "um", "um"),
        axis_labels=("t", "y", "x"),
    )
    flat = Psf(np.ones((1, 5, 5)), (1, 0.1, 0.1))
    layer = add_psf(viewer, flat, source)
    assert layer.data.shape == (5, 5)
    assert layer.axis_labels == ("y", "x")
    assert layer.units == source.units[1:]
    assert to_psf(layer).voxel_size == flat.voxel_size


@pytest.mark.parametrize(
    ("provenance", "title"),
    [
        (
            theoretical_psf(OPTICS, (5, 9, 9), (0.3, 0.1, 0.1)).provenance,
            "PSF computed NA 1.4 520 nm",
        ),
        ({"measured": "beads", "verdicts": {"good": 26}}, "PSF measured, 26 beads"),
        ({"measured": "beads", "verdicts": {"good": 1}}, "PSF measured, 1 bead"),
        ({"model": "learned", "step": 3}, "PSF learned"),
        ({"model": "given"}, "PSF given"),
        ({"file": "a.tif"}, "PSF a.tif"),
        ({}, "PSF"),
    ],
)
def test_it_is_named_by_what_it_is(
    provenance: Any, title: str, viewer: ViewerModel
) -> None:
    named = psf(**provenance)
    assert psf_title(named) == title
    assert add_psf(viewer, named, viewer.layers[0]).name == title


def test_a_layer_remembers_its_psf(viewer: ViewerModel) -> None:
    computed = theoretical_psf(OPTICS, (5, 9, 9), (0.3, 0.1, 0.1))
    back = to_psf(add_psf(viewer, computed, viewer.layers["cells"]))
    np.testing.assert_array_equal(back.data, computed.data)
    assert back.provenance == computed.provenance
    assert back.voxel_size == pytest.approx(computed.voxel_size)


def test_a_psf_in_voxels_keeps_what_it_knows(viewer: ViewerModel) -> None:
    source = viewer.add_image(np.zeros((9, 20, 20)), name="unmeasured")
    assert to_psf(add_psf(viewer, psf(), source)).voxel_size == (0.3, 0.1, 0.1)
