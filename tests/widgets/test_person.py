"""What a person does, by mouse alone: real menus, real buttons, every click counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QDockWidget

from napari_blurgan.tasks.samples import microtubule_sample
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._docks import ancestor
from napari_blurgan.writing.ome_tiff import write_ome_tiff

pytestmark = pytest.mark.person

CLICKS = 5
TRAINING = 5.0
"""Seconds that a person waits before pausing."""


@pytest.fixture
def person(make_napari_viewer: Callable[..., Viewer], qtbot: QtBot) -> Iterator[Person]:
    person = Person(make_napari_viewer(show=True), qtbot)
    yield person
    for dock in person.viewer.window.dock_widgets.values():
        if getattr(dock, "_job", None) is not None:
            dock._job.finish(20)


class Person:
    """Someone with a mouse and no keyboard."""

    def __init__(self, viewer: Viewer, qtbot: QtBot) -> None:
        self.viewer = viewer
        self.clicks = 0
        self._qtbot = qtbot

    def choose(self, *path: str) -> None:
        """Follow a path through the menus of the window, clicking each entry."""
        bar = self.viewer.window._qt_window.menuBar()
        for name in path:
            self.until(bar.isVisible)
            entry = next(a for a in bar.actions() if plain(a.text()).startswith(name))
            self.click(bar, bar.actionGeometry(entry).center())
            bar = entry.menu()

    def click(self, widget: Any, place: Any = None) -> None:
        self.clicks += 1
        place = widget.rect().center() if place is None else place
        self._qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)

    def widget(self, name: str) -> Any:
        return self.viewer.window.dock_widgets[f"{name} (BlurGAN)"]

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=300_000)

    def until_layer(self, name: str, widget: Any) -> Any:
        self.until(lambda: name in self.viewer.layers or idle(widget))
        assert name in self.viewer.layers, widget.messages.details
        return self.viewer.layers[name]

    def drop_on_canvas(self, path: Path) -> None:
        """Let a file fall on the canvas, and press OK in the dialog that comes."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        rest = (mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        event = QDropEvent(QPointF(200, 200), Qt.DropAction.CopyAction, *rest)
        QTimer.singleShot(100, self._accept)
        self.viewer.window._qt_viewer.dropEvent(event)

    def _accept(self) -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:  # not there yet
            QTimer.singleShot(100, self._accept)
            return
        (box,) = dialog.findChildren(QDialogButtonBox)
        self.click(box.button(QDialogButtonBox.StandardButton.Ok))

    def drop(self, widget: Any, path: Path) -> None:
        """Drag a file over a widget and let it fall."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        rest = (mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        copy, target = Qt.DropAction.CopyAction, widget.viewport()
        for event in (
            QDragEnterEvent(QPoint(9, 9), copy, *rest),
            QDragMoveEvent(QPoint(9, 9), copy, *rest),
            QDropEvent(QPointF(9, 9), copy, *rest),
        ):
            QApplication.sendEvent(target, event)
            assert event.isAccepted()


def plain(text: str) -> Any:
    return text.replace("&", "")


def idle(widget: Any) -> Any:
    return widget.run.phase is Phase.IDLE


def test_learn_watch_trust_restore(person: Person) -> None:
    """From a sample to a restored layer compared with the truth."""
    person.choose("File", "Open Sample", "BlurGAN", "Microtubules")
    person.clicks = 0
    person.choose("Plugins", "BlurGAN", "Train")
    train = person.widget("Train")
    person.click(train.run.start_button)
    started = time.monotonic()
    preview = person.until_layer("microtubules, blurred · preview", train)
    assert person.clicks <= CLICKS

    psf = person.until_layer("microtubules, blurred · PSF learned", train)
    first, restored = np.array(psf.data), np.array(preview.data)
    person.until(lambda: not np.array_equal(psf.data, first))
    person.until(lambda: not np.array_equal(preview.data, restored))
    assert train.psf.isVisible()
    assert "theory" in train.psf.text()
    person.until(lambda: time.monotonic() - started > TRAINING)

    person.click(train.run.pause_button)
    person.until(lambda: train._job._trainer.paused)
    person.click(train.run.pause_button)
    step = train.plot.last_step
    person.until(lambda: train.plot.last_step > step)
    person.click(train.before_button)
    assert not preview.visible
    person.click(train.before_button)
    person.click(train.run.stop_button)
    person.until(lambda: idle(train))

    assert train.restore_button.isEnabled()
    person.click(train.restore_button)
    restore = person.widget("Restore")
    assert restore.form["layer"].value.name == "microtubules, blurred"
    person.click(restore.run.start_button)
    result = person.until_layer("microtubules, blurred · restored", restore)
    person.until(lambda: idle(restore))
    assert result.scale == pytest.approx((0.2, 0.08, 0.08))

    person.choose("Layers", "Measure", "Compare")
    compare = person.widget("Compare")
    compare.form["first"].value = result
    compare.form["second"].value = person.viewer.layers["microtubules, truth"]
    person.click(compare.measure_button)
    person.until(lambda: compare._job is None)
    assert "PSNR" in compare.table.text()


@pytest.mark.parametrize(
    ("sample", "image"),
    [
        ("Nucleus", "nucleus, widefield"),
        ("Yeast", "yeast mitochondria"),
        ("Beads", "beads"),
        ("Cells", "dim cells"),
    ],
)
def test_four_clicks_on_every_sample(person: Person, sample: str, image: str) -> None:
    """Whatever the sample knows of itself; Microtubules are learned from above."""
    person.choose("File", "Open Sample", "BlurGAN", sample)
    person.clicks = 0
    person.choose("Plugins", "BlurGAN", "Train")
    train = person.widget("Train")
    person.until(lambda: not train.missing.pending)
    assert not train.missing.text()
    person.click(train.run.start_button)
    person.until_layer(f"{image} · preview", train)
    assert person.clicks == 4
    if sample == "Nucleus":  # whose optics are known
        assert "do not match" not in train.messages.text()
    person.click(train.run.stop_button)
    person.until(lambda: idle(train))


def test_a_plane_too_noisy_for_its_blur_is_denoised_by_one_more_click(
    person: Person,
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.poisson(np.full((64, 64), 3.0)).astype(np.uint16)
    person.viewer.add_image(pixels, name="dark", scale=(0.1, 0.1), units=("um", "um"))
    person.choose("Plugins", "BlurGAN", "Train")
    train = person.widget("Train")
    person.click(train.run.start_button)
    person.until(lambda: idle(train))
    assert "or remove only the noise" in train.messages.text()
    person.until(train.messages._way.isVisible)
    assert train.messages._way.text() == "Denoise instead"
    person.click(train.messages._way)
    person.until(lambda: train.plot.last_step > 0 or idle(train))
    assert not train.messages.details, train.messages.details
    assert train.form["preset"].value == "noise2self"
    assert not train.messages._way.isVisible()
    person.until_layer("dark · preview", train)
    assert not train.psf.isVisible()  # there is none to be learned
    person.click(train.run.stop_button)
    person.until(lambda: idle(train))


# PySide6 deprecates the constructor, and offers no other that takes a position.
@pytest.mark.filterwarnings("ignore:.*QDrag.*is marked as deprecated")
def test_from_a_dropped_tiff_without_sharp_images_to_a_preview(
    person: Person, tmp_path: Path
) -> None:
    """An ImageJ hyperstack with calibration: five clicks and no typing."""
    _, blurred, _ = microtubule_sample()
    path = tmp_path / "cell.tif"
    tifffile.imwrite(
        path,
        np.asarray(blurred.data).clip(0).astype(np.uint16),
        imagej=True,
        resolution=(12.5, 12.5),
        metadata={"axes": "ZYX", "spacing": 0.2, "unit": "um"},
    )
    person.drop_on_canvas(path)
    assert person.viewer.layers["cell"].scale == pytest.approx((0.2, 0.08, 0.08))
    person.choose("Plugins", "BlurGAN", "Train")
    train = person.widget("Train")
    person.click(train.run.start_button)
    preview = person.until_layer("cell · preview", train)
    first = np.array(preview.data)
    person.until(lambda: train.plot.last_step > 0 or idle(train))
    person.until(lambda: not np.array_equal(preview.data, first) or idle(train))
    assert person.clicks <= CLICKS
    assert not train.messages.details, train.messages.details
    person.click(train.run.stop_button)
    person.until(lambda: idle(train))


@pytest.mark.filterwarnings("ignore:.*QDrag.*is marked as deprecated")
def test_from_a_dropped_tiff_without_a_voxel_size_to_a_preview(
    person: Person, tmp_path: Path
) -> None:
    """Neither calibration nor axes nor optics: nothing has to be typed either."""
    _, blurred, _ = microtubule_sample((24, 96, 96))
    path = tmp_path / "bare.tif"
    pixels = np.asarray(blurred.data).clip(0).astype(np.uint16)
    tifffile.imwrite(path, pixels, photometric="minisblack")
    person.drop_on_canvas(path)
    assert person.viewer.layers["bare"].scale == pytest.approx((1, 1, 1))
    person.choose("Plugins", "BlurGAN", "Train")
    train = person.widget("Train")
    person.until(lambda: not train.missing.pending)
    assert train.data.voxels.isVisible()  # asked for, but not needed
    assert not train.missing.text()
    person.click(train.run.start_button)
    person.until_layer("bare · preview", train)
    person.until(lambda: train.plot.last_step > 0 or idle(train))
    assert not train.messages.details, train.messages.details
    person.click(train.run.stop_button)
    person.until(lambda: idle(train))


@pytest.mark.filterwarnings("ignore:.*QDrag.*is marked as deprecated")
def test_a_file_is_dropped_from_the_desktop(
    person: Person, tmp_path: Path, volumes: tuple[np.ndarray, np.ndarray]
) -> None:
    path = tmp_path / "cell.ome.tif"
    pixels = volumes[0].astype(np.float32)
    write_ome_tiff(path, pixels, "ZYX", (0.3, 0.1, 0.1))
    person.choose("Layers", "Filter", "Train")
    train = person.widget("Train")
    person.drop(train.data.blurred, path)
    assert train.data.blurred.sources() == [path]
    (stack,) = train.data.blurred.stacks()
    assert stack.voxel_size == (0.3, 0.1, 0.1)


def test_docks_from_the_menu_are_tabs_that_can_be_read(person: Person) -> None:
    """On a small screen, all seven of them opened one after the other."""
    window = person.viewer.window._qt_window
    window.resize(1280, 800)
    names = ["Train", "Restore", "Deconvolve", "PSF", "Compare"]
    names += ["Threshold", "Transform"]
    for name in names:
        person.choose("Plugins", "BlurGAN", name)
        person.until(lambda name=name: person.widget(name).isVisible())  # type: ignore[misc]
        QApplication.processEvents()
    docks = [ancestor(person.widget(name), QDockWidget) for name in names]
    assert len(window.tabifiedDockWidgets(docks[0])) == len(names) - 1
    assert {dock.height() >= 400 for dock in docks} == {True}
    assert docks[-1].height() == docks[0].height()
