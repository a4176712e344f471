"""`PsfInset`: the PSF in the dock, drawn in a millisecond while it is learned."""

from __future__ import annotations

from functools import lru_cache
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import ensure_colormap
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_blurgan.optics.psf import unit_of
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_blurgan.optics.psf import Psf

__all__ = ["PsfInset", "widths"]

HEIGHT = 112
"""Size of the drawing in pixels."""
REACH = 3.0
"""Visible range on either side of the centre, in widths at half maximum."""
COLOURS = {"x": "#E69F00", "z": "#56B4E9"}
"""Okabe and Ito's colours, which colour-blind people can distinguish."""
EDGE, LETTERS = 4, 14


class PsfInset(QWidget):
    """Sections in xy and xz, profiles along x and z, and the widths in words.

    The theoretical PSF is dashed. Sections show the square root, to make faint light
    visible.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing = _Drawing()
        self._words = plain()
        self._words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._drawing)
        layout.addWidget(self._words)

    def show_psf(self, psf: Psf, theory: Psf | None = None) -> None:
        """Draw a PSF, and its widths next to the theoretical ones."""
        words = widths(psf, theory)
        self._words.setText(words)
        self._drawing.setAccessibleName(words)
        self._drawing.take(psf, theory)

    def clear(self) -> None:
        """Show no PSF."""
        self._words.setText("")
        self._drawing.forget()

    def text(self) -> str:
        """Return the widths as text."""
        return self._words.text()


def widths(psf: Psf, theory: Psf | None) -> str:
    """Return the FWHM of a PSF next to the theoretical one, as text."""
    unit = unit_of(psf)
    words = f"PSF, width at half maximum: {_across(psf)} {unit} across"
    if psf.shape[0] > 1:
        words += f", {_along(psf)} {unit} in z"
    if theory is None:
        return words
    expected = [_across(theory), *([_along(theory)] if theory.shape[0] > 1 else [])]
    return f"{words} (theory {', '.join(expected)})"


@lru_cache(maxsize=4)
def _fwhm(psf: Psf) -> tuple[float, float, float]:
    """Return the widths; cached, because those of theory are needed repeatedly."""
    return psf.fwhm()


def _across(psf: Psf) -> str:
    return _figure(sum(_fwhm(psf)[1:]) / 2)


def _along(psf: Psf) -> str:
    return _figure(_fwhm(psf)[0])


def _figure(width: float) -> str:
    return "?" if isnan(width) else f"{width:.2f}"


class _Drawing(QWidget):
    """The picture above the text."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setToolTip("Sections through the centre, and profiles; theory is dashed")
        self._sections: dict[str, tuple[QImage, float]] = {}
        self._lines: list[tuple[str, bool, NDArray[Any]]] = []

    def forget(self) -> None:
        self._sections, self._lines = {}, []
        self.update()

    def take(self, psf: Psf, theory: Psf | None) -> None:
        box = _core(psf)
        self._sections = {"xy": _image(box[box.shape[0] // 2], psf.voxel_size[1:])}
        if len(box) > 1:
            size = (psf.voxel_size[0], psf.voxel_size[2])
            self._sections["xz"] = _image(box[:, box.shape[1] // 2], size)
        self._lines = [*_profiles(psf, False)]
        self._lines += [] if theory is None else _profiles(theory, True)
        self.update()

    def paintEvent(self, event: Any) -> None:  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        third = (self.width() - 2 * EDGE) / 3
        for place, (name, (image, aspect)) in enumerate(self._sections.items()):
            self._put_section(
                painter, place * (third + EDGE), third, name, image, aspect
            )
        if self._lines:
            left = 2 * (third + EDGE)
            self._put_lines(painter, QRectF(left, LETTERS, third, HEIGHT - LETTERS - 2))
        painter.end()

    def _put_section(
        self,
        painter: QPainter,
        left: float,
        room: float,
        name: str,
        image: QImage,
        aspect: float,
    ) -> None:
        """Draw a section as large as possible, under its name."""
        height = min(HEIGHT - LETTERS, room * aspect)
        frame = QRectF(left, LETTERS, height / aspect, height)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(QPointF(left, LETTERS - 3), name)
        painter.drawImage(frame, image)

    def _put_lines(self, painter: QPainter, frame: QRectF) -> None:
        """Draw the profiles, and the line at half the maximum."""
        words = self.palette().windowText().color()
        half = frame.center().y()
        painter.setPen(QPen(words, 0.5, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(frame.left(), half), QPointF(frame.right(), half))
        reach = max(float(np.abs(line[0]).max()) for _, _, line in self._lines)
        place = frame.left()
        for axis, dashed, (where, value) in self._lines:
            style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(COLOURS[axis]), 1.5, style))
            across = frame.center().x() + where / reach * frame.width() / 2
            up = frame.bottom() - value * frame.height()
            pairs = zip(across.tolist(), up.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in pairs]))
            if not dashed:
                painter.drawText(QPointF(place, LETTERS - 3), f"along {axis}")
                place += painter.fontMetrics().horizontalAdvance("along x  ")


def _core(psf: Psf) -> NDArray[np.float32]:
    """Return the middle of a PSF, a few widths across, scaled to a maximum of one."""
    index = []
    for n, voxel, width in zip(psf.shape, psf.voxel_size, _fwhm(psf), strict=True):
        most = n // 2 if isnan(width) else min(n // 2, round(REACH * width / voxel) + 1)
        index.append(slice(n // 2 - most, n // 2 + most + 1))
    box: NDArray[np.float32] = psf.data[tuple(index)]
    return box / box.max()


def _image(plane: NDArray[Any], size: tuple[float, ...]) -> tuple[QImage, float]:
    """Return a section in colours, and its height for a width of one."""
    mapped = ensure_colormap("inferno").map(np.sqrt(plane).ravel())
    pixels = np.ascontiguousarray((255 * mapped).astype(np.uint8))
    rows, columns = plane.shape
    form = QImage.Format.Format_RGBA8888
    image = QImage(pixels.tobytes(), columns, rows, 4 * columns, form).copy()
    return image, rows * size[0] / (columns * size[1])


def _profiles(psf: Psf, dashed: bool) -> list[tuple[str, bool, NDArray[Any]]]:
    """Return (µm, value) through the centre along x and, of volumes, z."""
    box = _core(psf)
    z, y, x = (n // 2 for n in box.shape)
    lines = []
    for axis, values, size in (
        ("x", box[z, y], psf.voxel_size[2]),
        ("z", box[:, y, x], psf.voxel_size[0]),
    ):
        if len(values) > 1:
            where = (np.arange(len(values)) - len(values) // 2) * size
            lines.append((axis, dashed, np.stack([where, values])))
    return lines
