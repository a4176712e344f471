"""Photograph the way from a dropped TIFF to a restored preview: five clicks, no typing.

An ImageJ TIFF with calibration and without sharp data is dropped on napari; every step
that a person takes is a real click, and has a picture. Needs a screen and changes
napari's settings, as `screenshots.py` does.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/screenshots_clicks.py
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from qtpy.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QWidget
from screenshots import LOOKS, OUT, Studio, expect, is_idle, strangers_home, wait

from napari_blurgan.tasks.samples import microtubule_sample

__all__ = ["main"]

MOST = 5
"""Clicks, none of them followed by typing."""
STEPS = 20
"""Of the training, after which its preview is photographed."""


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
        self._photographed = 0

    def drop(self, path: Path) -> None:
        """Let a file fall on the canvas, and answer napari's question by its OK.

        The first reader is chosen already, which is ours: they are sorted by name.
        """
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        event = QDropEvent(
            QPointF(200, 200),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QTimer.singleShot(1000, self._answer)
        self.studio.viewer.window._qt_viewer.dropEvent(event)

    def _answer(self) -> None:
        """Photograph the dialog that waits for an answer, and press OK."""
        dialog = QApplication.activeModalWidget()
        if dialog is None:  # not there yet
            QTimer.singleShot(1000, self._answer)
            return
        self.shoot("which reader", dialog)
        (box,) = dialog.findChildren(QDialogButtonBox)
        self.click(box.button(QDialogButtonBox.StandardButton.Ok))

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

    def shoot(self, name: str, above: QWidget | None = None) -> None:
        """Take the picture of a step, with a dialog that lies above the window."""
        self._photographed += 1
        words = name.replace(" ", "-")
        self.studio.shoot(f"clicks-{self._photographed}-{words}", above)
        print(f"after {self.clicks} clicks: {name}", flush=True)


def walk(folder: Path) -> None:
    """Go the way once, in the look of the day."""
    studio = Studio()
    person = Person(studio)
    wait(1)
    person.drop(imagej_tiff(folder))
    wait(1)
    person.shoot("dropped")
    person.menu("Plugins", "BlurGAN", "Train")
    wait(1)
    widget = studio.viewer.window.dock_widgets["Train (BlurGAN)"]
    person.shoot("train")
    person.click(widget.run.start_button)
    seen = lambda: any("preview" in x.name for x in studio.viewer.layers)  # noqa: E731
    expect(lambda: seen() or is_idle(widget))
    wait(1.5)
    person.shoot("estimate")
    expect(lambda: widget.plot.last_step > STEPS or is_idle(widget))
    wait(1.5)
    person.shoot("preview")
    assert seen(), widget.messages.text()
    assert person.clicks <= MOST, person.clicks
    widget.run.stop_button.click()
    expect(lambda: is_idle(widget))
    studio.close()


def main(looks: Sequence[str]) -> None:
    """Go the way in each look."""
    for look in looks:
        with (
            strangers_home(look),
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
        ):
            walk(Path())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.add_argument("--looks", nargs="+", default=list(LOOKS), choices=LOOKS)
    options = parser.parse_args()
    Studio.out = options.out.absolute()
    main(options.looks)
