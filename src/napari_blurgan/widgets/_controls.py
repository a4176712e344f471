"""The parts shared by all long tasks: buttons, progress, messages, help."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from napari.utils import progress
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QTextDocumentFragment
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.widgets._docks import ancestor
from napari_blurgan.widgets._help import dialog
from napari_blurgan.widgets._log import LOG
from napari_blurgan.widgets._words import escaped, plain

if TYPE_CHECKING:
    from napari_blurgan.widgets._worker import Failure

__all__ = [
    "Messages",
    "Phase",
    "RunControl",
    "button",
    "criterion_label",
    "duration",
    "row",
    "scrolled",
]

PER_MILLE = 1000
LATEST = 5
LAID_OUT = 50
"""Milliseconds after which what was just said has its place in the dock."""
MARGIN = 8
"""Pixels to be seen below a message."""


class Phase(Enum):
    """State of a task."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


class RunControl(QWidget):
    """Start, Pause and Stop, a progress bar and one line of words.

    The buttons only request: the listener sets `phase`, and the buttons follow.

    Parameters
    ----------
    task : str
        What runs, for napari's activity dock.
    can_pause : bool
        Whether there is a Pause button.
    can_queue : bool
        Whether Start is offered, as Queue, while something runs.
    stop : str
        What the button that ends it says.
    """

    start = Signal()
    pause = Signal()
    resume = Signal()
    stop = Signal()

    def __init__(
        self,
        task: str,
        *,
        can_pause: bool = False,
        can_queue: bool = False,
        stop: str = "Stop",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._task = task
        self._stop_text = stop
        self._can_queue = can_queue
        self._activity: progress | None = None
        self.start_button = button("Start", f"Start: {task}", self.start.emit)
        self.pause_button = button(
            "Pause", "Pause after the current step", self._toggle
        )
        self.stop_button = button(stop, "Stop after the current step", self.stop.emit)
        self.pause_button.setVisible(can_pause)
        self._bar = QProgressBar()
        self._bar.setAccessibleName(f"Progress: {task}")
        self._bar.setTextVisible(False)
        self.words = plain()
        self.words.setWordWrap(True)
        self._arrange()
        self.phase = Phase.IDLE

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.start_button, self.pause_button, self.stop_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self._bar)
        layout.addWidget(self.words)

    @property
    def phase(self) -> Phase:
        """State of the task; setting it updates the buttons and the bar."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self._phase = phase
        going = phase in (Phase.RUNNING, Phase.PAUSED)
        self.start_button.setEnabled(phase is Phase.IDLE or self._can_queue)
        self.start_button.setText("Queue" if self._can_queue and going else "Start")
        self.pause_button.setEnabled(going)
        self.pause_button.setText("Resume" if phase is Phase.PAUSED else "Pause")
        self.stop_button.setEnabled(going)
        self.stop_button.setText(
            "Stopping…" if phase is Phase.STOPPING else self._stop_text
        )
        self._bar.setVisible(phase is not Phase.IDLE)
        self._bar.setFormat("Paused")
        self._bar.setTextVisible(phase is Phase.PAUSED)
        if phase is Phase.PAUSED and self._bar.maximum() == 0:
            self._bar.setRange(0, PER_MILLE)  # it must not look busy
        if phase is Phase.IDLE:
            self._end_activity()
        elif self._activity is None:
            self._bar.setRange(0, 0)  # indeterminate until the first `show`
            self._activity = progress(total=0, desc=self._task)

    def show_progress(self, fraction: float, words: str) -> None:
        """Show the progress (0 to 1) with a message."""
        done = round(PER_MILLE * min(max(fraction, 0.0), 1.0))
        self._bar.setRange(0, PER_MILLE)
        self._bar.setValue(done)
        self.words.setText(words)
        if self._activity is not None:
            self._activity.total = PER_MILLE
            self._activity.update(done - self._activity.n)

    def say(self, words: str) -> None:
        """Show one line of text."""
        if words not in ("", self.words.text()):
            LOG.write(f"{self._task}: {words}")
        self.words.setText(words)

    def _toggle(self) -> None:
        (self.resume if self.phase is Phase.PAUSED else self.pause).emit()

    def _end_activity(self) -> None:
        if self._activity is not None:
            self._activity.close()
            self._activity = None


class Messages(QFrame):
    """Diagnoses and errors as sentences; hidden if there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.details = ""
        self._sentences: list[str] = []
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setAccessibleName("Messages")
        self._label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._details = QPushButton("Details…")
        self._details.setToolTip("Technical details, for an error report")
        self._details.clicked.connect(self._show_details)
        self._onward: Callable[[], object] | None = None
        self._way = button("Onward", "Another way onward", self._go_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self._label)
        layout.addWidget(self._way)
        layout.addWidget(self._details)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LAID_OUT)
        self._timer.timeout.connect(self._scroll_here)
        self.reset()

    def reset(self) -> None:
        """Forget all messages."""
        self._sentences.clear()
        self.details = ""
        self._onward = None
        self._show()

    def add(self, sentence: str, remedy: str = "") -> None:
        """Show a sentence, with a remedy in italics; the most recent few are kept."""
        words = sentence.rstrip(".") + "."
        LOG.write(f"⚠ {words} {remedy}".rstrip())
        italic = f" <i>{escaped(remedy)}</i>" if remedy else ""
        self._sentences.append(f"⚠ {escaped(words)}{italic}")
        self._show()

    def note(self, sentence: str) -> None:
        """Show a sentence that is not a warning."""
        LOG.write(sentence)
        self._sentences.append(escaped(sentence))
        self._show()

    def refuse(self, error: BaseException | str) -> None:
        """Show why something was not done, and scroll there.

        The words of the core follow a colon, because they begin with a small letter or
        with the name of an image.
        """
        self.add(f"Not done: {error}")
        self._timer.start()

    def offer(self, text: str, tooltip: str, slot: Callable[[], object]) -> None:
        """Offer a way onward, until the messages are forgotten."""
        self._way.setText(text)
        self._way.setToolTip(tooltip)
        self._onward = slot
        self._show()

    def add_failure(self, failure: Failure) -> None:
        """Show an error, with the traceback one click away, and scroll there."""
        words = f"Failed: {failure.sentence}"
        LOG.write(f"✖ {words}\n{failure.details.rstrip()}")
        self._sentences.append(f"✖ <b>{escaped(words)}</b>")
        self.details = failure.details
        self._show()
        self._timer.start()

    def text(self) -> str:
        """Return the displayed text without markup."""
        return QTextDocumentFragment.fromHtml(self._label.text()).toPlainText()

    def _show(self) -> None:
        self._label.setText("<br>".join(self._sentences[-LATEST:]))
        self._details.setVisible(bool(self.details))
        self._way.setVisible(self._onward is not None)
        self.setVisible(bool(self._sentences))

    def _go_on(self) -> None:
        if self._onward is not None:
            self._onward()

    def _scroll_here(self) -> None:
        area = ancestor(self, QScrollArea)
        if area is not None:
            below = self.mapTo(area.widget(), self.rect().bottomLeft())
            area.ensureVisible(below.x(), below.y(), 0, MARGIN)

    def _show_details(self) -> None:
        dialog(self, "Details", self.details, markdown=False).open()


def scrolled(content: QWidget, parent: QWidget) -> None:
    """Fill `parent` with `content`, scrollable if the screen is too small."""
    area = _ScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)


class _ScrollArea(QScrollArea):
    """As wide as its content needs, so that only the height is scrolled."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Grow with the content; Qt has this watch it."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))

    def minimumSizeHint(self) -> QSize:
        """Return the content's width and room for the scroll bar."""
        needed = self.widget().minimumSizeHint().width()
        bar = self.verticalScrollBar().sizeHint().width()
        edges = self.contentsMargins()  # themes give it a border
        width = needed + bar + edges.left() + edges.right()
        return QSize(width, super().minimumSizeHint().height())


def duration(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def row(*widgets: QWidget) -> QHBoxLayout:
    """Return widgets beside each other."""
    layout = QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget)
    return layout


def button(text: str, tooltip: str, slot: Callable[[], object]) -> QPushButton:
    """Return a button that calls `slot` without arguments."""
    made = QPushButton(text)
    made.setToolTip(tooltip)
    made.clicked.connect(lambda: slot())
    return made


def criterion_label() -> QLabel:
    """Return a hidden label for the prediction of held-out photons.

    They decide which model is kept: the one that predicts them best.
    """
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName("Criterion")
    label.setToolTip(
        "Held-out photons are used to compare the network with Richardson-Lucy; the "
        "better of the two is kept"
    )
    label.hide()
    return label
