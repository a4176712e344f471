"""Photograph every widget in a real window, in its main states, for the docs.

Every picture is taken twice: in the dark theme, and in the light one with type half as
large again (`docs/images/large`); nothing may be cut off in either.

Needs a screen, and changes napari's settings: `make screenshots` brings a virtual
screen and a home of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import napari
import numpy as np
from napari.settings import get_plugin_settings, get_settings
from PIL import Image
from qtpy.QtCore import QSettings
from qtpy.QtGui import QAction, QImage
from qtpy.QtWidgets import QApplication, QMenu, QScrollArea, QWidget
from scipy.ndimage import gaussian_filter

from napari_blurgan import preset
from napari_blurgan import train as training
from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.tasks.samples import VOXEL, microtubule_sample
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._layers import stack_layer
from napari_blurgan.widgets._psf_layers import offered_psfs
from napari_blurgan.widgets._state import models

OUT = Path(__file__).parents[1] / "docs" / "images"
SIZE = (1280, 800)
LOOKS = {"": ("dark", 9), "large": ("light", 14)}
"""Folder, theme and size of type in points; 9 is napari's own."""
QUICK = "reconstructor.iterations=20"
"""Changes of the recipe: a picture need not wait for the best number."""
PATIENCE = 3600.0
"""Seconds until a scene is given up."""


class Studio:
    """A real napari window in the look of the day, and a camera."""

    folder = ""
    out = OUT

    def __init__(self) -> None:
        appearance = get_settings().appearance
        appearance.theme, appearance.font_size = LOOKS[self.folder]
        self.viewer = napari.Viewer(show_welcome_screen=False)
        self.viewer.window.resize(*SIZE)

    def open(self, sample: str, widget: str) -> QWidget:
        """Open a sample and a widget, as a person would from the menus."""
        if sample:
            self.viewer.open_sample("napari-blurgan", sample)
        entry(self.viewer.window.plugins_menu, "BlurGAN", widget).trigger()
        wait(1.0)
        return self.viewer.window.dock_widgets[f"{widget} (BlurGAN)"]

    def shoot(self, name: str, above: QWidget | None = None) -> None:
        """Take a picture of the whole window, and of a dialog above it."""
        wait(0.7)
        QApplication.sendPostedEvents()  # what was said just now has its place
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        assert pixels.shape[:2] == SIZE[::-1], "the window has grown"
        if above is not None:
            pixels = with_dialog(pixels, above)
        path = self.out / self.folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # A palette is enough for a user interface, and a third of the size.
        Image.fromarray(pixels[..., :3]).quantize(256).save(path, optimize=True)
        print(path, pixels.shape[:2], flush=True)

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        wait(0.5)


def with_dialog(window: np.ndarray, dialog: QWidget) -> np.ndarray:
    """Return a picture of a window with that of a dialog in the middle."""
    image = dialog.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    rows, columns = image.height(), image.width()
    pixels = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    pixels = pixels.reshape(rows, columns, 4)
    place = [
        (n - m) // 2 for n, m in zip(window.shape[:2], (rows, columns), strict=True)
    ]
    whole = window.copy()
    whole[place[0] : place[0] + rows, place[1] : place[1] + columns] = pixels
    return whole


@contextlib.contextmanager
def strangers_home(look: str) -> Iterator[None]:
    """Let the next windows have a look, and know of nothing that was done before."""
    Studio.folder = look
    with tempfile.TemporaryDirectory() as home:
        form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        QSettings.setPath(form, scope, home)
        get_plugin_settings("napari-blurgan").compute.models = f"{home}/models"
        yield


def entry(menu: QMenu, *path: str) -> QAction:
    """Return an entry of a menu, its submenus filled as if they had been opened."""
    menu.aboutToShow.emit()
    found = next(a for a in menu.actions() if a.text().startswith(path[0]))
    return entry(found.menu(), *path[1:]) if path[1:] else found


def wait(seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    """Let Qt work until something is true or time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        QApplication.processEvents()
        time.sleep(0.005)


def expect(what: Callable[[], bool]) -> None:
    """Let Qt work until something is true: a picture of anything else would lie."""
    wait(PATIENCE, what)
    assert what(), "what was to be photographed did not come"


def is_idle(widget: QWidget) -> bool:
    return widget.run.phase is Phase.IDLE


def train(seconds: float) -> None:
    studio = Studio()
    widget = studio.open("microtubules", "Train")
    widget.advanced["changes"].value = QUICK
    widget.place.name.setText("microtubules")
    studio.shoot("train-idle")
    widget.run.start_button.click()
    expect(lambda: not widget.plot.is_empty or is_idle(widget))
    assert not widget.plot.is_empty, widget.messages.text()
    wait(seconds, lambda: is_idle(widget))
    studio.shoot("train-running")
    widget.run.stop_button.click()
    expect(lambda: is_idle(widget))
    studio.shoot("train-done")
    studio.close()


def train_error() -> None:
    """Force the commonest failure, as a GPU would tell it."""
    studio = Studio()
    widget = studio.open("microtubules", "Train")
    widget.advanced["changes"].value = QUICK
    real = Engine.step

    def run_out(self: Engine, rate: float) -> dict[str, float]:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    Engine.step = run_out  # type: ignore[method-assign]
    widget.run.start_button.click()
    expect(lambda: is_idle(widget))
    Engine.step = real  # type: ignore[method-assign]
    studio.shoot("train-error")
    studio.close()


def restore() -> None:
    studio = Studio()
    widget = studio.open("microtubules", "Restore")
    assert widget.form["model"].value is not None, "the scene train makes the model"
    # The whole PSF: that of a training is as large as a step can afford.
    widget.advanced["psf"].value = studio.viewer.layers["microtubules, PSF"]
    expect(lambda: bool(widget.plan.text()))
    studio.shoot("restore-idle")
    widget.preview_button.click()
    expect(lambda: is_idle(widget))
    studio.shoot("restore-preview")
    get_plugin_settings("napari-blurgan").compute.memory = 0.1  # several tiles
    widget.run.start_button.click()
    expect(lambda: "Tile" in widget.run.words.text() or is_idle(widget))
    studio.shoot("restore-running")
    expect(lambda: is_idle(widget))
    get_plugin_settings("napari-blurgan").compute.memory = 0
    studio.shoot("restore-done")
    widget.form["out"].value = "restored.jpg"
    widget.run.start_button.click()
    expect(lambda: is_idle(widget))
    studio.shoot("restore-error")
    studio.close()


def evidence() -> None:
    """On a small field, for it is restored some ten times; then a folder of such."""
    studio = Studio()
    _, blurred, _ = microtubule_sample()
    small = Stack(blurred.data[8:24, 50:130, 10:90], "ZYX", VOXEL, "cell")
    data, attributes, _ = stack_layer(small)
    studio.viewer.add_image(data, **attributes)
    widget = studio.open("", "Restore")
    assert widget.form["model"].value is not None, "the scene train makes the model"
    widget.run.start_button.click()
    expect(lambda: is_idle(widget))
    widget.evidence_button.click()
    expect(lambda: is_idle(widget))
    scroll_to_end(widget)
    studio.shoot("restore-evidence")
    scroll_to_end(widget, 0)
    restore_folder(studio, widget, small)
    studio.close()


def draws() -> None:
    """Many answers, of a model that is trained for it on a few noisy planes."""
    studio = Studio()
    light = np.concatenate(
        [phantom("membranes", (1, 128, 128), VOXEL, seed, density=2) for seed in (1, 2)]
    )
    smooth = gaussian_filter(light, (0, 1.4, 1.4))
    photons = np.random.default_rng(0).poisson(25 * smooth / smooth.max() + 1)
    noisy = Stack((100 + 2 * photons).astype(np.float32), "TYX", VOXEL, "cells")
    recipe = preset("divnoising").updated({"steps": 250})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "many.blurgan"
        training(recipe, noisy, out=folder, progress=lambda event: None)
        models.add(folder)
        data, attributes, _ = stack_layer(noisy)
        studio.viewer.add_image(data, **attributes)
        widget = studio.open("", "Restore")
        widget.draws.setChecked(True)
        for shown in widget.draws.fields:
            shown.value = 20 if shown.name == "draws" else True
        widget.run.start_button.click()
        expect(lambda: is_idle(widget))
        studio.viewer.layers["cells · sd"].visible = False
        studio.viewer.layers["cells · samples"].visible = True
        studio.shoot("restore-draws")
        studio.close()


def restore_folder(studio: Studio, restoring: QWidget, image: Stack) -> None:
    """Restore a folder in which one file is damaged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in (1, 2, 3):
            image.save(folder / f"cell {number}.ome.tif")
        whole = (folder / "cell 2.ome.tif").read_bytes()
        (folder / "cell 2.ome.tif").write_bytes(whole[: len(whole) // 2])
        restoring.folder_button.click()
        widget = studio.viewer.window.dock_widgets["Restore a folder (BlurGAN)"]
        widget.form["folder"].value = folder
        widget.run.start_button.click()
        expect(lambda: is_idle(widget))
        studio.shoot("restore-folder")


def psf() -> None:
    studio = Studio()
    widget = studio.open("beads", "PSF")
    widget.form.update_values({"model": "vectorial"})
    studio.shoot("psf-idle")
    for button in (widget.make_button, widget.beads_button):
        button.click()
        expect(lambda: widget._job is None)
    widget.look["other"].value = offered_psfs(studio.viewer.layers)[0][0]
    studio.viewer.reset_view()
    studio.shoot("psf")
    scroll_to_end(widget)
    studio.shoot("psf-done")
    scroll_to_end(widget, 0)
    widget.click_button.click()
    studio.shoot("psf-beads")
    widget.form["na"].value = 1.6
    widget.make_button.click()
    expect(lambda: widget._job is None)
    scroll_to_end(widget, 0)
    studio.shoot("psf-error")
    studio.close()


def scroll_to_end(widget: QWidget, share: float = 1) -> None:
    bar = widget.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(round(share * bar.maximum()))


def deconvolve() -> None:
    studio = Studio()
    widget = studio.open("microtubules", "Deconvolve")
    widget.form["method"].value = "rl-accelerated"
    expect(lambda: widget.form["background"].value > 0)
    widget.parameters["iterations"].value = 60
    studio.shoot("deconvolve-idle")
    widget.run.start_button.click()
    expect(lambda: "Iteration" in widget.run.words.text() or is_idle(widget))
    studio.shoot("deconvolve-running")
    expect(lambda: is_idle(widget))
    studio.shoot("deconvolve-done")
    widget.form["stop"].value = widget.form["stop"].choices[-1]
    studio.viewer.layers.remove(widget.form["psf"].value)
    widget.run.start_button.click()
    expect(lambda: is_idle(widget))
    studio.shoot("deconvolve-error")
    studio.close()


def compare() -> None:
    studio = Studio()
    widget = studio.open("microtubules", "Compare")
    layers = studio.viewer.layers
    widget.form["first"].value = layers["microtubules, blurred"]
    widget.form["second"].value = layers["microtubules, truth"]
    studio.shoot("compare-idle")
    widget.measure_button.click()
    expect(lambda: widget._job is None)
    widget.overlay_button.click()
    truth = layers["microtubules, truth"]
    z = studio.viewer.dims.current_step[0]
    y, x = np.unravel_index(np.argmax(truth.data[z]), truth.data.shape[1:])
    line = [[z, y, x - 20], [z, y, x + 20]]
    studio.viewer.add_shapes(
        [line], shape_type="line", name="line", scale=truth.scale, units=truth.units
    )
    widget.profile_button.click()
    studio.shoot("compare")
    widget.grid_button.click()
    studio.viewer.reset_view()
    studio.shoot("compare-sides")
    widget.grid_button.click()
    widget.form["second"].value = widget.form["first"].value
    widget.measure_button.click()
    studio.shoot("compare-error")
    studio.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="to train for")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.add_argument("--looks", nargs="+", default=list(LOOKS), choices=LOOKS)
    parser.add_argument("only", nargs="*", help="names of functions in this file")
    options = parser.parse_args()
    scenes = {
        "train": lambda: train(options.seconds),
        "train_error": train_error,
        "restore": restore,
        "evidence": evidence,
        "draws": draws,
        "psf": psf,
        "deconvolve": deconvolve,
        "compare": compare,
    }
    Studio.out = options.out
    for look in options.looks:
        with strangers_home(look):
            for name in options.only or scenes:
                scenes[name]()


if __name__ == "__main__":
    main()
