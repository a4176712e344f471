"""`BackgroundEstimate`: the background of a layer, estimated when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from magicgui.widgets import FloatSpinBox
from qtpy.QtCore import QObject

from napari_blurgan.data.stack import Stack
from napari_blurgan.tasks.background import estimated_background
from napari_blurgan.widgets._worker import Job, Report

__all__ = ["UNKNOWN", "BackgroundEstimate", "background_field"]

UNKNOWN = -1.0
"""Value of the field until the background is known; it is then estimated when
needed."""


def background_field() -> FloatSpinBox:
    """Return the field, which shows text until the background is estimated."""
    field = FloatSpinBox(
        name="background", label="Background", value=UNKNOWN, min=UNKNOWN, max=1e6,
        step=1,
        tooltip=(
            "Grey level without light from the object, estimated from the darkest "
            "parts of "
            "the image; modelled, not subtracted"
        ),
    )  # fmt: skip
    field.native.setSpecialValueText("estimated")
    return field


class BackgroundEstimate(QObject):
    """Fills the background field for every layer that is chosen.

    A value that the user enters meanwhile, or later for the same layer, is kept.

    Parameters
    ----------
    field : FloatSpinBox
        Of `background_field`.
    offset : callable
        Returns the grey level that the camera is known to add, which is no background.
    parent : QObject
        Owner.
    """

    def __init__(
        self, field: FloatSpinBox, offset: Callable[[], float], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._field = field
        self._offset = offset
        self._level: float | None = None
        self._shown = UNKNOWN
        self._job: Job | None = None

    def look_at(
        self, stack: Stack | None, channel: int | None = None, time: int | None = None
    ) -> None:
        """Estimate the background of a stack in a thread; forget the previous one."""
        self._level = None
        self._show(UNKNOWN)
        if stack is None:
            return

        def estimate(report: Report) -> float:
            return estimated_background(stack, channel, time)

        job = self._job = Job(estimate, self)
        job.returned.connect(lambda level: self._found(job, level))
        job.start()

    def refresh(self, *args: Any) -> None:
        """Follow the known camera offset, unless the user has entered a value."""
        if self._level is not None and self._field.value == self._shown:
            self._show(max(self._level - self._offset(), 0.0))

    def _found(self, job: Job, level: float) -> None:
        if job is self._job and self._field.value == UNKNOWN:
            self._level, self._shown = level, UNKNOWN
            self.refresh()

    def _show(self, value: float) -> None:
        self._field.value = value
        self._shown = self._field.value  # as rounded by the field
