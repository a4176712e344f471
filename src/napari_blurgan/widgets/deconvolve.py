"""Deconvolve a layer with a known PSF, by a classical method.

Choose a layer, a PSF layer (make one with the *PSF* widget) and a method; the line
below the method says what it suits. Richardson–Lucy methods turn noise into structure
if they run too long: choose the number of iterations with care, or a stopping rule,
whose criterion is then plotted.

The estimate is shown as it becomes sharper. *Keep* ends the iterations and keeps the
current estimate; *Cancel* discards it. Images that do not fit into memory are
deconvolved in tiles, without a preview.

The background is the grey level without light from the object. If the camera parameters
are known, the image is deconvolved in photo-electrons.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.tasks.deconvolve import (
    DeconvolutionRequest,
    Glimpse,
    Iterated,
)
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._background import (
    UNKNOWN,
    BackgroundEstimate,
    background_field,
)
from napari_blurgan.widgets._brightness import limits_of
from napari_blurgan.widgets._controls import (
    button,
    duration,
    row,
    scrolled,
)
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
from napari_blurgan.widgets._live import Contrast, add_layer, like_its_preview
from napari_blurgan.widgets._planner import Planner
from napari_blurgan.widgets._plots import LossPlot
from napari_blurgan.widgets._psf_field import PsfField
from napari_blurgan.widgets._psf_layers import unmeasured
from napari_blurgan.widgets._task import RunWidget
from napari_blurgan.widgets._voxel_size import VoxelSizeForm
from napari_blurgan.widgets._words import plain
from napari_blurgan.widgets._worker import Report

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.optics.psf import Psf

__all__ = ["DeconvolveWidget"]

NEVER = "after all iterations"
OTHERWISE = (
    "without it, a voxel of the PSF is assumed to be as large as one of the image"
)


class DeconvolveWidget(RunWidget):
    """Classical deconvolution of layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to deconvolve, and where to put the results.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "deconvolving")
        self._began = 0.0
        self._request_now: DeconvolutionRequest | None = None
        self._preview: Image | None = None
        self._contrast = Contrast()
        self._source: Image | None = None
        self.planner = Planner(
            self, lambda: self._request().plan, estimate, lambda: self._job is not None
        )
        self._build()
        self.reset_choices()
        _state.Kept(self, "deconvolve", self._values, self._set_values)
        self.planner.soon()

    # --- the form

    def _build(self) -> None:
        self.form = self._fields()
        self.summary = plain()
        self.summary.setWordWrap(True)
        self.camera = _fields.camera_form()
        self.advanced = _forms.Form(
            _fields.axes_field(), _fields.device_field(_state.preference("device"))
        )
        self.background = BackgroundEstimate(
            self.form["background"], self._offset, self
        )
        self.estimate_button = button(
            "Estimate background",
            "Estimate from the darkest parts of the layer",
            self._estimate_background,
        )
        self.parameters = _forms.Form()
        self._place = QVBoxLayout()
        self.psfs = _forms.Form()
        self.voxels = VoxelSizeForm(self._viewer, OTHERWISE)
        self._psfs_place = QVBoxLayout()
        self._help = help_buttons(__name__)
        self.plan = self.planner.label
        self.plot = LossPlot()
        self.keep = button("Keep", "Stop here and keep this iteration", self._keep)
        self.keep.setEnabled(False)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addWidget(self.estimate_button)
        layout.addLayout(self._psfs_place)
        layout.addWidget(self.voxels)
        layout.addLayout(row(self.summary, self._help))
        layout.addLayout(self._place)
        for widget in (self.camera, _forms.Fold("Advanced", self.advanced)):
            layout.addWidget(widget)
        for widget in (self.plan, self.run, self.keep, self.plot, self.messages):
            layout.addWidget(widget)
        self.plot.hide()
        layout.addStretch()
        scrolled(content, self)
        self.form["layer"].changed.connect(self._offer_frames)
        self.form["channel"].changed.connect(self._offer_psfs)
        self.form["channel"].changed.connect(lambda _: self._estimate_background())
        self.camera.toggled.connect(self.background.refresh)
        self.camera.toggled.connect(self.planner.soon)
        self.camera.fields["offset"].changed.connect(self.background.refresh)
        self.form["method"].changed.connect(self._offer_parameters)
        for name in ("layer", "psf", "method", "channel", "time", "stop"):
            self.form[name].changed.connect(self.planner.soon)
        for name in ("layer", "psf"):
            self.form[name].changed.connect(lambda _: self._ask_for_voxels())
        self.voxels.given.connect(self.planner.soon)
        self.run.start.connect(self._start)
        self._offer_parameters(self.form["method"].value)

    def _fields(self) -> _forms.Form:
        return _forms.Form(
            ComboBox(
                name="layer", label="Layer", tooltip="The image to deconvolve",
                nullable=True,
                choices=lambda box: [*filter(is_source, self._viewer.layers)],
            ),
            *_fields.frame_fields(),
            PsfField(self._viewer, self._chosen, tooltip="Blur of the image"),
            background_field(),
            ComboBox(
                name="method", label="Method",
                choices=[(m.title, m.name) for m in METHODS.values()],
                tooltip="\n".join(f"{m.title}: {m.summary}" for m in METHODS.values()),
            ),
            ComboBox(
                name="stop", label="Stop", choices=[NEVER],
                tooltip="Rule that stops before the last iteration",
            ),
        )  # fmt: skip

    def _chosen(self) -> Image | None:
        layer: Image | None = self.form["layer"].value
        return layer

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for field in (self.form["layer"], self.form["psf"], *self.psfs):
            field.reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        self.form["psf"].prefer_ours()

    def take_layer(self, layer: Image) -> None:
        """Choose the layer to deconvolve."""
        self.form["layer"].value = layer

    def take_psf(self, layer: Image) -> None:
        """Choose a PSF layer."""
        self.form["psf"].value = layer

    def _ask_for_voxels(self) -> None:
        """Ask for the voxel size if image or PSF have none."""
        layer, psf = self.form["layer"].value, self.form["psf"].value
        self.voxels.look_at([layer, unmeasured(psf)], axes=self._axes())

    def _offer_frames(self, layer: Image | None) -> None:
        _fields.offer_frames(self.form, readable(layer, self._axes()))
        self._offer_psfs()
        self._estimate_background()

    def _estimate_background(self) -> None:
        stack = readable(self._chosen(), self._axes())
        self.background.look_at(stack, **_fields.chosen_frame(self.form))

    def _offset(self) -> float:
        """Return the grey level that the camera adds to every pixel, if known."""
        known = self.camera.isChecked()
        return float(self.camera.fields["offset"].value) if known else 0.0

    def _offer_psfs(self, channel: object = None) -> None:
        """Ask for a PSF for every further channel that is deconvolved."""
        one = _fields.chosen_frame(self.form)["channel"] is not None
        channels = 1 if one else max(1, len(self.form["channel"].choices) - 1)
        fields = (
            PsfField(
                self._viewer,
                self._chosen,
                name=f"psf {c}",
                label=f"PSF {c}",
                tooltip=f"PSF of channel {c}; if empty, the PSF above",
            )
            for c in range(1, channels)
        )
        self.psfs = self._replaced(self._psfs_place, self.psfs, _forms.Form(*fields))
        self.psfs.follow(self.estimate_button)

    def _replaced(
        self, place: QVBoxLayout, old: _forms.Form, new: _forms.Form
    ) -> _forms.Form:
        place.removeWidget(old)
        old.hide()  # at once; it is deleted later by the event loop
        old.deleteLater()
        place.addWidget(new)
        return new

    def _offer_parameters(self, name: str) -> None:
        method = METHODS[name]
        self.summary.setText(method.summary)
        self.form["stop"].choices = [NEVER, *method.rules]
        self.form.set_visible("stop", bool(method.rules))
        self.camera.setChecked(self.camera.isChecked() or method.counts)
        self._replace_parameters(method)

    def _replace_parameters(self, method: Method) -> None:
        new = _forms.Form(*_fields.parameter_fields(method.parameters))
        self.parameters = self._replaced(self._place, self.parameters, new)
        new.follow(self._help.findChildren(QPushButton)[-1])
        for parameter in method.parameters:
            new[parameter.name].changed.connect(self.planner.soon)

    def _values(self) -> dict[str, Any]:
        parts = ("form", "parameters", "camera", "advanced")
        values = {name: getattr(self, name).plain_values() for name in parts}
        values["form"].pop("background")  # it is that of a layer
        return values

    def _set_values(self, known: dict[str, Any]) -> None:
        # The method first, because the parameters depend on it.
        for name in ("form", "parameters", "camera", "advanced"):
            getattr(self, name).update_values(known.get(name, {}))

    # --- the buttons

    def _start(self) -> None:
        source = self._source = self.form["layer"].value
        self._began = monotonic()
        self.plot.clear()
        self.plot.hide()
        self.launch(self._work, lambda result: self._show(result, source))

    def _work(self) -> Callable[[Report], Stack]:
        self._request_now = self._request()
        return self._request_now.run

    def _keep(self) -> None:
        if self._request_now is not None:
            self._request_now.enough.set()
            self.keep.setEnabled(False)

    def set_busy(self, busy: bool) -> None:
        """Update the buttons; a preview does not outlive its run."""
        super().set_busy(busy)
        if not busy:
            self.keep.setEnabled(False)
            if self._preview in self._viewer.layers:
                self._viewer.layers.remove(self._preview)
            self._preview = None

    def _axes(self) -> str | None:
        return self.advanced["axes"].value.strip().upper() or None

    def _request(self) -> DeconvolutionRequest:
        values, frame = self.form.values(), _fields.chosen_frame(self.form)
        if values["layer"] is None:
            raise DataError("choose an image layer to deconvolve")
        if values["psf"] is None:
            raise DataError(
                "choose a PSF: any image layer or a file; the PSF widget makes one"
            )
        stack = to_stack(values["layer"], self._axes())
        if "S" in stack.axes and frame["channel"] is None:
            raise AxesError(
                f"{stack.name} is an RGB image; choose the channel to deconvolve"
            )
        if frame["channel"] is not None:
            stack = stack.only_channel(frame["channel"])
        known = self.camera
        return DeconvolutionRequest(
            stack=stack,
            psfs=self._chosen_psfs(values["psf"], stack),
            method=values["method"],
            parameters=self.parameters.values(),
            background=None
            if values["background"] == UNKNOWN
            else values["background"],
            camera=known.fields.values() if known.isChecked() else {},
            stop=None if values["stop"] == NEVER else values["stop"],
            time=frame["time"],
            device=self.advanced["device"].value,
            memory=_state.memory_limit(),
        )

    def _chosen_psfs(self, first: Image, image: Stack) -> tuple[Psf, ...]:
        others = self.psfs.values().values()
        if all(other is None for other in others):
            return (to_psf(first, image),)
        return tuple(to_psf(layer or first, image) for layer in (first, *others))

    # --- results

    def heard(self, events: list[Any]) -> None:
        """Show the progress, and messages."""
        iterated = [event for event in events if isinstance(event, Iterated)]
        if iterated:
            done, total = iterated[-1].done, iterated[-1].total
            left = (monotonic() - self._began) * (total - done) / done
            self.show_progress("Iteration", done, total, left)
        self._draw(iterated)
        glimpses = [event for event in events if isinstance(event, Glimpse)]
        if glimpses and self._job is not None:
            self._glimpse(glimpses[-1])
        super().heard([event for event in events if isinstance(event, str)])

    def _draw(self, iterated: list[Iterated]) -> None:
        """Draw the criterion of the stopping rule."""
        for event in iterated:
            if event.value is not None and isfinite(event.value):
                self.plot.add(event.judged, {"criterion": event.value})
        if not self.plot.is_empty:
            self.plot.show()
            self.plot.draw()

    def _glimpse(self, event: Glimpse) -> None:
        """Show the current estimate at the position of its frame."""
        source = self._source
        if source is None:
            return
        self.keep.setEnabled(not self._enough())
        axes = self._axes() or guess_axes(source)
        field = Stack(event.image, "".join(a for a in axes if a in "ZYX"))
        corner = (0,) * event.image.ndim
        data = field_layer(source, field, axes, corner, event.time)
        if self._preview is None:
            self._contrast = Contrast()
            # An image that is dark but for rounding has no limits that napari can draw.
            data[1]["contrast_limits"] = limits_of(event.image)
            self._preview = add_layer(self._viewer, data)
        elif self._preview in self._viewer.layers:
            self._preview.data = data[0]
            self._preview.translate = data[1]["translate"]
        self._contrast.follow(self._preview, event.image)

    def _enough(self) -> bool:
        return self._request_now is None or self._request_now.enough.is_set()

    def _show(self, result: Stack, source: Image) -> None:
        self.run.say("Done.")
        axes = self._axes() or guess_axes(source)
        data = result_layer(source, result, "deconvolved", axes)
        add_layer(self._viewer, like_its_preview(data, self._preview))


def estimate(found: tuple[str, float]) -> str:
    """Return the requirements of a deconvolution in one sentence."""
    words, seconds = found
    return f"{words}, at most about {duration(seconds)}."
