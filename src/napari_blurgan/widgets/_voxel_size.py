"""`VoxelSizeForm`: asks for the voxel size of layers without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError
from napari_blurgan.widgets._controls import button
from napari_blurgan.widgets._from_file import stack_behind
from napari_blurgan.widgets._layers import (
    METADATA_KEY,
    guess_axes,
    is_measured,
    is_psf,
    to_stack,
)
from napari_blurgan.widgets._voxel_world import dependents, measure_psf
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

__all__ = ["VoxelSizeForm", "set_voxel_size"]

DECIMALS, LARGEST = 4, 1e4
NO_SIZE = "…"
TAKEN = "taken"
"""Key in the metadata of a layer for a note on what was read from its file."""


class VoxelSizeForm(QWidget):
    """Fields for z, y and x in µm, shown only while a voxel size is unknown.

    *Set* writes them into the layers as their scale and units, so that every widget,
    napari's scale bar and all results have them. Metadata in the file of a layer, which
    napari's own reader ignores, are used at once, with a message. If other layers were
    drawn on the image meanwhile, they are only suggested, because these layers would no
    longer fit.

    Parameters
    ----------
    viewer : napari viewer
        Shows the layers; its view follows their new extent.
    optional : str
        What to do without a voxel size, where that is possible: ends the hint.
    """

    given = Signal(object)
    """(z, y, x) in µm, None for missing axes or an unknown size."""

    def __init__(self, viewer: ViewerModel, optional: str = "") -> None:
        super().__init__()
        self._viewer = viewer
        self._optional = optional
        self._layers: list[Image] = []
        self._axes: str | None = None
        self._volume = True
        self._last_y = 0.0
        self._words = plain()
        self._words.setWordWrap(True)
        self._taken = plain()
        self._taken.setWordWrap(True)
        self.fields = {axis: _field(axis) for axis in "zyx"}
        self.set_button = button(
            "Set", "Write these values into the layer as its scale, in µm", self._set
        )
        self._labels = {axis: QLabel(axis) for axis in "zyx"}
        self._arrange()
        self.fields["y"].valueChanged.connect(self._square)
        self.hide()

    def _arrange(self) -> None:
        self._asked = QWidget()
        row = QHBoxLayout(self._asked)
        row.setContentsMargins(0, 0, 0, 0)
        for axis, field in self.fields.items():
            row.addWidget(self._labels[axis])
            row.addWidget(field, 1)
            field.valueChanged.connect(lambda value: self._allow())
        row.addWidget(QLabel("µm"))
        row.addWidget(self.set_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._taken, self._words, self._asked):
            layout.addWidget(widget)

    def look_at(
        self,
        layers: Sequence[Image | None],
        files: Sequence[Stack] = (),
        axes: str | None = None,
    ) -> None:
        """Ask for the voxel size of those without one; hide if all have one.

        Parameters
        ----------
        layers : sequence of napari.layers.Image or None
            *Set* writes into them; None is passed over.
        files : sequence of Stack
            Images without a layer: whoever listens to `given` keeps the size.
        axes : str, optional
            Of all layers, where their own labels are wrong.
        """
        self._axes = axes
        self._take_from_files([layer for layer in layers if layer is not None])
        known = [(layer, _stack(layer, axes)) for layer in layers if layer is not None]
        self._layers = [layer for layer, s in known if s and not is_measured(s)]
        stacks = [s for _, s in known if s] + list(files)
        asked = [s for s in stacks if not is_measured(s)]
        if asked:
            self._ask(asked)
        for widget in (self._words, self._asked):
            widget.setVisible(bool(asked))
        self.setVisible(bool(asked or self._taken.text()))

    def _take_from_files(self, layers: Sequence[Image]) -> None:
        """Write metadata of the files into layers that lack them, with a message."""
        drawn_on = any(not hasattr(layer, "rgb") for layer in self._viewer.layers)
        steps, taken = self._viewer.dims.current_step, False
        for layer in layers:
            if not drawn_on and _take_from_file(layer):
                taken = True
        if taken:
            self._show_anew(steps)
        said = [f"{layer.name}: {words}" for layer in layers if (words := _said(layer))]
        self._taken.setText("\n".join(said))
        self._taken.setVisible(bool(said))

    def _show_anew(self, steps: tuple[int, ...]) -> None:
        """Show the same plane, completely in view, after the extent has changed."""
        self._viewer.dims.current_step = steps
        self._viewer.reset_view()

    def _ask(self, stacks: Sequence[Stack]) -> None:
        names = ", ".join(s.name for s in stacks)
        self._words.setText(
            f"⚠ {names}: the voxel size is unknown. Enter it here"
            + (f", or {self._optional}." if self._optional else ".")
        )
        volume = any("Z" in s.axes for s in stacks)
        for widget in (self._labels["z"], self.fields["z"]):
            widget.setVisible(volume)
        proposed = self._proposed(stacks[0])
        for axis, size in zip("zyx", proposed, strict=True):
            self.fields[axis].setValue(size or 0)
        self._volume = volume
        self._allow()

    def _proposed(self, stack: Stack) -> VoxelSize:
        """Return what is known of the first: from the layer, else from its file."""
        behind = stack_behind(self._layers[0]) if self._layers else None
        return stack.voxel_size if behind is None else behind.voxel_size

    def size(self) -> VoxelSize:
        """Return the values of the fields in µm; None where they are empty."""
        values = {a: field.value() or None for a, field in self.fields.items()}
        return values["z"] if self._volume else None, values["y"], values["x"]

    def _square(self, y: float) -> None:
        """Assume square pixels until the user enters something else."""
        x = self.fields["x"]
        if x.value() in (0, self._last_y):
            x.setValue(y)
        self._last_y = y

    def _allow(self) -> None:
        needed = "zyx" if self._volume else "yx"
        self.set_button.setEnabled(all(self.fields[a].value() > 0 for a in needed))

    def _set(self) -> None:
        size, steps = self.size(), self._viewer.dims.current_step
        for layer in self._layers:
            self._measure(layer, size)
        if self._layers:
            self._show_anew(steps)
        self.hide()
        self.given.emit(size)

    def _measure(self, layer: Image, size: VoxelSize) -> None:
        """Write a size into a layer, and into what lies in its voxels."""
        along = dependents(layer, self._viewer.layers)
        axes = (self._axes or guess_axes(layer))[: layer.ndim]
        set_voxel_size(layer, size, axes)
        for other in along:
            if is_psf(other):
                measure_psf(other, size, layer, self._viewer.layers)
            else:
                set_voxel_size(other, size, axes[-other.ndim :])


def set_voxel_size(layer: Image, size: VoxelSize, axes: str | None = None) -> None:
    """Write a voxel size into a layer as its scale in micrometres.

    The layer stays at its position relative to others, and flipped if it is.

    Parameters
    ----------
    layer : napari.layers.Image
        Its scale, translation and units change; its pixels do not.
    size : tuple of (float or None)
        (z, y, x) in micrometres; None leaves that axis as it is.
    axes : str, optional
        One letter an axis, where the layer's labels are wrong.
    """
    axes = (axes or guess_axes(layer))[: layer.ndim]
    sizes = dict(zip("ZYX", size, strict=True))
    scale, translate, units = np.array(layer.scale), layer.translate, list(layer.units)
    for i, axis in enumerate(axes):
        micrometres = sizes.get(axis)
        if micrometres is not None:
            units[i] = "um"
            scale[i] *= micrometres / abs(scale[i])
    layer.translate = translate * np.abs(scale / layer.scale)
    layer.scale = scale
    layer.units = units


def _take_from_file(layer: Image) -> bool:
    """Write voxel size and axes of the file of a layer into it; False without any."""
    stack, known = stack_behind(layer), _stack(layer, None)
    if stack is None or known is None or not any(stack.voxel_size):
        return False
    if any(known.voxel_size):  # somebody has set the scale
        return False
    axes = stack.axes.replace("S", "")
    layer.axis_labels = [axis.lower() for axis in axes]
    set_voxel_size(layer, stack.voxel_size, stack.axes)
    words = (
        f"voxel size and axes ({axes}) are taken from {Path(layer.source.path).name}"
    )
    layer.metadata[METADATA_KEY] = {**stack.metadata, TAKEN: words}
    return True


def _said(layer: Image) -> str:
    words: str = layer.metadata.get(METADATA_KEY, {}).get(TAKEN, "")
    return words


def _field(axis: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setDecimals(DECIMALS)
    field.setRange(0, LARGEST)
    field.setSingleStep(0.01)
    field.setSpecialValueText(NO_SIZE)
    field.setAccessibleName(f"Voxel size along {axis} in µm")
    field.setToolTip(f"Voxel size along {axis}, in micrometres")
    return field


def _stack(layer: Any, axes: str | None) -> Stack | None:
    """Return a layer as a stack; None if impossible, which its widget reports."""
    try:
        return to_stack(layer, axes)
    except BlurGANError:
        return None
