"""Restore images with a trained model.

**What to do.** Choose a model (the most recent one comes first), a layer, and press
*Start*. Volumes larger than memory are restored tile by tile; the line below shows the
number of tiles and the memory in advance. For a first impression, *Preview* restores
only the visible region; *Folder…* restores many files.

**What you get.** A layer on top of the source, with its scale, units and position; or a
file, OME-TIFF or OME-Zarr. The source is never changed. *Evidence* then marks in orange
what the data do not support. *Export…* writes the model for other programs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.errors import DataError
from napari_blurgan.restoration.events import Noted, Planned, TileDone
from napari_blurgan.tasks.restore_request import RestoreRequest, visible_field
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._controls import button, duration, row, scrolled
from napari_blurgan.widgets._docks import show_widget
from napari_blurgan.widgets._draws import DrawsForm, draws_layers
from napari_blurgan.widgets._evidence import EvidencePanel, evidence_layers
from napari_blurgan.widgets._export import ExportDialog, export
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._layers import (
    field_layer,
    guess_axes,
    is_source,
    readable,
    result_layer,
    to_psf,
    to_stack,
)
from napari_blurgan.widgets._live import add_layer, like_its_preview, preview_of
from napari_blurgan.widgets._models import FEW, named
from napari_blurgan.widgets._planner import Planner
from napari_blurgan.widgets._psf_field import PsfField
from napari_blurgan.widgets._psf_layers import unmeasured
from napari_blurgan.widgets._task import RunWidget
from napari_blurgan.widgets._view import corners_of_view, point_in_view
from napari_blurgan.widgets._voxel_size import VoxelSizeForm

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.tasks.evidence import Evidence
    from napari_blurgan.tiling.plan import TilingPlan

__all__ = ["RestoreWidget"]

OTHERWISE = "without it, that of the training is assumed"


class RestoreWidget(RunWidget):
    """Restore a layer with a model folder.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to restore, and where to put the results.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "restoring")
        self.planner = Planner(
            self,
            lambda: self._request().plan,
            lambda found: estimate(*found),
            lambda: self._job is not None,
        )
        self._asked_for: RestoreRequest | None = None
        self._done: tuple[RestoreRequest, Stack, Image] | None = None
        self._build()
        _state.models.added.connect(self._on_model_saved)
        self.reset_choices()
        advanced = self.advanced
        _state.Kept(self, "restore", advanced.plain_values, advanced.update_values)
        self.planner.soon()

    # --- the form

    def _build(self) -> None:
        self.form = self._fields()
        self.advanced = _forms.Form(
            _fields.axes_field(),
            PsfField(
                self._viewer,
                lambda: self.form["layer"].value,
                tooltip=(
                    "If the blur of this image differs from that of the training: "
                    "another colour, depth or microscope"
                ),
            ),
            _fields.device_field(_state.preference("device")),
        )
        self.voxels = VoxelSizeForm(self._viewer, OTHERWISE)
        self.draws = DrawsForm()
        self.evidence = EvidencePanel()
        self.plan = self.planner.label
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addLayout(self._model_row())
        layout.addWidget(self.voxels)
        layout.addWidget(self.draws)
        layout.addWidget(_forms.Fold("Advanced", self.advanced))
        layout.addWidget(self.plan)
        layout.addLayout(self._image_row())
        for widget in (self.run, self.messages, self.evidence):
            layout.addWidget(widget)
        layout.addStretch()
        scrolled(content, self)
        self._connect()

    def _fields(self) -> _forms.Form:
        return _forms.Form(
            ComboBox(
                name="model", label="Model", nullable=True,
                choices=lambda widget: named(_state.models.list()),
                tooltip=(
                    "A model folder; those made or used last are listed, with a mark "
                    f"where there are fewer than {FEW} steps in it"
                ),
            ),
            ComboBox(
                name="layer", label="Layer", nullable=True,
                choices=lambda widget: [*filter(is_source, self._viewer.layers)],
                tooltip="Image to restore",
            ),
            *_fields.frame_fields(),
            LineEdit(
                name="out", label="Save as", value="",
                tooltip=(
                    "A .ome.tif or .zarr to write to, for results larger than the "
                    "memory; empty for a layer in memory"
                ),
            ),
        )  # fmt: skip

    def _model_row(self) -> QHBoxLayout:
        self.export_button = button(
            "Export…", "Write the model for other programs", self._ask_to_export
        )
        other = button(
            "Other model…", "Choose a model folder from disk", self._ask_for_model
        )
        return row(other, self.export_button, help_buttons(__name__))

    def _image_row(self) -> QHBoxLayout:
        self.preview_button = button(
            "Preview", "Restore only what is in view, in seconds", self._preview
        )
        self.folder_button = button(
            "Folder…", "Restore all images of a folder", self._open_folder
        )
        self.evidence_button = button(
            "Evidence",
            "Show where the data support the last result, and where they do not; it is "
            "restored some ten times more",
            self._find_evidence,
        )
        self.evidence_button.setEnabled(False)
        return row(self.preview_button, self.folder_button, self.evidence_button)

    def _connect(self) -> None:
        self.form["layer"].changed.connect(self._offer_frames)
        self.form["model"].changed.connect(self.draws.look_at)
        self.draws.toggled.connect(self.planner.soon)
        self.draws.fields.on_change(self.planner.soon)
        self.advanced["psf"].changed.connect(self._ask_for_voxels)
        for fields, names in (
            (self.form, ("model", "layer", "channel", "time", "out")),
            (self.advanced, ("axes", "psf", "device")),
        ):
            for name in names:
                fields[name].changed.connect(self.planner.soon)
        self.voxels.given.connect(self.planner.soon)
        self.run.start.connect(self._start)
        self.run.stop.connect(self._cancel)

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for name in ("model", "layer"):
            self.form[name].reset_choices()
        self.advanced["psf"].reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        recent = _state.models.list()
        self.form.prefer("model", recent[0] if recent else None)

    def take_layer(self, layer: Image) -> None:
        """Choose the layer to restore."""
        self.form["layer"].value = layer

    def _offer_frames(self, layer: Image | None) -> None:
        _fields.offer_frames(self.form, readable(layer, self._axes()))
        self._ask_for_voxels()

    def _ask_for_voxels(self, value: object = None) -> None:
        psf = unmeasured(self.advanced["psf"].value)
        self.voxels.look_at([self.form["layer"].value, psf], axes=self._axes())

    # --- the buttons

    def _start(self) -> None:
        source = self.form["layer"].value

        def prepare() -> Any:
            request = self._asked_for = self._request()
            self.evidence.hide()
            return request.run

        self.launch(prepare, lambda result: self._show(result, source))

    def _preview(self) -> None:
        source = self.form["layer"].value
        place: dict[str, Any] = {}

        def prepare() -> Any:
            request = self._request()
            cut, start = visible_field(request, *self._view(source))
            place.update(corner=start, time=cut.time)
            # The displayed plan is that of the whole layer.
            return lambda report: cut.run(
                lambda event: None if isinstance(event, Planned) else report(event)
            )

        self.launch(prepare, lambda result: self._show_field(result, source, place))

    def _view(self, source: Image) -> tuple[Any, Any, Any]:
        """Return the corners of the view and the planes in it, in voxels."""
        return *corners_of_view(source), point_in_view(self._viewer, source)

    def set_busy(self, busy: bool) -> None:
        """Update the buttons."""
        super().set_busy(busy)
        self.preview_button.setEnabled(not busy)
        self.export_button.setEnabled(not busy)
        self.evidence_button.setEnabled(not busy and self._done is not None)

    def _find_evidence(self) -> None:
        if self._done is None:
            return
        request, result, source = self._done

        def prepare() -> Any:
            request.measured()
            request.one_image(result)
            return lambda report: request.evidence(result, report)

        self.launch(prepare, lambda found: self._show_evidence(found, source))

    def _open_folder(self) -> None:
        from napari_blurgan.widgets.restore_folder import RestoreFolderWidget

        widget = show_widget(self._viewer, "Restore a folder", RestoreFolderWidget)
        widget.take_model(self.form["model"].value)

    def _ask_to_export(self) -> None:
        model = self.form["model"].value
        if model is None:
            self.messages.add("Choose the model to export")
            return
        ExportDialog(model, self, self.export_to).open()

    def export_to(self, path: Path, said: dict[str, str]) -> None:
        """Write the chosen model for other programs."""
        model = self.form["model"].value
        self.launch(lambda: export(model, path, said), self.run.say)

    def _ask_for_model(self) -> None:
        folder = _state.models.list()[:1] or [Path.home()]
        chosen = QFileDialog.getExistingDirectory(
            self, "Model folder (.blurgan)", str(folder[0].parent)
        )
        if chosen:
            _state.models.add(Path(chosen))

    def _on_model_saved(self, path: Path) -> None:
        self.form["model"].reset_choices()
        self.form["model"].value = path

    # --- requests to the engine

    def _axes(self) -> str | None:
        return self.advanced["axes"].value.strip().upper() or None

    def _request(self) -> RestoreRequest:
        values = self.form.values()
        if values["model"] is None:
            raise DataError(
                "choose a model: train one first, or open another from disk"
            )
        if values["layer"] is None:
            raise DataError("choose an image layer to restore")
        psf = self.advanced["psf"].value
        out = values["out"].strip()
        stack = to_stack(values["layer"], self._axes())
        frame, draws = _fields.chosen_frame(self.form), self.draws.chosen()
        if draws and frame["channel"] is None and stack.channels > 1:
            raise DataError("many answers are of one channel: choose one")
        return RestoreRequest(
            model=values["model"],
            stack=stack,
            out=Path(out).expanduser() if out else None,
            psf=None if psf is None else to_psf(psf, stack),
            channel=frame["channel"],
            time=frame["time"],
            device=self.advanced["device"].value,
            memory=_state.memory_limit(),
            **draws,
        )

    # --- reports of the engine

    def heard(self, events: list[Any]) -> None:
        """Show notes, the plan and the progress."""
        for event in events:
            if isinstance(event, Noted):
                self.messages.add(f"Note: {event.message}")
            elif isinstance(event, Planned):
                self.planner.say(estimate(event.plan))
                self.run.say("Restoring…")  # the first tile may take long
            elif isinstance(event, TileDone):
                self.show_progress("Tile", event.done, event.total, event.seconds_left)

    def _show(self, result: Stack, source: Image) -> None:
        self.run.say("Done.")
        assert self._asked_for is not None
        self._done = (self._asked_for, result, source)
        axes = self._axes() or guess_axes(source)
        if self._asked_for.outputs is not None:
            for data in draws_layers(source, result, self._asked_for.outputs, axes):
                add_layer(self._viewer, data)
            return
        data = result_layer(source, result, "restored", axes)
        add_layer(
            self._viewer, like_its_preview(data, preview_of(self._viewer, source))
        )

    def _show_evidence(self, found: Evidence, source: Image) -> None:
        self.run.say("Done: where the result is covered in orange, do not rely on it.")
        axes = self._axes() or guess_axes(source)
        for data in evidence_layers(source, found, axes):
            add_layer(self._viewer, data)
        self.evidence.show_report(found)

    def _show_field(self, result: Stack, source: Image, place: dict[str, Any]) -> None:
        self.run.say("Preview of the visible region.")
        axes = self._axes() or guess_axes(source)
        data = field_layer(source, result, axes, **place)
        earlier = preview_of(self._viewer, source)
        if earlier is not None:
            self._viewer.layers.remove(earlier)
        add_layer(self._viewer, data)


def estimate(plan: TilingPlan, seconds: float | None = None) -> str:
    """Return the requirements of a restoration in one sentence."""
    words = str(plan)
    return words if seconds is None else f"{words}, about {duration(seconds)}"
