"""The PSF widget in real napari: make, measure, look, compare, save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QPushButton
from scipy.ndimage import gaussian_filter

from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.optics.models import Optics, gaussian, support_shape
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur
from napari_blurgan.widgets._layers import to_psf
from napari_blurgan.widgets.psf import PsfWidget
from tests.support.docks import finish, opened

OPTICS: dict[str, Any] = {"na": 0.8, "ni": 1.0, "wavelength": 520}
VOXEL = (0.3, 0.1, 0.1)


@pytest.fixture
def widget(viewer: Viewer) -> Iterator[PsfWidget]:
    widget = opened(viewer, "PSF")
    widget.form.update_values({"layer": viewer.layers["blurred"], **OPTICS})
    yield widget
    finish(widget)


@pytest.fixture
def made(widget: PsfWidget, qtbot: QtBot) -> Callable[..., Image]:
    """Press a button and return the PSF layer that comes of it."""

    def press(button: QPushButton) -> Any:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget._job is None, timeout=60_000)
        return widget.look["psf"].value

    return press


def test_a_psf_from_optics_is_that_of_the_core(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image]
) -> None:
    widget.form["model"].value = "gaussian"
    layer = made(widget.make_button)
    assert layer in viewer.layers
    assert layer.scale == pytest.approx(VOXEL)
    expected = gaussian(Optics(**OPTICS), layer.data.shape, VOXEL)
    np.testing.assert_allclose(layer.data, expected.data)
    assert f"{expected.fwhm()[2]:.2f} µm" in widget.table.text()


def test_the_psf_holds_the_whole_cone_of_light(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image]
) -> None:
    """For a deep widefield stack the haze goes only with all of the cone."""
    shape, voxel = (41, 96, 96), (0.3, 0.1, 0.1)
    deep = viewer.add_image(np.zeros(shape), name="deep", scale=voxel)
    widget.form.update_values(
        {"layer": deep, "na": 1.4, "ni": 1.515, "model": "gaussian"}
    )
    optics = Optics(na=1.4, ni=1.515, wavelength=520)
    expected = psf_shape_for(optics, shape, voxel)
    assert expected != support_shape(optics, voxel)
    assert made(widget.make_button).data.shape == expected


def test_a_plane_gets_a_plane_and_no_width_in_z(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image]
) -> None:
    plane = viewer.add_image(np.zeros((64, 64)), name="plane", scale=(0.1, 0.1))
    widget.form.update_values({"layer": plane, "model": "gaussian"})
    layer = made(widget.make_button)
    assert layer is not None, widget.messages.text()
    assert layer.data.ndim == 2
    assert "maximum y, x:" in widget.table.text()
    assert "nan" not in widget.table.text()
    drawn = [axes.get_title() for axes in widget._figure.axes if axes.axison]
    assert drawn == ["xy, 4th root", "profiles", "transfer function"]


def test_the_optics_of_the_file_are_taken(viewer: Viewer, widget: PsfWidget) -> None:
    known = {"optics": {"na": 1.2, "ni": 1.333, "wavelength": 455.0}}
    layer = viewer.add_image(
        np.zeros((9, 30, 30)), scale=VOXEL, metadata={"napari-blurgan": known}
    )
    widget.form["layer"].value = layer
    found = {name: widget.form[name].value for name in known["optics"]}
    assert found == known["optics"]


@pytest.mark.parametrize("plugin", ["napari-blurgan", "napari"])
def test_the_optics_in_a_file_are_taken_whoever_read_it(
    viewer: Viewer, widget: PsfWidget, tmp_path: Path, plugin: str
) -> None:
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(
        path,
        np.zeros((9, 30, 30), np.uint16),
        metadata={"axes": "ZYX", "Channel": {"EmissionWavelength": 610}},
    )
    objective = (
        '<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.3" '
        'Immersion="Glycerol"/></Instrument><Image '
    )
    xml = tifffile.tiffcomment(path).replace("<Image ", objective, 1)
    tifffile.tiffcomment(path, xml.encode())
    (layer,) = viewer.open(path, plugin=plugin)
    widget.form["layer"].value = layer
    found = [widget.form[name].value for name in ("na", "ni", "wavelength")]
    assert found == pytest.approx([1.3, 1.47, 610])


def test_optics_that_physics_forbids_are_refused(
    widget: PsfWidget, made: Callable[..., Image]
) -> None:
    widget.form["na"].value = 1.2
    assert made(widget.make_button) is None
    assert "numerical aperture" in widget.messages.text()


def test_a_psf_from_beads_has_their_width(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image]
) -> None:
    points = np.zeros((33, 97, 97), np.float32)
    points[16, 24::48, 24::48] = 1
    psf = gaussian(Optics(**OPTICS), (21, 21, 21), VOXEL)
    noise = np.random.default_rng(0).normal(size=points.shape)
    image = 100 + 1e5 * blur(points, psf.data) + noise
    beads = viewer.add_image(
        image.astype(np.float32), name="beads", scale=VOXEL, units=("um",) * 3
    )
    widget.form.update_values({"layer": beads, "bead": 0})
    measured = to_psf(made(widget.beads_button))
    assert measured.fwhm() == pytest.approx(psf.fwhm(), rel=0.1)
    assert "4 of 4 beads" in widget.messages.text()
    marks = viewer.layers["beads · found beads"]
    true = [(16, y, x) for y in (24, 72) for x in (24, 72)]
    np.testing.assert_allclose(sorted(map(tuple, marks.data.round())), true)
    assert set(map(str, marks.symbol)) == {"disc"}
    assert (marks.face_color[:, 3] == 0).all()  # rings: the beads are seen in them
    np.testing.assert_allclose(marks.scale, beads.scale)


def test_no_beads_is_said(
    widget: PsfWidget, made: Callable[..., Image], viewer: Viewer
) -> None:
    widget.form["layer"].value = viewer.add_image(
        np.random.default_rng(0).normal(size=(9, 30, 30)), scale=VOXEL
    )
    assert made(widget.beads_button) is None
    assert "bead" in widget.messages.text()


def test_two_psfs_are_compared_in_numbers_and_lines(
    widget: PsfWidget, made: Callable[..., Image]
) -> None:
    widget.form["model"].value = "gaussian"
    first = made(widget.make_button)
    widget.form["wavelength"].value = 700
    second = made(widget.make_button)
    widget.look["other"].value = first
    expected = to_psf(second).ncc(to_psf(first))
    assert f"{expected:.3f}" in widget.table.text()
    profiles = widget._figure.axes[2]
    assert len(profiles.get_lines()) == 4


def test_it_is_saved_with_its_voxel_size(
    widget: PsfWidget,
    made: Callable[..., Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    widget.form["model"].value = "gaussian"
    layer = made(widget.make_button)
    path = tmp_path / "psf.ome.tif"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    qtbot.mouseClick(widget.save_button, Qt.MouseButton.LeftButton)
    loaded = Psf.load(path)
    assert loaded.voxel_size == pytest.approx(VOXEL)
    np.testing.assert_allclose(loaded.data, layer.data, rtol=1e-5)


def test_only_the_beads_that_were_clicked(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image], qtbot: QtBot
) -> None:
    points = np.zeros((33, 97, 97), np.float32)
    points[16, 24::48, 24::48] = 1
    psf = gaussian(Optics(**OPTICS), (21, 21, 21), VOXEL)
    noise = np.random.default_rng(0).normal(size=points.shape)
    image = 100 + 1e5 * blur(points, psf.data) + noise
    beads = viewer.add_image(image, name="beads", scale=VOXEL, translate=(1, 2, 3))
    widget.form.update_values({"layer": beads, "bead": 0})
    qtbot.mouseClick(widget.click_button, Qt.MouseButton.LeftButton)
    clicked = viewer.layers["beads · beads"]
    assert clicked.mode == "add"
    assert clicked.current_face_color == "#00000000"  # a ring: the bead is seen in it
    made(widget.beads_button)
    assert "click on beads" in widget.messages.text()
    clicked.add([[16, 24, 72], [16, 72, 25]])
    assert made(widget.beads_button).name == "PSF measured, 2 beads"
    assert "2 of 2 beads" in widget.messages.text()
    found = viewer.layers["beads · found beads"]
    assert found.features["verdict"].tolist() == ["good", "good"]
    np.testing.assert_allclose(sorted(found.data.tolist()), clicked.data, atol=1.5)
    np.testing.assert_allclose(found.scale, beads.scale)
    np.testing.assert_allclose(found.translate, beads.translate)


@pytest.mark.parametrize("click", [False, True])
def test_of_several_channels_the_beads_are_those_of_the_chosen_one(
    viewer: Viewer,
    widget: PsfWidget,
    made: Callable[..., Image],
    qtbot: QtBot,
    click: bool,
) -> None:
    points = np.zeros((25, 90, 90))
    points[12, 20::45, 20::45] = 1e5
    widths = (2, 1.5, 1.5), (3, 2.2, 2.2)
    random = np.random.default_rng(0)
    image = [random.poisson(gaussian_filter(points, w) + 50) for w in widths]
    beads = viewer.add_image(
        np.stack(image), scale=(1, *VOXEL), axis_labels=("c", "z", "y", "x")
    )
    widget.form.update_values({"layer": beads, "bead": 0})
    if click:
        qtbot.mouseClick(widget.click_button, Qt.MouseButton.LeftButton)
        widget.form["points"].value.add([[1, 12, 20, 20], [1, 12, 65, 65]])
    assert made(widget.beads_button) is None
    assert "more than one channel" in widget.messages.text()
    widget.form["channel"].value = 1
    wanted = np.multiply(VOXEL, widths[1]) * 2.355
    np.testing.assert_allclose(
        to_psf(made(widget.beads_button)).fwhm(), wanted, rtol=0.1
    )


def test_a_psf_is_sent_to_train_and_to_deconvolve(
    viewer: Viewer, widget: PsfWidget, made: Callable[..., Image], qtbot: QtBot
) -> None:
    widget.form["model"].value = "gaussian"
    layer = made(widget.make_button)
    for button in (widget.train_button, widget.deconvolve_button):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    docks = viewer.window.dock_widgets
    assert docks["Train (BlurGAN)"].advanced["psf"].value == layer
    assert docks["Deconvolve (BlurGAN)"].form["psf"].value == layer
