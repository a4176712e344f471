"""`LevelFields`: a threshold and its side of content, as fields of a form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from magicgui.widgets import CheckBox, FloatSpinBox

from napari_blurgan.widgets._levels import Level

__all__ = ["LevelFields"]

EMPTY = -1e9
"""Value of the field while there is no threshold; it then shows text."""
DIGITS = 5


class LevelFields:
    """Fields that show a level, and pass on values that the user sets.

    They store nothing: the field rounds what it shows, its owner does not.

    Parameters
    ----------
    names : tuple of str
        Of the two fields in their form: the threshold, the bright background.
    domain : str
        For the labels; empty where the form says it.
    read : callable
        Returns the level from its owner.
    write : callable
        Sets it there.
    """

    def __init__(
        self,
        names: tuple[str, str],
        domain: str,
        read: Callable[[], Level],
        write: Callable[[Level], object],
    ) -> None:
        self._read = read
        self._write = write
        self.value = FloatSpinBox(
            name=names[0], label=f"Threshold of {domain}" if domain else "Threshold",
            value=EMPTY, min=EMPTY, max=-EMPTY, step=1,
            tooltip="In grey levels of the mean over the channels; found by picking",
        )  # fmt: skip
        self.value.native.setSpecialValueText("not picked yet")
        self.bright = CheckBox(
            name=names[1],
            label=f"Bright background in {domain}" if domain else "Bright background",
            tooltip="Whether content is darker than its surroundings",
        )
        self.value.changed.connect(self._on_value)
        self.bright.changed.connect(self._on_bright)

    def show(self) -> None:
        """Show the current value of the owner."""
        level = self._read()
        with self.value.changed.blocked(), self.bright.changed.blocked():
            self.value.native.setDecimals(_decimals(level.value))
            self.value.value = EMPTY if level.value is None else level.value
            self.bright.value = level.bright_background

    def _on_value(self, value: float) -> None:
        # A step up from nothing must not give a threshold of minus a billion.
        typed = 0.0 if EMPTY < value < EMPTY / 2 else value
        level = self._read()
        self._write(Level(None if typed == EMPTY else typed, level.bright_background))
        self.show()

    def _on_bright(self, bright: bool) -> None:
        self._write(replace(self._read(), bright_background=bright))


def _decimals(value: float | None) -> int:
    """Return the number of decimals that shows five digits of a value."""
    if not value:
        return 2
    return min(max(DIGITS - 1 - math.floor(math.log10(abs(value))), 0), 9)
