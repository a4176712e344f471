"""Learn the blur of a microscope, and how to remove it.

**What you need.** One or more *blurred* images, and *sharp* images of the same kind of
structure: they need not match and may show another field, another cell, or come from
another microscope. If you have none, let a sharp set be made.

**What to do.** Tick the images, enter what you know about the optics, choose the
training time in minutes, and press *Start*. The point-spread function appears as a
layer next to the image and changes while it is learned; the restored crop is shown on
the image. *Stop* keeps what has been learned. Then *Restore* applies the model to whole
images.

**What to check.** The cycle losses should fall. The widths of the PSF should settle;
theoretical ones are shown next to them if the optics are known. If something goes
wrong, a sentence says what, and what to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.errors import BlurGANError, WeakSignalError
from napari_blurgan.monitoring.events import (
    Finished,
    Judged,
    KernelUpdated,
    Previewed,
    Started,
)
from napari_blurgan.tasks.sharp_set import Cut
from napari_blurgan.tasks.train_request import Theory, TrainingRequest
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._closing import PATIENCE, Disposal
from napari_blurgan.widgets._controls import (
    Messages,
    RunControl,
    criterion_label,
    scrolled,
)
from napari_blurgan.widgets._data_form import DataForm
from napari_blurgan.widgets._docks import show_widget
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._layers import guess_axes, to_psf
from napari_blurgan.widgets._learning import LearningWidget
from napari_blurgan.widgets._live import LiveLayers
from napari_blurgan.widgets._model_place import ModelPlace
from napari_blurgan.widgets._plots import LossPlot
from napari_blurgan.widgets._psf_field import PsfField
from napari_blurgan.widgets._psf_inset import PsfInset
from napari_blurgan.widgets._readiness import Readiness
from napari_blurgan.widgets._recipes import Recipes
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.monitoring.events import Event
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.widgets._worker import Failure

__all__ = ["TrainWidget"]

DENOISER = "noise2self"
DENOISE_HELP = (
    f"Start with the recipe {DENOISER}, which removes the noise and leaves the blur: "
    "it needs neither a PSF nor sharp images"
)
DRAW = 1000
"""Milliseconds between two updates of the display. Everything is updated together,
because any change repaints the whole window, which takes 50 ms without a GPU."""


@dataclass(frozen=True)
class Run:
    """A running or queued training: the request, and where it is shown."""

    request: TrainingRequest
    live: LiveLayers
    out: Callable[[], Path]
    """Returns the path of a new model folder."""

    def placed(self) -> Run:
        """Return the same with its model folder."""
        out = self.out()
        options = self.request.options | {"out": out}
        return replace(self, request=replace(self.request, options=options))


class TrainWidget(LearningWidget):
    """Train a recipe on layers and files, and watch it learn.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to use, and where to show the PSF and the preview.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, DRAW)
        self._run: Run | None = None
        self._waiting: deque[Run] = deque()
        self._theory: Psf | None = None
        self._build()
        self.reset_choices()
        Disposal(self, napari_viewer)
        self._kept = _state.Kept(self, "train", self._values, self._set_values)
        self.missing.soon()

    # --- the form

    def _build(self) -> None:
        self.data = DataForm(self._viewer)
        self.form = _fields.training_form(_presets())
        self.advanced = _fields.advanced_form(
            _state.preference("device"),
            PsfField(
                self._viewer,
                lambda: next(iter(self.data.blurred.layers()), None),
                label="Known PSF",
                tooltip="Blur for nonblind recipes, initial estimate for blind ones",
            ),
        )
        self.run = RunControl("training", can_pause=True, can_queue=True)
        self._queue = plain()
        self._queue.setWordWrap(True)
        self._queue.hide()
        self.missing = Readiness(self._check, lambda: self._job is not None)
        self.place = ModelPlace()
        self.criterion = criterion_label()
        self.psf = PsfInset()
        self.plot = LossPlot()
        self.messages = Messages()
        self.recipes = Recipes(self.form, self.advanced, self.messages)
        self._settings = _forms.Fold("Data and settings", self._inputs(), opened=True)
        self._after = self._afterwards()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self._settings)
        for widget in (
            self.missing,
            self.run,
            self._queue,
            self.messages,
            self.criterion,
            self._after,
        ):
            layout.addWidget(widget)
        for widget in (self.psf, self.plot):
            layout.addWidget(widget)
            widget.hide()
        layout.addStretch()
        scrolled(content, self)
        self.run.start.connect(self._start)
        self.data.changed.connect(self.missing.soon)
        self.data.blurred.changed.connect(self._take_recipe)
        for form in (self.form, self.advanced, self.data.optics.fields):
            form.on_change(self.missing.soon)
        self._connect()

    def _inputs(self) -> QWidget:
        inputs = QWidget()
        layout = QVBoxLayout(inputs)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.data)
        layout.addWidget(self.form)
        layout.addWidget(self.place)
        more = QWidget()
        below = QVBoxLayout(more)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.advanced)
        below.addWidget(self.recipes)
        self._more = _forms.Fold("Advanced", more)
        layout.addWidget(self._more)
        return inputs

    def _afterwards(self) -> QWidget:
        before = self.before_button = QPushButton("Before / after")
        before.setCheckable(True)
        before.setToolTip("Show the blurred image instead of the restored crop")
        before.toggled.connect(self._show_before)
        restore = self.restore_button = QPushButton("Restore…")
        restore.setToolTip("Open the Restore widget with this model")
        restore.clicked.connect(self._open_restore)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        again = self.continue_button = self._continue_button()
        for button in (before, again, restore, help_buttons(__name__)):
            layout.addWidget(button)
        for button in (before, restore):
            button.setEnabled(False)
        return row

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        self.data.reset_choices()
        self.advanced["psf"].reset_choices()
        active = self._viewer.layers.selection.active
        if not self.data.blurred.sources() and event is None:
            self.data.blurred.tick(active)

    def take_psf(self, layer: Image) -> None:
        """Choose a PSF layer as the known one, and show the field."""
        self.advanced["psf"].value = layer
        self._settings.set_open(True)
        self._more.set_open(True)

    # --- before Start

    def _take_recipe(self) -> None:
        """Choose the recipe requested by the images, such as those of a sample."""
        if self.data.recipe is not None:
            self.form["preset"].value = self.data.recipe

    def _check(self) -> None:
        """Check the path of the model, and the request."""
        self.place.look_at(self._image_name(), self.advanced["device"].value)
        self._request().check()

    def _image_name(self) -> str:
        """Return the name of a model if the user enters none."""
        first = next(iter(self.data.blurred.sources()), None)
        if isinstance(first, Path):
            return first.name.removesuffix(first.suffix).removesuffix(".ome")
        return "model" if first is None else str(first.name)

    # --- the buttons

    def continue_model(self, folder: Path) -> None:
        """Train a model further, with its own recipe, on the ticked images."""
        if self._job is None and self.recipes.load(folder / "recipe.yaml"):
            self._begin(lambda: folder, resume=True)

    def _start(self) -> None:
        """Start, or queue the request after the running one."""
        image, place = self._image_name(), self.place.taken()
        self._begin(lambda: place(image), resume=False)

    def _begin(self, out: Callable[[], Path], *, resume: bool) -> None:
        if self._job is None:
            self.messages.reset()
        try:
            request = self._request()
            request.check()
        except BlurGANError as error:
            self.messages.refuse(error)
            self._settings.set_open(True)
            return
        options = request.options | {"resume": resume}
        run = Run(replace(request, options=options), self._live_layers(), out)
        self._kept.save()
        self._waiting.append(run)
        if self._job is None:
            self._start_next()
        self._say_what_waits()

    def _start_next(self) -> None:
        run = self._run = self._waiting.popleft().placed()
        self._reset_views()
        self._settings.set_open(False)
        self.missing.hide()
        self._launch(run.request.trainer, run.request.options["resume"])
        self._follow(run.live)

    def _finish(self) -> None:
        self._waiting.clear()
        if self._job is None or self._run is None:
            return
        if not self._job.finish(PATIENCE):  # a long step: the last checkpoint stays
            _state.models.add(self._run.request.out)

    def _open_restore(self) -> None:
        from napari_blurgan.widgets.restore import RestoreWidget

        restore = show_widget(self._viewer, "Restore", RestoreWidget)
        for layer in self.data.blurred.layers()[:1]:
            restore.take_layer(layer)

    def _show_before(self, before: bool) -> None:
        if self._run is not None:
            self._run.live.show_before(before)

    # --- requests to the engine

    def _request(self) -> TrainingRequest:
        more = self.advanced.values()
        axes = more["axes"].strip().upper() or None
        data = self.data
        sharp = data.sharp if data.make_sharp == "layers" else None
        return TrainingRequest(
            preset=self.form["preset"].value,
            base=self.recipes.base,
            changes=_fields.changes_of(more["changes"]),
            blurred=_channel(data.blurred.stacks(axes), more["channel"]),
            sharp=_channel(sharp.stacks(axes) if sharp else [], more["channel"]),
            psf=None if more["psf"] is None else to_psf(more["psf"]),
            make_sharp=data.make_sharp,
            optics=data.optics.optics(),
            options={
                "minutes": self.form["minutes"].value,
                "device": more["device"],
                "seed": more["seed"],
            },
        )

    def _values(self) -> dict[str, Any]:
        return {
            "form": self.form.plain_values(),
            "advanced": self.advanced.plain_values(),
            "data": self.data.values(),
        }

    def _set_values(self, known: dict[str, Any]) -> None:
        self.form.update_values(known.get("form", {}))
        self.advanced.update_values(known.get("advanced", {}))
        data = known.get("data", {})
        self.data.update_values(data)
        if self.data.blurred.names() != data.get("blurred"):
            self._take_recipe()

    # --- reports of the engine

    def _live_layers(self) -> LiveLayers:
        axes = self.advanced["axes"].value.strip().upper()
        return LiveLayers(
            self._viewer,
            self.data.blurred.layers(),
            lambda layer: axes or guess_axes(layer),
        )

    def _reset_views(self) -> None:
        self._theory = None
        self._latest.clear()
        self.plot.clear()
        self.restore_button.setEnabled(False)
        self.before_button.setChecked(False)
        self.plot.show()
        self.psf.clear()
        self.psf.hide()  # a recipe may have none
        self.criterion.hide()

    def _say_what_waits(self) -> None:
        names = ", ".join(run.request.blurred[0].name for run in self._waiting)
        self._queue.setText(f"Next: {names}")
        self._queue.setVisible(bool(names))

    def _optics_given(self) -> bool:
        request = None if self._run is None else self._run.request
        return request is not None and (request.optics or request.psf) is not None

    def _heard(self, event: Event) -> None:
        if isinstance(event, Judged):
            self.criterion.setText(f"Step {event.step}: {event.judgement}.")
            self.criterion.show()
        elif isinstance(event, Theory):
            self._theory = event.psf
        elif isinstance(event, Cut) and self._run is not None:
            self._run.live.starts = dict(enumerate(event.starts))

    def _draw(self) -> None:
        super()._draw()
        if self._run is not None:
            self._draw_layers(self._run.live)
            self._follow(self._run.live)
        started = self._latest.get(Started)
        where = f" · {started.device}" if isinstance(started, Started) else ""
        self._say_progress(where)  # last, because napari's progress bar paints at once

    def _draw_layers(self, live: LiveLayers) -> None:
        kernel = self._latest.pop(KernelUpdated, None)
        if isinstance(kernel, KernelUpdated):
            live.show_psf(kernel.psf)
            self.psf.show_psf(kernel.psf, self._theory)
            self.psf.show()
        preview = self._latest.pop(Previewed, None)
        if isinstance(preview, Previewed):
            live.show_preview(preview)
            self.before_button.setEnabled(True)

    def _on_finished(self, event: Finished) -> None:
        super()._on_finished(event)
        if self._run is not None:
            _state.models.add(self._run.request.out)
        self.restore_button.setEnabled(True)

    def _on_failure(self, failure: Failure) -> None:
        super()._on_failure(failure)
        self._settings.set_open(True)
        if issubclass(failure.kind, WeakSignalError):
            self.messages.offer("Denoise instead", DENOISE_HELP, self._denoise)

    def _denoise(self) -> None:
        """Learn to remove the noise alone, from the same images."""
        self.form["preset"].value = DENOISER
        self._start()

    def _on_end(self) -> None:
        super()._on_end()
        self.missing.soon()
        if self._waiting:
            self._start_next()
            self._say_what_waits()


def _channel(stacks: list[Stack], channel: int) -> list[Stack]:
    """Return one channel of the stacks that have several, unless all are wanted."""
    if channel == _fields.ALL:
        return stacks
    return [s.only_channel(channel) if s.channels > 1 else s for s in stacks]


def _presets() -> dict[str, str]:
    from napari_blurgan.methods.presets import PRESETS

    return {name: words for name, (words, _) in PRESETS.items()}
