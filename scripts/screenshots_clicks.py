"""Photograph the way from a dropped TIFF to a restored preview: six clicks, no typing.

An ImageJ TIFF with calibration and without sharp data is dropped on napari; every step
that a person takes is a real click, and has a picture. Needs a screen and changes
napari's settings, as `screenshots.py` does.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/screenshots_clicks.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import tifffile
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from screenshots import LOOKS, OUT, PATIENCE, Studio, is_idle, wait

from napari_blurgan.tasks.samples import microtubule_sample

__all__ = ["main"]


def imagej_tiff(folder: Path) -> Path:
    """Write a stack as ImageJ does, its voxel size in the header."""
    _, blurred, _ = microtubule_sample()
    z, y, x = blurred.voxel_size
    path = folder / "cell.tif"
    tifffile.imwrite(
        path,
        np.asarray(blurred.data).clip(0).astype(np.uint16),
        imagej=True,
        resolution=(1 / x, 1 / y),
        metadata={"axes": "ZYX", "spacing": z, "unit": "um"},
    )
    return path


class Person:
    """Clicks, and counts the clicks.

    Parameters
    ----------
    studio : Studio
        The window, and the camera for each step.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.clicks = 0

    def drop(self, path: Path) -> None:
        """Let a file fall on the canvas."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        event = QDropEvent(
            QPointF(200, 200),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        window = self.studio.viewer.window._qt_viewer
        window._qt_open = self._open_with_blurgan(window._qt_open)
        window.dropEvent(event)

    def _open_with_blurgan(self, real: object) -> object:
        """Answer napari's question which reader to take, as its dialog would."""

        def open_(paths: list[str], stack: bool = False, **options: object) -> None:
            self.clicks += 1
            self.studio.viewer.open(paths, plugin="napari-blurgan")

        return open_

    def menu(self, *entries: str) -> None:
        """Follow a path through the menus."""
        bar = self.studio.viewer.window._qt_window.menuBar()
        for number, name in enumerate(entries):
            if hasattr(bar, "aboutToShow"):
                bar.aboutToShow.emit()
            entry = next(
                a for a in bar.actions() if a.text().replace("&", "").startswith(name)
            )
            self.click(bar, bar.actionGeometry(entry).center())
            if number == len(entries) - 2:
                wait(0.3)
            bar = entry.menu()

    def click(self, widget: QWidget, place: object = None) -> None:
        """Press the left button on a widget."""
        self.clicks += 1
        at = widget.rect().center() if place is None else place
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
        QApplication.processEvents()

    def shoot(self, name: str) -> None:
        """Take the picture of a step."""
        self.studio.shoot(f"clicks-{name}")


def walk(folder: Path) -> None:
    """Go the way once, in the look of the day."""
    studio = Studio()
    person = Person(studio)
    person.drop(imagej_tiff(folder))
    wait(1)
    person.shoot("1-dropped")
    person.menu("Plugins", "BlurGAN", "Train")
    wait(1)
    widget = studio.viewer.window.dock_widgets["Train (BlurGAN)"]
    print(f"sharp set: {widget.data.make_sharp}, {widget.missing.text()}", flush=True)
    person.shoot("2-train")
    person.click(widget.run.start_button)
    seen = lambda: any("preview" in x.name for x in studio.viewer.layers)  # noqa: E731
    wait(3)
    person.shoot("3-preparing")
    wait(PATIENCE, lambda: seen() or is_idle(widget))
    wait(1.5)
    person.shoot("4-estimate")
    wait(PATIENCE, lambda: widget.plot.last_step > 20 or is_idle(widget))
    wait(1.5)
    person.shoot("5-preview")
    print(f"{person.clicks} clicks; {widget.messages.text()}", flush=True)
    widget.run.stop_button.click()
    wait(PATIENCE, lambda: is_idle(widget))
    studio.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.add_argument("--looks", nargs="+", default=list(LOOKS), choices=LOOKS)
    options = parser.parse_args()
    Studio.out = options.out
    for look in options.looks:
        Studio.folder = look
        with tempfile.TemporaryDirectory() as folder:
            walk(Path(folder))


if __name__ == "__main__":
    main()
