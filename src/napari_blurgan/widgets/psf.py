"""Make, look at, compare and save point-spread functions.

**Make one** from the optics, on the voxels of a layer; or from a layer that shows
beads: they are found, those that are cut, saturated or too close are left out, and the
others are averaged.

**Look at it**: sections through the middle (their fourth root, so that faint light is
seen), profiles, the transfer function and the widths at half maximum. A second PSF is
drawn dashed beside it.

Every PSF is a layer. Train takes it as the known one or as a start, and Deconvolve
works with it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from matplotlib.figure import Figure
from qtpy.QtWidgets import (
    QFileDialog,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.errors import BlurGANError, OpticsError
from napari_blurgan.widgets import _fields, _figures, _forms
from napari_blurgan.widgets._controls import (
    button,
    help_button,
    row,
    scrolled,
)
from napari_blurgan.widgets._layers import (
    is_psf,
    is_source,
    psf_layer,
    to_psf,
    to_stack,
)
from napari_blurgan.widgets._live import add_layer
from napari_blurgan.widgets._task import TaskWidget
from napari_blurgan.widgets._worker import Report

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.optics.psf import Psf

__all__ = ["PsfWidget"]

FIGURE = 320
"""Height in pixels."""


class PsfWidget(TaskWidget):
    """Point-spread functions as layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers give the voxel size, the beads and the PSFs.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self._build()
        self.reset_choices()

    # --- what it shows

    def _build(self) -> None:
        self.form = _fields.psf_form(lambda box: [*filter(is_source, self._layers())])
        self.look = self._looks()
        self.make_button = button("Compute", "From the optics above", self._compute)
        self.beads_button = button(
            "From beads", "From the beads that the layer above shows", self._measure
        )
        self.save_button = button(
            "Save…", "As OME-TIFF, with its voxel size", self._save
        )
        self.table = QLabel()
        self.table.setWordWrap(True)
        self._figure = Figure(layout="constrained")
        self._canvas = _figures.canvas(self._figure, FIGURE)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addLayout(
            row(self.make_button, self.beads_button, help_button(__name__))
        )
        layout.addWidget(self.messages)
        layout.addWidget(self.look)
        layout.addWidget(self.table)
        layout.addWidget(self._canvas)
        layout.addWidget(self.save_button)
        layout.addStretch()
        scrolled(content, self)
        for name in ("model", "modality"):
            self.form[name].changed.connect(self._show_needed)
        self._show_needed()
        self._show(None)

    def _show_needed(self, value: object = None) -> None:
        """Show the fields that the chosen model and modality have a use for."""
        values = self.form.values()
        for name, needed in (
            ("excitation", values["modality"] == "confocal"),
            ("pinhole", values["modality"] == "confocal"),
            ("sheet", values["modality"] == "lightsheet"),
            ("ns", values["model"] in _fields.LAYERED),
            ("depth", values["model"] in _fields.LAYERED),
        ):
            self.form.set_visible(name, needed)

    def _looks(self) -> _forms.Form:
        choices = {
            "choices": lambda box: [*filter(is_psf, self._layers())],
            "nullable": True,
        }
        form = _forms.Form(
            ComboBox(name="psf", label="Show", tooltip="A PSF layer", **choices),
            ComboBox(
                name="other", label="Beside",
                tooltip="Another PSF, drawn dashed and compared in numbers", **choices,
            ),
        )  # fmt: skip
        for name in ("psf", "other"):
            form[name].changed.connect(self._show)
        return form

    def _layers(self) -> Any:
        return self._viewer.layers

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        self.form["layer"].reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        for name in ("psf", "other"):
            self.look[name].reset_choices()
        self.look.prefer("psf", None)

    # --- what the buttons do

    def _compute(self) -> None:
        self._make(self._theory)

    def _measure(self) -> None:
        self._make(self._beads)

    def _make(self, prepare: Callable[[], Callable[[Report], Psf]]) -> None:
        """Make a PSF in the worker and add it as a layer."""
        source = self.form["layer"].value
        self.launch(prepare, lambda psf: self._add(psf, source))

    def set_busy(self, busy: bool) -> None:
        """Make one at a time."""
        for pressed in (self.make_button, self.beads_button):
            pressed.setEnabled(not busy)

    def _theory(self) -> Callable[[Report], Psf]:
        values = self.form.values()
        voxel = _voxel_size(values["layer"])
        optics = _fields.optics_of(values)

        def compute(report: Report) -> Psf:
            from napari_blurgan.optics.models import MODELS, support_shape

            return MODELS[values["model"]](optics, support_shape(optics, voxel), voxel)

        return compute

    def _beads(self) -> Callable[[Report], Psf]:
        layer = self.form["layer"].value
        voxel, diameter = _voxel_size(layer), self.form["bead"].value / 1000
        stack = to_stack(layer)

        def measure(report: Report) -> Psf:
            from napari_blurgan.optics.beads import psf_from_beads

            psf, found = psf_from_beads(stack.frame()[0], voxel, diameter)
            report(f"{len(found.good)} of {len(found.beads)} beads were averaged.")
            return psf

        return measure

    def _save(self) -> None:
        layer = self.look["psf"].value
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the PSF", f"{layer.name}.ome.tif", "OME-TIFF (*.ome.tif)"
        )
        if not chosen:
            return
        try:
            to_psf(layer).save(Path(chosen))
        except BlurGANError as error:
            self.messages.add(str(error))

    # --- what comes of it

    def _add(self, psf: Psf, source: Image) -> None:
        depth = self._viewer.dims.point[-3] if self._viewer.dims.ndim > 2 else None
        layer = add_layer(self._viewer, psf_layer(psf, source, depth))
        self.look["psf"].value = layer

    def _show(self, value: object) -> None:
        chosen = self.look["psf"].value
        for widget in (self._canvas, self.save_button, self.table):
            widget.setVisible(chosen is not None)
        if chosen is None:
            return
        try:
            psf = to_psf(chosen)
            other = self.look["other"].value
            second = None if other is None else to_psf(other)
            self.table.setText(description(psf, second))
            _figures.draw_psf(self._figure, psf, second)
        except BlurGANError as error:
            self.table.setText(str(error))


def description(psf: Psf, other: Psf | None) -> str:
    """Return widths and centre of a PSF in words, and how it compares."""
    words = f"Width at half maximum z, y, x: {_widths(psf)} µm"
    shift = max(abs(c) for c in psf.centroid())
    if shift > 0.5:
        words += f"; its mass lies {shift:.1f} voxels off its centre"
    if other is None:
        return words
    return (
        f"{words}; the other: {_widths(other)} µm. "
        f"Normalised cross-correlation {psf.ncc(other):.3f}"
    )


def _widths(psf: Psf) -> str:
    return ", ".join(f"{width:.2f}" for width in psf.fwhm())


def _voxel_size(layer: Image | None) -> tuple[float, float, float]:
    if layer is None:
        raise OpticsError("choose a layer: its voxel size is that of the PSF")
    z, y, x = to_stack(layer).voxel_size
    if z is None or y is None or x is None:
        raise OpticsError(
            f"{layer.name}: the size of its voxels is unknown; set the layer's scale "
            "and units (z, y, x)"
        )
    return z, y, x
