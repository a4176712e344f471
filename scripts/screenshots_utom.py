"""Photograph Threshold and Transform in a real window, for docs/utom.md and napari.md.

Needs a screen and changes napari's settings, as `screenshots.py` does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter
from screenshots import LOOKS, OUT, Studio, expect, is_idle, strangers_home, wait

from napari_blurgan.widgets._picks import BACKGROUND, FOREGROUND

LAYERS = {"A": "dim cells", "B": "stained cells"}


# Grey levels of background and cytoplasm, mean over the channels.
LEVELS = {"A": (20, 115), "B": (236, 182)}


def pick(studio: Studio, picker: object, domain: str) -> None:
    """Pick the places of the first field that are nearest to two grey levels."""
    layer = studio.viewer.layers[LAYERS[domain]]
    picker.form["layer"].value = layer
    picker.form["domain"].value = domain
    mean = np.asarray(layer.data[0], float).reshape(64, 64, -1).mean(-1)
    smooth = uniform_filter(mean, 3)[4:60, 4:60]
    picker.level["bright"].value = domain == "B"
    for kind, level in zip((BACKGROUND, FOREGROUND), LEVELS[domain], strict=True):
        nearest = np.argsort(np.abs(smooth - level), axis=None)[[0, 60]]
        for y, x in zip(*np.unravel_index(nearest, smooth.shape), strict=True):
            picker._picks_of(layer).add(kind, (0, y + 4, x + 4), 1)


def scene(seconds: float) -> None:
    """Pick in both domains, then train for some seconds."""
    studio = Studio()
    studio.open("cells", "Threshold")
    picker = studio.viewer.window.dock_widgets["Threshold (BlurGAN)"]
    for domain in "AB":
        pick(studio, picker, domain)
    studio.viewer.dims.set_current_step(0, 0)
    studio.viewer.reset_view()
    studio.shoot("threshold")
    studio.viewer.window.remove_dock_widget(picker)
    for name in ("stained cells · picked", "dim cells · picked"):
        studio.viewer.layers[name].visible = False
    widget = studio.open("", "Transform")
    widget.form["task"].value = "staining"
    for domain, name in LAYERS.items():
        widget.domains[domain].tick(studio.viewer.layers[name])
    widget.run.start_button.click()
    expect(lambda: not widget.plot.is_empty or is_idle(widget))
    wait(seconds, lambda: is_idle(widget))
    studio.shoot("transform-running")
    widget.run.stop_button.click()
    expect(lambda: is_idle(widget))
    studio.shoot("transform-done")
    print(widget.content.text(), flush=True)
    studio.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.add_argument("--looks", nargs="+", default=list(LOOKS), choices=LOOKS)
    options = parser.parse_args()
    Studio.out = options.out
    for look in options.looks:
        with strangers_home(look):
            scene(options.seconds)


if __name__ == "__main__":
    main()
