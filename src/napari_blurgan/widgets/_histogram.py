"""A histogram with the picked populations and the threshold on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

__all__ = ["Histogram"]

HEIGHT = 110
CONTENT = "#E69F00"
"""Colour of the picked foreground."""
BINS = 100

Curve = NDArray[np.float64]


class Histogram(QWidget):
    """Grey levels of an image, of its picked regions, and the threshold between them.

    The height is the logarithm of the count, so that small populations are visible.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Histogram")
        self.range = (0.0, 1.0)
        self.level: float | None = None
        self.content_below = False
        self.curves: dict[str, tuple[str, Curve]] = {}

    def show_image(self, pixels: NDArray[Any]) -> None:
        """Draw the grey levels of an image; the range is adapted."""
        finite = pixels[np.isfinite(pixels)]
        low, high = (
            (float(finite.min()), float(finite.max())) if finite.size else (0, 1)
        )
        self.range = (low, high if high > low else low + 1)
        self.curves = {"image": ("#888888", self._heights(finite))}
        self.update()

    def show_picked(self, picked: Mapping[str, tuple[str, NDArray[Any]]]) -> None:
        """Draw populations, each with its name and colour."""
        image = self.curves.get("image")
        self.curves = {} if image is None else {"image": image}
        for name, (colour, pixels) in picked.items():
            if pixels.size:
                self.curves[name] = (colour, self._heights(pixels))
        self.update()

    def show_level(self, level: float | None, content_below: bool = False) -> None:
        """Draw the threshold and tint the side of it that is content."""
        self.level, self.content_below = level, content_below
        threshold = "not set" if level is None else f"{level:.6g}"
        self.setToolTip(f"Threshold {threshold}, grey levels {self.range}")
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw it all."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._tint_content(painter)
        for name, (colour, heights) in self.curves.items():
            shade = QColor(colour)
            shade.setAlpha(120 if name == "image" else 200)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawPolygon(self._outline(heights))
        if self.level is not None:
            painter.setPen(QPen(self.palette().text().color(), 2))
            x = self._x(self.level)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.end()

    def _tint_content(self, painter: QPainter) -> None:
        if self.level is None:
            return
        x = self._x(self.level)
        start, end = (0.0, x) if self.content_below else (x, float(self.width()))
        shade = QColor(CONTENT)
        shade.setAlpha(50)
        painter.fillRect(QRectF(start, 0, end - start, self.height()), shade)

    def _heights(self, pixels: NDArray[Any]) -> Curve:
        counts, _ = np.histogram(pixels, BINS, self.range)
        logs = np.log1p(counts)
        return logs / max(float(logs.max()), 1e-9)

    def _outline(self, heights: Curve) -> QPolygonF:
        box = QRectF(self.rect())
        width = box.width() / BINS
        corners = [QPointF(0, box.height())]
        for i, height in enumerate(heights):
            y = box.height() * (1 - 0.95 * float(height))
            corners += [QPointF(i * width, y), QPointF((i + 1) * width, y)]
        return QPolygonF([*corners, QPointF(box.width(), box.height())])

    def _x(self, level: float) -> float:
        low, high = self.range
        return self.width() * float(np.clip((level - low) / (high - low), 0, 1))
