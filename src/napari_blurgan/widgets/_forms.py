"""Forms: labelled fields, and groups of them that can be folded or ticked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

__all__ = ["Fold", "Form", "Known", "show_empty_boxes", "show_focus"]

FIELD_WIDTH = 90
PLAIN = (str, int, float, bool)
FOCUS = "border: 1px solid #56B4E9"
"""Style of the focus, which napari's themes do not show on every kind of field."""
EMPTY = "border: 1px solid #7E7E7E; border-radius: 2px; width: 11px; height: 11px"
"""Style of a box without a tick, which napari's themes draw in the colour of a list.
The grey stands out as much from the lists of the dark theme as of the light one."""
NOTHING = "-----"
"""Text of a box in which nothing is chosen."""
NAME, LONGEST = 16, 20
"""Visible letters of a choice: of a layer name, and of our own longer ones."""


class Fold(QWidget):
    """A heading that shows or hides the content below it.

    Parameters
    ----------
    title : str
        The heading.
    content : QWidget
        What is shown or hidden.
    opened : bool
        Whether it is shown at first.
    """

    def __init__(self, title: str, content: QWidget, *, opened: bool = False) -> None:
        super().__init__()
        self._content = content
        self._title = title
        self._heading = QPushButton()
        self._heading.setFlat(True)
        show_focus(self._heading, "QPushButton", "text-align: left")
        self._heading.clicked.connect(lambda: self.set_open(not self._opened))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._heading)
        layout.addWidget(content)
        self.set_open(opened)

    def set_open(self, opened: bool) -> None:
        """Show or hide the content."""
        self._opened = opened
        self._heading.setText(f"{'▾' if opened else '▸'} {self._title}")
        self._content.setVisible(opened)


def show_focus(field: QWidget, kind: str, look: str = "") -> None:
    """Let a field show that it has the focus.

    Parameters
    ----------
    field : QWidget
        The field.
    kind : str
        Qt's name of its class.
    look : str
        What else its style says.
    """
    field.setStyleSheet(f"{kind} {{ {look} }} {kind}:focus {{ {FOCUS} }}")


def show_empty_boxes(field: QWidget, kind: str) -> None:
    """Let the boxes of a field be seen where they are not ticked.

    Parameters
    ----------
    field : QWidget
        Something with boxes to tick.
    kind : str
        Qt's name of its class.
    """
    style = f"{kind}::indicator:unchecked {{ {EMPTY} }}"
    field.setStyleSheet(f"{field.styleSheet()} {style}")


def _size(field: QWidget) -> None:
    """Make a field as wide as a name, not as its longest choice."""
    if isinstance(field, QComboBox):
        show_focus(field, "QComboBox")
        texts = [field.itemText(i) for i in range(field.count())]
        longest = max(map(len, texts), default=0)
        # What may be empty lists layers or models, whatever they are called.
        least = NAME if NOTHING in texts or not texts else 0
        # Qt counts in X, which is wider than most letters.
        field.setMinimumContentsLength(min(max(least, 3 * longest // 4), LONGEST))
        field.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
    else:
        field.setMinimumWidth(FIELD_WIDTH)


class Form(QWidget):
    """Labelled fields under each other, read and set by name.

    Parameters
    ----------
    *fields : magicgui widget
        Shown with their labels, in this order.
    """

    def __init__(self, *fields: Any) -> None:
        super().__init__()
        self._fields = {field.name: field for field in fields}
        layout = self._layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        layout.setFieldGrowthPolicy(layout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for field in fields:
            label = QLabel(field.label)
            label.setToolTip(field.tooltip)
            label.setBuddy(field.native)
            field.native.setAccessibleName(field.label)
            if isinstance(field.native, QCheckBox):
                field.native.setText("")  # the label next to it says it
            _size(field.native)
            layout.addRow(label, field.native)

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def follow(self, before: QWidget) -> None:
        """Let Tab lead from a field to these, in their order, and on from the last."""
        for field in self._fields.values():
            QWidget.setTabOrder(before, field.native)
            before = field.native

    def on_change(self, slot: Callable[[], object]) -> None:
        """Call `slot` after every change of a field."""
        for field in self._fields.values():
            field.changed.connect(lambda value: slot())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fields.values())

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide a field and its label."""
        field = self._fields[name].native
        field.setVisible(visible)
        self._layout.labelForField(field).setVisible(visible)

    def prefer(self, name: str, value: Any) -> None:
        """Choose `value`, or the last choice if nothing is chosen yet."""
        choices = [c for c in self._fields[name].choices if c is not None]
        if self._fields[name].value is None and choices:
            self._fields[name].value = value if value in choices else choices[-1]

    def values(self) -> dict[str, Any]:
        """Return all values by name."""
        return {name: field.value for name, field in self._fields.items()}

    def plain_values(self) -> dict[str, Any]:
        """Return the values that outlive the viewer: numbers and text, no layers.

        Without the device, which is initialised from the preferences.
        """
        plain = {n: v for n, v in self.values().items() if isinstance(v, PLAIN)}
        plain.pop("device", None)
        return plain

    def update_values(self, values: Mapping[str, Any]) -> None:
        """Set existing fields; another version may have had others."""
        for name, value in values.items():
            if name in self._fields:
                with contextlib.suppress(ValueError, TypeError):
                    self._fields[name].value = value


class Known(QGroupBox):
    """Fields that only count if their group is ticked.

    Parameters
    ----------
    title, tooltip : str
        Of the group.
    *fields : magicgui widget
        In this order.
    """

    def __init__(self, title: str, tooltip: str, *fields: Any) -> None:
        super().__init__(title)
        self.setCheckable(True)
        self.setChecked(False)
        self.setToolTip(tooltip)
        show_empty_boxes(self, "QGroupBox")
        self.fields = Form(*fields)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.fields)

    def plain_values(self) -> dict[str, Any]:
        """Return the values, and under ``"known"`` whether they count."""
        return self.fields.plain_values() | {"known": self.isChecked()}

    def update_values(self, values: Mapping[str, Any]) -> None:
        """Set what `plain_values` returned."""
        self.fields.update_values(values)
        self.setChecked(bool(values.get("known", self.isChecked())))
