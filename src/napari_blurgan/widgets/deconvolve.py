"""Deconvolve a layer with a known PSF, by a classical method.

Choose a layer, a PSF layer (make one with the *PSF* widget) and a method; the line
below the method says when to choose it. Deconvolution in the manner of Richardson and
Lucy ends by building structure out of noise: choose the number of iterations with
care, or a rule that stops it.

The background is the grey level of places without light. With the camera's figures
known, the image is deconvolved in photo-electrons.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, FloatSpinBox
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.errors import AxesError, BlurGANError, DataError
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._controls import help_button, row, scrolled
from napari_blurgan.widgets._deconvolving import DeconvolutionRequest, Iterated
from napari_blurgan.widgets._layers import (
    guess_axes,
    is_psf,
    is_source,
    result_layer,
    to_psf,
    to_stack,
)
from napari_blurgan.widgets._live import add_layer
from napari_blurgan.widgets._task import RunWidget
from napari_blurgan.widgets._worker import Report

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack

__all__ = ["DeconvolveWidget"]

NEVER = "after all iterations"


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
        self._build()
        self.reset_choices()
        _state.Kept(self, "deconvolve", self._values, self._set_values)

    # --- what it shows

    def _build(self) -> None:
        self.form = self._fields()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.camera = _fields.camera_form()
        self.advanced = _forms.Form(
            _fields.axes_field(), _fields.device_field(_state.preference("device"))
        )
        self.parameters = _forms.Form()
        self._place = QVBoxLayout()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addLayout(row(self.summary, help_button(__name__)))
        layout.addLayout(self._place)
        for widget in (self.camera, _forms.Fold("Advanced", self.advanced)):
            layout.addWidget(widget)
        layout.addWidget(self.run)
        layout.addWidget(self.messages)
        layout.addStretch()
        scrolled(content, self)
        self.form["layer"].changed.connect(self._offer_frames)
        self.form["method"].changed.connect(self._offer_parameters)
        self.run.start.connect(self._start)
        self._offer_parameters(self.form["method"].value)

    def _fields(self) -> _forms.Form:
        return _forms.Form(
            ComboBox(
                name="layer", label="Layer", tooltip="The image to deconvolve",
                nullable=True, choices=lambda box: self._layers(is_source),
            ),
            *_fields.frame_fields(),
            ComboBox(
                name="psf", label="PSF", tooltip="A PSF layer", nullable=True,
                choices=lambda box: self._layers(is_psf),
            ),
            FloatSpinBox(
                name="background", label="Background", value=0, min=0, max=1e6, step=1,
                tooltip="Grey level of places without light; modelled, not subtracted",
            ),
            ComboBox(
                name="method", label="Method",
                choices=[(m.title, m.name) for m in METHODS.values()],
                tooltip="\n".join(f"{m.title}: {m.summary}" for m in METHODS.values()),
            ),
            ComboBox(
                name="stop", label="Stop", choices=[NEVER],
                tooltip="A rule that ends it before all iterations",
            ),
        )  # fmt: skip

    def _layers(self, kind: Callable[[Any], bool]) -> list[Image]:
        return [layer for layer in self._viewer.layers if kind(layer)]

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for name in ("layer", "psf"):
            self.form[name].reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        self.form.prefer("psf", None)

    def take_psf(self, layer: Image) -> None:
        """Choose a PSF layer."""
        self.form["psf"].value = layer

    def _offer_frames(self, layer: Image | None) -> None:
        try:
            stack = None if layer is None else to_stack(layer, self._axes())
        except BlurGANError:  # is told when it is to be deconvolved
            stack = None
        _fields.offer_frames(self.form, stack)

    def _offer_parameters(self, name: str) -> None:
        method = METHODS[name]
        self.summary.setText(method.summary)
        self.form["stop"].choices = [NEVER, *method.rules]
        self.form.set_visible("stop", bool(method.rules))
        self.camera.setChecked(self.camera.isChecked() or method.counts)
        self._replace_parameters(method)

    def _replace_parameters(self, method: Method) -> None:
        old = self.parameters
        self.parameters = _forms.Form(*_fields.parameter_fields(method.parameters))
        self._place.removeWidget(old)
        old.hide()  # at once; it is deleted when the event loop comes to it
        old.deleteLater()
        self._place.addWidget(self.parameters)

    def _values(self) -> dict[str, Any]:
        parts = ("form", "parameters", "camera", "advanced")
        return {name: getattr(self, name).plain_values() for name in parts}

    def _set_values(self, known: dict[str, Any]) -> None:
        # The method first, for the parameters are its own.
        for name in ("form", "parameters", "camera", "advanced"):
            getattr(self, name).update_values(known.get(name, {}))

    # --- what the buttons do

    def _start(self) -> None:
        source = self.form["layer"].value
        self._began = monotonic()
        self.launch(self._work, lambda result: self._show(result, source))

    def _work(self) -> Callable[[Report], Stack]:
        return self._request().run

    def _axes(self) -> str | None:
        return self.advanced["axes"].value.strip().upper() or None

    def _request(self) -> DeconvolutionRequest:
        values, frame = self.form.values(), _fields.chosen_frame(self.form)
        if values["layer"] is None:
            raise DataError("choose an image layer to deconvolve")
        if values["psf"] is None:
            raise DataError("choose a PSF layer; the PSF widget makes one")
        stack = to_stack(values["layer"], self._axes())
        if "S" in stack.axes and frame["channel"] is None:
            raise AxesError(
                f"{stack.name} is an RGB image; choose the channel that holds the light"
            )
        if frame["channel"] is not None:
            stack = stack.only_channel(frame["channel"])
        known = self.camera
        return DeconvolutionRequest(
            stack=stack,
            psf=to_psf(values["psf"]),
            method=values["method"],
            parameters=self.parameters.values(),
            background=values["background"],
            camera=known.fields.values() if known.isChecked() else {},
            stop=None if values["stop"] == NEVER else values["stop"],
            time=frame["time"],
            device=self.advanced["device"].value,
            memory=_state.memory_limit(),
        )

    # --- what comes of it

    def heard(self, events: list[Any]) -> None:
        """Show how far it is, and what is said in words."""
        iterated = [event for event in events if isinstance(event, Iterated)]
        if iterated:
            done, total = iterated[-1].done, iterated[-1].total
            left = (monotonic() - self._began) * (total - done) / done
            self.show_progress("Iteration", done, total, left)
        super().heard([event for event in events if isinstance(event, str)])

    def _show(self, result: Stack, source: Image) -> None:
        self.run.say("Done.")
        axes = self._axes() or guess_axes(source)
        add_layer(self._viewer, result_layer(source, result, "deconvolved", axes))
