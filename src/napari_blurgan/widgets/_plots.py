"""The loss curves, drawn while they grow; pyqtgraph if it is there, words if not."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextDocumentFragment
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_blurgan.widgets._loss_names import MEANINGS, bullet, log_ticks, look

__all__ = ["LossPlot"]

LINES = {
    "solid": Qt.PenStyle.SolidLine,
    "dashed": Qt.PenStyle.DashLine,
    "dotted": Qt.PenStyle.DotLine,
    "dash-dotted": Qt.PenStyle.DashDotLine,
}

POINTS = 500
HEIGHT = 220
LABEL = 36
"""Pixels for a label of the logarithmic axis, including the gap to the next."""


class LossPlot(QWidget):
    """Loss curves against the step: logarithmic; the legend below has the values.

    They are those of the step under the mouse, otherwise of the last one.

    `add` only stores; `draw` draws everything added since, so that the rate of
    drawing is the caller's choice and not the training's.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: dict[str, tuple[array[float], array[float]]] = {}
        self._changed = False
        self.last_step = 0
        """The last step that was stored; 0 before the first."""
        self._curves = _curves()
        self._text = QLabel("The losses appear here.")
        self._text.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        if self._curves is not None:
            layout.addWidget(self._curves.widget)
            self._curves.widget.hide()  # axes without curves say nothing
            self._curves.hovered = self._show_at
        layout.addWidget(self._text)

    def clear(self) -> None:
        """Forget all curves."""
        self._history.clear()
        self.last_step = 0
        self._text.setText("The losses appear here.")
        if self._curves is not None:
            self._curves.clear()
            self._curves.widget.hide()

    @property
    def is_empty(self) -> bool:
        """Whether no step has been stored."""
        return not self._history

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Store the losses of one step; those of later ones were taken back."""
        if step <= self.last_step:
            self._forget_from(step)
        self.last_step = step
        for name, value in losses.items():
            steps, values = self._history.setdefault(name, (array("d"), array("d")))
            steps.append(step)
            values.append(value)
        self._changed = True

    def _forget_from(self, step: int) -> None:
        """Drop a step and all after it: the training has gone back before it."""
        for name, (steps, values) in list(self._history.items()):
            kept = int(np.searchsorted(np.array(steps), step))
            self._history[name] = (steps[:kept], values[:kept])
            if not kept:
                del self._history[name]

    def draw(self) -> None:
        """Draw what was added since the last call."""
        if not self._changed:
            return
        self._changed = False
        if self._curves is not None:
            self._curves.widget.setVisible(not self.is_empty)
            for name, (steps, values) in self._history.items():
                self._curves.set(name, *_thinned(np.array(steps), np.array(values)))
        self._show_at(float("inf"))

    def values_at(self, step: float) -> tuple[int, dict[str, float]]:
        """Return the stored step nearest to `step`, and its losses."""
        at, found = 0, {}
        for name, (steps, values) in self._history.items():
            i = int(np.searchsorted(np.array(steps), step).clip(0, len(steps) - 1))
            at, found[name] = int(steps[i]), values[i]
        return at, found

    def _show_at(self, step: float) -> None:
        at, losses = self.values_at(step)
        words = " ".join(
            f"{bullet(name)}&nbsp;{name}&nbsp;{value:.3g}"
            for name, value in losses.items()
        )
        known = [f"{name}: {MEANINGS[name]}" for name in losses if name in MEANINGS]
        self.setToolTip("\n".join(known))
        self._text.setText(f"Step {at}: {words}" if losses else "")

    def text(self) -> str:
        """Return the legend, with the values at the current step, as plain text."""
        return QTextDocumentFragment.fromHtml(self._text.text()).toPlainText()


def _thinned(steps: Any, values: Any) -> tuple[Any, Any]:
    """Return at most `POINTS` means over equally long runs of steps."""
    run = -(-len(steps) // POINTS)
    starts = np.arange(0, len(steps), run)
    counts = np.diff([*starts, len(steps)])
    mean = np.add.reduceat(values, starts) / counts
    return np.add.reduceat(steps, starts) / counts, mean


def _curves() -> _Curves | None:
    try:
        import pyqtgraph
    except ImportError:  # only the extra "all" brings it
        return None
    return _Curves(pyqtgraph)


def _log_axis(pyqtgraph: Any) -> Any:
    """Return an axis whose labels do not overlap, in any font size."""

    class LogAxis(pyqtgraph.AxisItem):
        def tickValues(self, low: float, high: float, size: float) -> Any:
            return [(1.0, log_ticks(low, high, int(size // LABEL)))]

    return LogAxis("left")


def _ignore(step: float) -> None:
    """Ignore the mouse."""


class _Curves:
    """The pyqtgraph side of a `LossPlot`."""

    def __init__(self, pyqtgraph: Any) -> None:
        self._pyqtgraph = pyqtgraph
        axes = {"left": _log_axis(pyqtgraph)}
        self.widget = pyqtgraph.PlotWidget(background=None, axisItems=axes)
        self.widget.setFixedHeight(HEIGHT)
        self.widget.getPlotItem().layout.setContentsMargins(0, 0, 0, 6)
        # Transparent, to follow a change of the theme.
        self.widget.setStyleSheet("background: transparent; border: 0px")
        self.widget.setMenuEnabled(False)
        self.widget.setLogMode(x=False, y=True)
        self.widget.setLabel("bottom", "step")
        self.widget.showGrid(x=True, y=True, alpha=0.2)
        self._items: dict[str, Any] = {}
        self.hovered: Callable[[float], None] = _ignore
        self._proxy = pyqtgraph.SignalProxy(
            self.widget.scene().sigMouseMoved, rateLimit=20, slot=self._hover
        )

    def set(self, name: str, steps: Any, values: Any) -> None:
        if name not in self._items:
            colour, style = look(name)
            pen = self._pyqtgraph.mkPen(colour, width=2, style=LINES[style])
            self._items[name] = self.widget.plot(pen=pen, name=name)
        # A logarithm is undefined for zero and below.
        positive = values > 0
        self._items[name].setData(steps[positive], values[positive])

    def clear(self) -> None:
        self.widget.clear()
        self._items.clear()

    def _hover(self, moved: tuple[Any]) -> None:
        box = self.widget.getViewBox()
        if box.sceneBoundingRect().contains(moved[0]):
            self.hovered(float(box.mapSceneToView(moved[0]).x()))
