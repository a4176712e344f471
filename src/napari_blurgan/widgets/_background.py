"""`BackgroundEstimate`: the background of a layer, found while the form is filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from magicgui.widgets import FloatSpinBox
from qtpy.QtCore import QObject

from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._worker import Job, Report

__all__ = ["UNKNOWN", "BackgroundEstimate", "background_field", "found_background"]

UNKNOWN = -1.0
"""What the field holds while nobody knows: whoever needs it estimates it then."""
SLABS, THICK = 4, 5
"""How many runs of planes of a stack are looked at, and of how many planes each."""


def background_field() -> FloatSpinBox:
    """Return the field, which says that the background is estimated until it is."""
    field = FloatSpinBox(
        name="background", label="Background", value=UNKNOWN, min=UNKNOWN, max=1e6,
        step=1,
        tooltip=(
            "Grey level of places without light, estimated from the darkest parts of "
            "the image; modelled, not subtracted"
        ),
    )  # fmt: skip
    field.native.setSpecialValueText("estimated")
    return field


def found_background(stack: Stack, channel: int | None, time: int | None) -> float:
    """Return the grey level of the darkest parts, the least of all channels.

    Parameters
    ----------
    stack : Stack
        Some of its planes are read.
    channel, time : int or None
        The only one to look at; None for all channels and the first time point.
    """
    from napari_blurgan.preparation.calibration import background_level

    slabs = [_cut(stack, part).frame(time or 0, channel) for part in _slabs(stack)]
    images = [
        [slab[c].astype("float32") for slab in slabs] for c in range(len(slabs[0]))
    ]
    return max(min(map(background_level, images)), 0.0)


def _slabs(stack: Stack) -> list[slice]:
    """Return runs of planes: the noise is averaged out over neighbours in z, too."""
    planes = stack.size("Z")
    if planes <= SLABS * THICK:
        return [slice(None)]
    starts = [i * (planes - THICK) // (SLABS - 1) for i in range(SLABS)]
    return [slice(start, start + THICK) for start in starts]


def _cut(stack: Stack, planes: slice) -> Stack:
    index = tuple(planes if axis == "Z" else slice(None) for axis in stack.axes)
    return stack.with_data(stack.data[index])


class BackgroundEstimate(QObject):
    """Fills the field of the background for every layer that is chosen.

    What the user enters meanwhile, or later for the same layer, is left alone.

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
        """Estimate the background of a stack, in a thread; forget that of the last."""
        self._level = None
        self._show(UNKNOWN)
        if stack is None:
            return

        def estimate(report: Report) -> float:
            return found_background(stack, channel, time)

        job = self._job = Job(estimate, self)
        job.returned.connect(lambda level: self._found(job, level))
        job.start()

    def refresh(self, *args: Any) -> None:
        """Follow what is known of the camera, unless the user has entered a value."""
        if self._level is not None and self._field.value == self._shown:
            self._show(max(self._level - self._offset(), 0.0))

    def _found(self, job: Job, level: float) -> None:
        if job is self._job and self._field.value == UNKNOWN:
            self._level, self._shown = level, UNKNOWN
            self.refresh()

    def _show(self, value: float) -> None:
        self._field.value = value
        self._shown = self._field.value  # as the field has rounded it
