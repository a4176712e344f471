"""What evidence looks like: layers on the result, and a legend with the figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QLinearGradient, QPainter
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_blurgan.widgets._brightness import limits_of_stack
from napari_blurgan.widgets._controls import row
from napari_blurgan.widgets._layers import LayerData, result_layer
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_blurgan.tasks.evidence import Evidence

__all__ = ["EvidencePanel", "evidence_layers"]

ORANGE, CLEAR, BLUE = "#ffe69f00", "#00000000", "#ff56b4e9"
"""Of Okabe and Ito: told apart by colour-blind people, too; alpha first."""
LARGEST = 6
"""Standard deviations of the noise at the ends of the colours of a misfit."""

OPACITY = 0.6
"""Of evidence and misfit: what they lie on is to be seen."""


@dataclass(frozen=True)
class Legend:
    """A scale of colours, and what its ends mean."""

    title: str
    ends: tuple[str, str]
    limits: tuple[float, float]
    stops: tuple[tuple[float, str], ...]
    opacity: float = OPACITY

    def colormap(self) -> Colormap:
        """Return the colours as napari takes them.

        It lists their name beside its own, and a long one would widen its window.
        """
        colours = [QColor(colour).getRgbF() for _, colour in self.stops]
        controls = [place for place, _ in self.stops]
        name, _, _ = self.title.partition(" (")
        return Colormap(np.array(colours), name=name, controls=controls)


ERROR = "expected error"
# Its colours, at equal distances: as bright in grey as in colour.
VIRIDIS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")

LEGENDS = {
    # Where the bar ends is known with the map: see `_legends`.
    ERROR: Legend(
        "Expected error (grey levels)",
        ("0", ""),
        (0, 1),
        tuple((n / (len(VIRIDIS) - 1), colour) for n, colour in enumerate(VIRIDIS)),
        opacity=1.0,
    ),
    "misfit": Legend(
        "Misfit (σ of the noise)",
        (f"−{LARGEST}: invented", f"+{LARGEST}: lost"),
        (-LARGEST, LARGEST),
        ((0.0, ORANGE), (0.5, CLEAR), (1.0, BLUE)),
    ),
    # What has no light has an evidence of 0.8 and more.
    "evidence": Legend(
        "Evidence",
        ("0: not supported", "1: supported"),
        (0, 1),
        ((0.0, ORANGE), (0.8, CLEAR), (1.0, CLEAR)),
    ),
}
CHANNELS = {ERROR: 3, "misfit": 1, "evidence": 0}
BAR = 12
"""Height of a bar of colours, in pixels."""
HINT = (
    "Orange covers what the data do not support. The layers of the misfit and of the "
    "expected error are hidden at first."
)
DOUBTFUL = 0.05
"""Calibration error from which on the noise is not what it is taken for."""
WRONG_NOISE = (
    " The noise is not what it is taken for: is the PSF wrong, or the image not raw?"
)


def evidence_layers(source: Image, found: Evidence, axes: str) -> list[LayerData]:
    """Return the maps as layers on the result: evidence on top, the others hidden.

    Parameters
    ----------
    source : napari.layers.Image
        What was restored.
    found : Evidence
        Of its restoration.
    axes : str
        Of the source.
    """
    return [_layer(source, found, axes, done) for done in LEGENDS]


def _layer(source: Image, found: Evidence, axes: str, done: str) -> LayerData:
    legend = _legends(found)[done]
    stack = found.maps.only_channel(CHANNELS[done])
    pixels, attributes, kind = result_layer(source, stack, done, axes)
    look = {
        "colormap": legend.colormap(),
        "contrast_limits": legend.limits,
        "blending": "translucent_no_depth",
        "visible": done == "evidence",
        "opacity": legend.opacity,
    }
    return pixels, attributes | look, kind


def _legends(found: Evidence) -> dict[str, Legend]:
    """Return the legends; that of the error ends where its map does."""
    limits = limits_of_stack(found.maps.only_channel(CHANNELS[ERROR]).data)
    if limits is None:
        return LEGENDS
    high = limits[1]
    ends = ("0", f"{float(f'{high:.3g}'):g}")  # three digits, without an exponent
    error = replace(LEGENDS[ERROR], ends=ends, limits=(0.0, high))
    return LEGENDS | {ERROR: error}


class EvidencePanel(QWidget):
    """Bars of colours with their meaning, and the report; hidden without one."""

    def __init__(self) -> None:
        super().__init__()
        self._words = plain()
        self._words.setWordWrap(True)
        self._words.setAccessibleName("Evidence")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._ends = {}
        for done, legend in reversed(LEGENDS.items()):
            low, high = self._ends[done] = tuple(map(plain, legend.ends))
            high.setAlignment(Qt.AlignmentFlag.AlignRight)
            layout.addWidget(plain(legend.title))
            layout.addWidget(_Bar(legend))
            layout.addLayout(row(low, high))
        layout.addWidget(self._words)
        self.hide()

    def show_report(self, found: Evidence) -> None:
        """Say what the maps come to, and where their colours end."""
        for done, legend in _legends(found).items():
            for label, words in zip(self._ends[done], legend.ends, strict=True):
                label.setText(words)
        report = str(found.report)
        odd = WRONG_NOISE * (found.report.calibration_error > DOUBTFUL)
        self._words.setText(f"{report[0].upper()}{report[1:]}\n{HINT}{odd}")
        self.show()

    def text(self) -> str:
        """Return what is said."""
        return self._words.text()


class _Bar(QWidget):
    """Colours from left to right, over the black that images have."""

    def __init__(self, legend: Legend) -> None:
        super().__init__()
        self._stops = legend.stops
        self.setFixedHeight(BAR)

    def paintEvent(self, event: Any) -> None:  # Qt's name
        """Draw them."""
        painter, frame = QPainter(self), QRectF(self.rect())
        gradient = QLinearGradient(frame.topLeft(), frame.topRight())
        for place, colour in self._stops:
            gradient.setColorAt(place, QColor(colour))
        painter.fillRect(frame, QColor("black"))
        painter.fillRect(frame, gradient)
        painter.end()
