"""Make, inspect, compare and save point-spread functions.

**Make a PSF** from the optics, with the voxels of a layer; or from a layer of beads:
they are found, those that are cut, saturated or too close together are rejected, and
the others are averaged. *Click beads* lets you choose which ones to use.

**Inspect it**: sections through the centre (their fourth root, to make faint light
visible), profiles, the transfer function and the widths at half maximum. A second PSF
is drawn dashed.

Every PSF is a layer. *Train with it* makes it the known PSF, which nonblind recipes use
and blind ones start from; *Deconvolve with it* opens Deconvolve.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from qtpy.QtWidgets import (
    QFileDialog,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.axes import FOCAL_DEPTH
from napari_blurgan.errors import BlurGANError, OpticsError
from napari_blurgan.optics.psf import unit_of
from napari_blurgan.widgets import _fields, _figures, _forms, _state
from napari_blurgan.widgets._bead_layers import add_clicked_beads, show_found_beads
from napari_blurgan.widgets._controls import (
    button,
    row,
    scrolled,
)
from napari_blurgan.widgets._docks import show_widget
from napari_blurgan.widgets._from_file import known_optics
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._layers import is_source, readable, to_psf, to_stack
from napari_blurgan.widgets._psf_field import PsfField
from napari_blurgan.widgets._psf_layers import add_psf, unmeasured
from napari_blurgan.widgets._task import TaskWidget
from napari_blurgan.widgets._voxel_size import VoxelSizeForm
from napari_blurgan.widgets._words import plain
from napari_blurgan.widgets._worker import Report

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.identification.beads import BeadReport
    from napari_blurgan.optics.psf import Psf

__all__ = ["PsfWidget"]

FIGURE = 320
"""Height in pixels."""
ALL = "all that are found"


class PsfWidget(TaskWidget):
    """Point-spread functions as layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers give the voxel size, the beads and the PSFs.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "making a PSF")
        self._build()
        self.reset_choices()
        _state.Kept(self, "psf", self.form.plain_values, self.form.update_values)

    # --- the form

    def _build(self) -> None:
        self.form = _fields.psf_form(
            lambda box: [*filter(is_source, self._layers())],
            lambda box: [ALL, *filter(_is_points, self._layers())],
        )
        self.voxels = VoxelSizeForm(self._viewer)
        self.voxels.given.connect(self._show)
        self.look = self._looks()
        self.make_button = button(
            "Compute", "Compute from the optics above", self._compute
        )
        self.beads_button = button(
            "From beads", "Measure from the beads in the layer above", self._measure
        )
        self.click_button = button(
            "Click beads", "Add points: click on the beads to use", self._pick
        )
        self.uses = self._uses()
        self.table = plain()
        self.table.setWordWrap(True)
        self._figure = Figure(layout="constrained")
        self._canvas = _figures.canvas(self._figure, FIGURE)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addWidget(self.voxels)
        layout.addLayout(row(self.make_button, help_buttons(__name__)))
        layout.addLayout(row(self.click_button, self.beads_button))
        layout.addWidget(self.messages)
        layout.addWidget(self.look)
        layout.addWidget(self.table)
        layout.addWidget(self._canvas)
        layout.addWidget(self.uses)
        layout.addStretch()
        scrolled(content, self)
        for name in ("model", "modality"):
            self.form[name].changed.connect(self._show_needed)
        self.form["layer"].changed.connect(self._take_layer)
        self._show_needed()
        self._show(None)

    def _take_layer(self, layer: Image | None) -> None:
        """Fill in the metadata in the file of a layer, and ask for what is missing."""
        self._ask_for_voxels()
        _fields.offer_frames(self.form, readable(layer))
        self.form.update_values(known_optics(layer))

    def _ask_for_voxels(self) -> None:
        shown = [unmeasured(self.look[name].value) for name in ("psf", "other")]
        self.voxels.look_at([self.form["layer"].value, *shown])

    def _uses(self) -> QWidget:
        """Return the buttons for using a PSF."""
        self.save_button = button(
            "Save…", "Save as OME-TIFF, with its voxel size", self._save
        )
        self.train_button = button(
            "Train with it", "Use it as the known PSF in Train", self._send_to_train
        )
        self.deconvolve_button = button(
            "Deconvolve with it",
            "Use it in Deconvolve",
            self._send_to_deconvolve,
        )
        uses = QWidget()
        layout = QVBoxLayout(uses)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.train_button, self.save_button))
        layout.addWidget(self.deconvolve_button)
        return uses

    def _show_needed(self, value: object = None) -> None:
        """Show the fields that the chosen model and modality use."""
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
        form = _forms.Form(
            self._psf_field("psf", "Show", "PSF to show"),
            self._psf_field(
                "other", "Beside", "Second PSF, drawn dashed and compared in numbers"
            ),
        )
        for name in ("psf", "other"):
            form[name].changed.connect(self._show)
        return form

    def _psf_field(self, name: str, label: str, tooltip: str) -> PsfField:
        source = self.form["layer"]
        return PsfField(
            self._viewer, lambda: source.value, name=name, label=label, tooltip=tooltip
        )

    def _layers(self) -> Any:
        return self._viewer.layers

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for name in ("layer", "points"):
            self.form[name].reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        for name in ("psf", "other"):
            self.look[name].reset_choices()
        self.look["psf"].prefer_ours()

    # --- the buttons

    def _compute(self) -> None:
        source = self.form["layer"].value
        self.launch(self._theory, lambda psf: self._add(psf, source))

    def _measure(self) -> None:
        source = self.form["layer"].value
        self.launch(self._beads, lambda found: self._add_measured(found, source))

    def _pick(self) -> None:
        """Add a points layer, ready to be clicked, and choose it."""
        source = self.form["layer"].value
        if source is None:
            self.messages.add("Choose the layer that shows the beads")
            return
        self.form["points"].value = add_clicked_beads(self._viewer, source)

    def _send_to_train(self) -> None:
        from napari_blurgan.widgets.train import TrainWidget

        train = show_widget(self._viewer, "Train", TrainWidget)
        train.take_psf(self.look["psf"].value)

    def _send_to_deconvolve(self) -> None:
        from napari_blurgan.widgets.deconvolve import DeconvolveWidget

        deconvolve = show_widget(self._viewer, "Deconvolve", DeconvolveWidget)
        deconvolve.take_psf(self.look["psf"].value)

    def set_busy(self, busy: bool) -> None:
        """Make one at a time."""
        for pressed in (self.make_button, self.beads_button):
            pressed.setEnabled(not busy)

    def _theory(self) -> Callable[[Report], Psf]:
        values = self.form.values()
        stack, voxel = _measured(values["layer"])
        optics = _fields.optics_of(values)

        def compute(report: Report) -> Psf:
            from napari_blurgan.inverse.psf_fit import psf_shape_for
            from napari_blurgan.optics.models import MODELS

            shape = psf_shape_for(optics, stack.spatial_shape, voxel)
            if "Z" not in stack.axes:
                shape = (1, *shape[1:])
            return MODELS[values["model"]](optics, shape, voxel)

        return compute

    def _beads(self) -> Callable[[Report], tuple[Psf, BeadReport]]:
        layer = self.form["layer"].value
        stack, voxel = _measured(layer)
        frame = _one_frame(stack, _fields.chosen_frame(self.form))
        diameter = self.form["bead"].value / 1000
        places = _places(layer, self.form["points"].value)

        def measure(report: Report) -> tuple[Psf, BeadReport]:
            from napari_blurgan.identification.beads import psf_from_beads

            image = stack.frame(**frame)[0]
            psf, found = psf_from_beads(image, voxel, diameter, places=places)
            report(f"{len(found.good)} of {len(found.beads)} beads were averaged.")
            return psf, found

        return measure

    def _save(self) -> None:
        layer = self.look["psf"].value
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the PSF", f"{layer.name}.ome.tif", "OME-TIFF (*.ome.tif)"
        )
        if not chosen:
            return
        try:
            to_psf(layer).save(Path(chosen), overwrite=True)  # the dialog asked
        except BlurGANError as error:
            self.messages.refuse(error)

    # --- results

    def _add_measured(self, made: tuple[Psf, BeadReport], source: Image) -> None:
        psf, found = made
        show_found_beads(self._viewer, source, found)
        self._add(psf, source)

    def _add(self, psf: Psf, source: Image) -> None:
        self.look["psf"].value = add_psf(self._viewer, psf, source)

    def _show(self, value: object) -> None:
        self._ask_for_voxels()
        chosen = self.look["psf"].value
        for widget in (self._canvas, self.uses, self.table):
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
    """Return widths and centre of a PSF as text, and its comparison."""
    axes = "z, y, x" if psf.shape[0] > 1 else "y, x"
    words = f"Width at half maximum {axes}: {_widths(psf)} {unit_of(psf)}"
    shift = max(abs(c) for c in psf.centroid())
    if shift > 0.5:
        words += f"; its mass lies {shift:.1f} voxels off centre"
    if other is None:
        return words
    return (
        f"{words}; the other: {_widths(other)} {unit_of(other)}. "
        f"Normalised cross-correlation {psf.ncc(other):.3f}"
    )


def _places(layer: Image, points: Any) -> list[Any] | None:
    """Return points as (z, y, x) in the voxels of a layer; None for all beads."""
    if points == ALL:
        return None
    if len(points.data) == 0:
        raise OpticsError(f"{points.name}: click on beads first, or use all")
    found = [layer.world_to_data(points.data_to_world(p)) for p in points.data]
    return [place[-3:] for place in found]


def _one_frame(stack: Stack, chosen: dict[str, int | None]) -> dict[str, int]:
    """Return the channel and time point that show the beads, or ask for them."""
    several = (("channel", stack.channels), ("time", stack.size("T")))
    unknown = [name for name, n in several if n > 1 and chosen[name] is None]
    if unknown:
        raise OpticsError(
            f"{stack.name}: has more than one {' and '.join(unknown)}; choose above "
            "which one shows the beads"
        )
    return {name: index or 0 for name, index in chosen.items()}


def _is_points(layer: Any) -> bool:
    from napari.layers import Points

    return isinstance(layer, Points)


def _widths(psf: Psf) -> str:
    """Return the widths along z, y, x; of a plane, along y and x."""
    widths = psf.fwhm() if psf.shape[0] > 1 else psf.fwhm()[1:]
    return ", ".join("unknown" if isnan(w) else f"{w:.2f}" for w in widths)


def _measured(layer: Image | None) -> tuple[Stack, tuple[float, float, float]]:
    """Return a layer's stack with its voxel size; planes are thin."""
    if layer is None:
        raise OpticsError("choose a layer: the PSF gets its voxel size")
    stack = to_stack(layer)
    z, y, x = stack.voxel_size
    if y is None or x is None or (z is None and "Z" in stack.axes):
        raise OpticsError(f"{layer.name}: its voxel size is unknown; enter it above")
    return stack, (z or FOCAL_DEPTH, y, x)
