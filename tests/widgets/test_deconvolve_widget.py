"""The Deconvolve widget in real napari."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_blurgan.classical import memory
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.cli import main
from napari_blurgan.optics.models import Optics, gaussian
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tasks import deconvolve as task
from napari_blurgan.tasks.deconvolve import Glimpse
from napari_blurgan.widgets._background import UNKNOWN
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._psf_layers import psf_layer
from napari_blurgan.widgets.deconvolve import DeconvolveWidget
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.support.docks import finish, opened

PSF = gaussian(Optics(na=0.8, ni=1.0, wavelength=520), (7, 9, 9), (0.3, 0.1, 0.1))


@pytest.fixture
def widget(viewer: Viewer) -> Iterator[DeconvolveWidget]:
    data, attributes, _ = psf_layer(PSF, viewer.layers["blurred"])
    viewer.add_image(data, **attributes)
    widget = opened(viewer, "Deconvolve")
    widget.form["layer"].value = viewer.layers["blurred"]
    widget.advanced["device"].value = "cpu"
    yield widget
    finish(widget)


@pytest.fixture
def start(widget: DeconvolveWidget, qtbot: QtBot) -> Callable[..., None]:
    """Press Start and wait for the end."""

    def press() -> None:
        qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)

    return press


def test_the_result_is_that_of_the_core(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    widget.parameters["iterations"].value = 5
    start()
    source, result = viewer.layers["blurred"], viewer.layers["blurred · deconvolved"]
    expected = deconvolve(source.data, PSF, "rl", iterations=5, device="cpu").image
    np.testing.assert_allclose(result.data, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.extent.world, source.extent.world)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_fields_and_runs(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None], method: str
) -> None:
    widget.form["method"].value = method
    fields = widget.parameters.values()
    assert list(fields) == [p.name for p in METHODS[method].parameters]
    assert fields == {p.name: p.default for p in METHODS[method].parameters}
    small = {"iterations": 2, "rounds": 1}
    widget.parameters.update_values({n: v for n, v in small.items() if n in fields})
    start()
    assert "blurred · deconvolved" in viewer.layers, widget.messages.details


def test_a_rule_that_counts_photons_asks_for_the_camera(
    widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    widget.form["stop"].value = "discrepancy"
    start()
    assert "camera" in widget.messages.text()
    assert widget.run.start_button.isEnabled()


@pytest.fixture
def with_offset(viewer: Viewer, widget: DeconvolveWidget) -> Image:
    """Choose a layer with a camera's offset of 100."""
    rng = np.random.default_rng(0)
    pixels = rng.poisson(viewer.layers["blurred"].data + 100).astype(np.uint16)
    place = {"scale": (0.3, 0.1, 0.1), "units": ("um",) * 3}
    layer = viewer.add_image(pixels, name="offset", **place)
    widget.form["layer"].value = layer
    return layer


def test_the_background_is_the_offset_that_is_found(
    widget: DeconvolveWidget, with_offset: Image, qtbot: QtBot
) -> None:
    field = widget.form["background"]
    qtbot.waitUntil(lambda: field.value > 0, timeout=20_000)
    assert field.value == pytest.approx(100, abs=3)
    widget.camera.setChecked(True)  # its offset is 100, which is no background
    assert field.value == pytest.approx(0, abs=3)
    widget.camera.setChecked(False)
    assert field.value == pytest.approx(100, abs=3)


def test_a_background_that_was_entered_stays(
    widget: DeconvolveWidget, with_offset: Image, viewer: Viewer, qtbot: QtBot
) -> None:
    field = widget.form["background"]
    field.value = 42
    qtbot.waitUntil(lambda: not widget.background._job.running, timeout=20_000)
    widget.camera.setChecked(True)
    assert field.value == 42
    qtbot.mouseClick(widget.estimate_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: field.value not in (42, UNKNOWN), timeout=20_000)
    assert field.value == pytest.approx(0, abs=3)
    widget.form["layer"].value = viewer.layers["blurred"]
    assert field.value != 42


def test_whoever_starts_at_once_gets_the_same(
    viewer: Viewer,
    widget: DeconvolveWidget,
    with_offset: Image,
    start: Callable[..., None],
) -> None:
    widget.parameters["iterations"].value = 2
    widget.form["background"].value = UNKNOWN  # as it is before the thread has ended
    start()
    said = viewer.layers["offset · deconvolved"].metadata["napari-blurgan"]
    parameters = said["provenance"]["parameters"]
    assert parameters["background"] == pytest.approx(100, abs=3)
    assert "background was estimated" in widget.messages.text()


def test_why_it_stopped_is_reported(
    widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    widget.form["stop"].value = "change"
    widget.parameters["iterations"].value = 3
    start()
    assert "3 iterations: all iterations are done" in widget.messages.text()


def test_the_layer_says_where_it_comes_from_as_a_file_does(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None], tmp_path: Path
) -> None:
    image, psf, out = (tmp_path / f"{n}.ome.tif" for n in ("image", "psf", "out"))
    blurred = viewer.layers["blurred"]
    write_ome_tiff(image, blurred.data.astype(np.float32), "ZYX", (0.3, 0.1, 0.1))
    PSF.save(psf)
    words = f"deconvolve rl {image} --psf {psf} --out {out} --iterations 2"
    main([*words.split(), "--background", "3", "--device", "cpu"])
    expected = read_stack(out).metadata["provenance"]

    widget.form["background"].value = 3
    widget.parameters["iterations"].value = 2
    start()
    said = viewer.layers["blurred · deconvolved"].metadata["napari-blurgan"]
    found = said["provenance"]
    # Only a command has a command line to keep.
    assert set(expected) - set(found) == {"command"}
    assert set(found) < set(expected)
    for name in ("software", "version", "step", "method", "parameters", "psf"):
        assert found[name] == expected[name], name


def test_what_is_done_to_the_psf_is_reported(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    moved = np.roll(PSF.data, (2, 0, 3), (0, 1, 2))
    place = {"scale": (0.3, 0.1, 0.1), "units": ("um",) * 3}
    widget.form["psf"].value = viewer.add_image(moved, name="moved", **place)
    widget.parameters["iterations"].value = 1
    start()
    assert "(z, y, x): centred" in widget.messages.text()


def test_every_channel_of_a_stack(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    blurred = viewer.layers["blurred"]
    both = viewer.add_image(
        np.stack([blurred.data, 2 * blurred.data]),
        name="both",
        scale=(1, 0.3, 0.1, 0.1),
        units=("pixel", "um", "um", "um"),
        axis_labels=("c", "z", "y", "x"),
    )
    widget.form["layer"].value = both
    widget.parameters["iterations"].value = 2
    start()
    first, second = viewer.layers["both · deconvolved"].data
    np.testing.assert_allclose(second, 2 * first, rtol=1e-3, atol=1e-4)


def test_cancel_leaves_nothing(
    viewer: Viewer, widget: DeconvolveWidget, qtbot: QtBot
) -> None:
    before = list(viewer.layers)
    widget.form["background"].value = 0  # else what was estimated is said
    widget.parameters["iterations"].value = 10_000
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Iteration" in widget.run.words.text(), timeout=60_000)
    qtbot.mouseClick(widget.run.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=20_000)
    assert list(viewer.layers) == before
    assert widget.messages.text() == ""


def test_without_a_psf_it_says_where_to_get_one(
    viewer: Viewer,
    widget: DeconvolveWidget,
    start: Callable[..., None],
    qtbot: QtBot,
) -> None:
    """And it says so before Start."""
    viewer.layers.remove("PSF computed NA 0.8 520 nm")
    qtbot.waitUntil(lambda: "PSF widget" in widget.plan.text(), timeout=30_000)
    start()
    assert "PSF widget" in widget.messages.text()


def test_keep_ends_here_with_what_was_seen(
    viewer: Viewer, widget: DeconvolveWidget, qtbot: QtBot
) -> None:
    widget.parameters["iterations"].value = 10_000
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "blurred · preview" in viewer.layers, timeout=60_000)
    preview = viewer.layers["blurred · preview"]
    np.testing.assert_allclose(
        preview.extent.world, viewer.layers["blurred"].extent.world
    )
    preview.contrast_limits = (3, 70)
    qtbot.mouseClick(widget.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=20_000)
    assert "blurred · preview" not in viewer.layers
    layer = viewer.layers["blurred · deconvolved"]
    assert tuple(layer.contrast_limits) == (3, 70)
    result = layer.data
    once = deconvolve(viewer.layers["blurred"].data, PSF, iterations=1).image
    assert result.std() > once.std()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Preview every iteration; leave no frame before its predecessor was seen.

    Return the events to set once the preview of a time point was seen.
    """
    seen = [Event() for _ in range(3)]

    def glimpse(image: np.ndarray, time: Any) -> Any:
        assert time == 0 or seen[time - 1].wait(60)
        return Glimpse(image, time)

    monkeypatch.setattr(task, "EVERY", 0)
    monkeypatch.setattr(task, "Glimpse", glimpse)
    return seen


def test_the_preview_of_a_film_is_seen_at_its_time_point(
    viewer: Viewer, widget: DeconvolveWidget, qtbot: QtBot, unhurried: Any
) -> None:
    blurred = viewer.layers["blurred"].data
    frames = np.stack([blurred, blurred[:, ::-1], blurred[:, :, ::-1]])
    film = viewer.add_image(
        frames,
        name="film",
        scale=(1, 0.3, 0.1, 0.1),
        units=("s", "um", "um", "um"),
        axis_labels=("t", "z", "y", "x"),
    )
    widget.form["layer"].value = film
    widget.parameters["iterations"].value = 60
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    seen = {}

    def look() -> Any:
        if "film · preview" in viewer.layers:
            preview = viewer.layers["film · preview"]
            low, high = preview.extent.world[:, 0]
            assert low == high
            seen[round(low)] = np.array(preview.data)
            unhurried[round(low)].set()
        return widget.run.phase is Phase.IDLE

    qtbot.waitUntil(look, timeout=60_000)
    assert {0, 1} <= set(seen)  # the last may be replaced by the result at once
    # Brightness will not do: it falls by a quarter in the course of the iterations.
    for time, image in seen.items():
        alike = [np.corrcoef(image.ravel(), f.ravel())[0, 1] for f in frames]
        assert np.argmax(alike) == time and max(alike) > 0.1


def test_the_criterion_is_drawn(
    widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    widget.form["stop"].value = "change"
    widget.parameters["iterations"].value = 4
    assert widget.plot.isHidden()
    start()
    assert not widget.plot.isHidden()
    assert widget.plot.last_step == 3  # of the last estimate nothing was asked


def test_what_counts_photons_asks_for_the_camera_before_start(
    widget: DeconvolveWidget, qtbot: QtBot
) -> None:
    widget.form["stop"].value = "held-out"
    qtbot.waitUntil(lambda: "Camera known" in widget.plan.text(), timeout=30_000)
    widget.camera.setChecked(True)
    qtbot.waitUntil(lambda: "1 frame" in widget.plan.text(), timeout=30_000)


def test_the_plan_says_what_it_would_take(
    widget: DeconvolveWidget, qtbot: QtBot
) -> None:
    widget.parameters["iterations"].value = 7
    qtbot.waitUntil(lambda: "in one piece, about" in widget.plan.text(), timeout=30_000)
    assert "1 frame " in widget.plan.text()


def test_a_stack_larger_than_the_memory_goes_in_tiles(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    widget.parameters["iterations"].value = 3
    request = widget._request()
    need = memory.peak_bytes(
        METHODS["rl"], request.stack.spatial_shape, request.psfs[0]
    )
    small = replace(request, memory=int(0.8 * need))
    assert "tiles" in small.plan(print)[0]
    result = np.asarray(small.run(lambda event: None).data)
    whole = deconvolve(request.stack.data, PSF, iterations=3, device="cpu").image
    error = np.linalg.norm(result - whole) / np.linalg.norm(whole)
    assert 0 < error < 0.02


def test_channels_may_have_their_own_psfs(
    viewer: Viewer, widget: DeconvolveWidget, start: Callable[..., None]
) -> None:
    blurred = viewer.layers["blurred"]
    wide = gaussian(Optics(na=0.6, ni=1.0, wavelength=520), (7, 9, 9), (0.3, 0.1, 0.1))
    data, attributes, _ = psf_layer(wide, blurred)
    other = viewer.add_image(data, **{**attributes, "name": "wide"})
    both = viewer.add_image(
        np.stack([blurred.data, blurred.data]),
        name="both",
        scale=(1, 0.3, 0.1, 0.1),
        units=("pixel", "um", "um", "um"),
        axis_labels=("c", "z", "y", "x"),
    )
    widget.form["layer"].value = both
    widget.psfs["psf 1"].value = other
    widget.parameters["iterations"].value = 2
    start()
    for channel, psf in enumerate((PSF, wide)):
        expected = deconvolve(blurred.data, psf, iterations=2, device="cpu").image
        found = viewer.layers["both · deconvolved"].data[channel]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
