"""Photograph the tutorial: each step of docs/tutorial.md with the sample it speaks of.

Needs a screen and changes napari's settings, as `screenshots.py` does.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/screenshots_tutorial.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from qtpy.QtWidgets import QWidget
from screenshots import OUT, Studio, expect, is_idle, strangers_home, wait

__all__ = ["main"]

WIDEFIELD, CONFOCAL = "nucleus, widefield", "nucleus, confocal"
PLANE = 22
"""In the middle of the nucleus."""


def to_plane(studio: Studio) -> None:
    """Move the slider to the middle of the nucleus."""
    place = studio.viewer.layers[WIDEFIELD].data_to_world((PLANE, 0, 0))
    studio.viewer.dims.set_point(0, place[0])


def psf(studio: Studio) -> None:
    """Open the sample, and compute a PSF from its optics."""
    widget = studio.open("dna", "PSF")
    to_plane(studio)
    widget.make_button.click()
    expect(lambda: widget._job is None)
    studio.viewer.layers[WIDEFIELD].visible = True
    studio.viewer.layers.selection = {studio.viewer.layers[WIDEFIELD]}
    studio.shoot("tutorial-1-psf")
    studio.viewer.window.remove_dock_widget(widget)


def deconvolve(studio: Studio) -> None:
    """Deconvolve with that PSF."""
    widget = studio.open("", "Deconvolve")
    widget.parameters["iterations"].value = 20
    finish(widget)
    to_plane(studio)
    studio.shoot("tutorial-2-deconvolve")
    studio.viewer.window.remove_dock_widget(widget)


def train(studio: Studio, minutes: float) -> None:
    """Train on both images, with a picture in the middle."""
    layers = studio.viewer.layers
    del layers[f"{WIDEFIELD} · deconvolved"]
    layers.selection = {layers[WIDEFIELD]}
    widget = studio.open("", "Train")
    widget.data._make.value = "layers"
    widget.data.sharp.tick(layers[CONFOCAL])
    widget.form["minutes"].value = 4
    studio.shoot("tutorial-3-train")
    widget.run.start_button.click()
    expect(lambda: widget.plot.last_step > 20 or is_idle(widget))
    wait(60 * minutes, lambda: is_idle(widget))
    studio.shoot("tutorial-4-training")
    widget.run.stop_button.click()
    expect(lambda: is_idle(widget))
    studio.viewer.window.remove_dock_widget(widget)


def restore(studio: Studio) -> None:
    """Restore the stack."""
    studio.viewer.layers.selection = {studio.viewer.layers[WIDEFIELD]}
    widget = studio.open("", "Restore")
    finish(widget)
    to_plane(studio)
    studio.shoot("tutorial-5-restore")
    studio.viewer.window.remove_dock_widget(widget)


def compare(studio: Studio) -> None:
    """Measure what was gained, and show both."""
    widget = studio.open("", "Compare")
    layers = studio.viewer.layers
    widget.form["first"].value = layers[f"{WIDEFIELD} · restored"]
    widget.form["second"].value = layers[CONFOCAL]
    widget.measure_button.click()
    expect(lambda: widget._job is None)
    widget.grid_button.click()
    camera = studio.viewer.scene.camera
    camera.center = layers[CONFOCAL].data_to_world((PLANE, 65, 66))
    camera.zoom = 3.9
    studio.shoot("tutorial-6-compare")


def finish(widget: QWidget) -> None:
    """Press Start, and wait for the end."""
    wait(3)
    widget.run.start_button.click()
    wait(1)
    expect(lambda: is_idle(widget))


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=3, help="to train for")
    options = parser.parse_args()
    Studio.out = options.out.absolute()
    with strangers_home(""):
        studio = Studio()
        psf(studio)
        deconvolve(studio)
        train(studio, options.minutes)
        restore(studio)
        compare(studio)
        studio.close()


if __name__ == "__main__":
    main()
