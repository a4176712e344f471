"""Learn to transform images of one kind into another, while preserving the content.

**What you need.** Images of two kinds, A and B, of the same kind of specimen; they need
not show the same fields: noisy and clean, fluorescence and stained, transmitted light
and fluorescence.

**What to do.** Choose the task, tick the images of A and of B, and define what is
content in both: *Pick A…* and *Pick B…* open the threshold picker, whose thresholds are
used here automatically. Choose the training time in minutes, and press *Start*. *Stop*
keeps what has been learned.

**What to check.** The sentence on the content: how much of it is still in place, on
images that are not used for training; how much was lost, how much invented. The layer
*content disagreement* shows where. A pretty picture alone proves nothing.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox, FloatSpinBox
from qtpy.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_blurgan.errors import BlurGANError
from napari_blurgan.monitoring.events import (
    ContentMeasured,
    Finished,
    Previewed,
)
from napari_blurgan.tasks.transform_request import TASKS, TransformRequest
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._closing import Disposal
from napari_blurgan.widgets._controls import (
    Messages,
    RunControl,
    button,
    row,
    scrolled,
)
from napari_blurgan.widgets._docks import show_widget
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._learning import LearningWidget
from napari_blurgan.widgets._level_fields import LevelFields
from napari_blurgan.widgets._levels import Level, levels_of
from napari_blurgan.widgets._model_place import ModelPlace
from napari_blurgan.widgets._plots import LossPlot
from napari_blurgan.widgets._readiness import Readiness
from napari_blurgan.widgets._sources import SourceList
from napari_blurgan.widgets._transforming import LivePreview
from napari_blurgan.widgets._voxel_size import VoxelSizeForm
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_blurgan.axes import VoxelSize
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.monitoring.events import Event

__all__ = ["TransformWidget"]

DRAW = 1000
"""Milliseconds between two updates of the display."""

IMAGES = (".tif", ".tiff", ".zarr")
THRESHOLDS = {"A": ("alpha", "bright_a"), "B": ("beta", "bright_b")}
"""The fields that define content in a domain."""

LITTLE = 0.5
"""Share of the content below which a transformation should not be trusted."""
ADVICE = (
    " Do not trust it yet: train longer, or pick the thresholds anew so that they "
    "separate content from background."
)


class TransformWidget(LearningWidget):
    """Train a transformation between two domains, and watch the content.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to use, and where to show the preview.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, DRAW)
        self._request: TransformRequest | None = None
        self._live: LivePreview | None = None
        self._levels = levels_of(napari_viewer)
        self._build()
        self._levels.changed.connect(self._on_level)
        Disposal(self, napari_viewer, self._let_go)
        self._kept = _state.Kept(self, "transform", self._values, self._set_values)

    # --- the form

    def _build(self) -> None:
        self.domains = {
            name: SourceList(self._viewer, f"Images of domain {name}") for name in "AB"
        }
        for name, sources in self.domains.items():
            sources.changed.connect(lambda name=name: self._on_ticked(name))
        self.form = self._fields()
        self.advanced = self._advanced()
        self.hint = plain()
        self.hint.setWordWrap(True)
        self.voxels = VoxelSizeForm(self._viewer)
        self.voxels.given.connect(self._on_size)
        self.place = ModelPlace()
        self.missing = Readiness(self._check, lambda: self._job is not None)
        self.run = RunControl("training", can_pause=True)
        self.plot = LossPlot()
        self.plot.hide()
        self.content = plain()
        self.content.setWordWrap(True)
        self.messages = Messages()
        self.restore_button = button(
            "Restore…", "Open the Restore widget with this model", self._restore
        )
        self.restore_button.setEnabled(False)
        self._arrange()
        for form in (self.form, self.advanced):
            form.on_change(self.missing.soon)
        self.run.start.connect(self._start)
        self._connect()
        self._on_task(self.form["task"].value)
        self.missing.soon()

    def _fields(self) -> _forms.Form:
        self._level_fields = {d: self._fields_of(d) for d in THRESHOLDS}
        thresholds = [
            field
            for fields in self._level_fields.values()
            for field in (fields.value, fields.bright)
        ]
        form = _forms.Form(
            ComboBox(
                name="task", label="Task", choices=list(TASKS), value="denoise",
                tooltip="Sets typical values; everything can be changed",
            ),
            *thresholds,
            FloatSpinBox(
                name="minutes", label="Minutes", value=10, min=0.1, max=10_000, step=1,
                tooltip="Training time; Stop ends earlier and keeps the model",
            ),
        )  # fmt: skip
        form["task"].changed.connect(self._on_task)
        return form

    def _fields_of(self, domain: str) -> LevelFields:
        def write(level: Level) -> None:
            self._levels[domain] = level

        fields = LevelFields(
            THRESHOLDS[domain], domain, lambda: self._levels[domain], write
        )
        fields.show()
        return fields

    def _advanced(self) -> _forms.Form:
        return _forms.Form(
            _fields.axes_field(),
            _fields.device_field(_state.preference("device")),
            _fields.seed_field(),
            _fields.changes_field(
                "terms.saliency=0 for a plain cycleGAN, or terms.identity=5"
            ),
        )

    def _arrange(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        self._settings = _forms.Fold("Data and settings", self._inputs(), opened=True)
        for widget in (
            self._settings,
            self.missing,
            self.run,
            self.messages,
            self.content,
            self.plot,
        ):
            layout.addWidget(widget)
        self.continue_button = self._continue_button()
        layout.addLayout(
            row(self.continue_button, self.restore_button, help_buttons(__name__))
        )
        layout.addStretch()
        scrolled(content, self)

    def _inputs(self) -> QWidget:
        inputs = QWidget()
        layout = QVBoxLayout(inputs)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        layout.addWidget(self.hint)
        for name, sources in self.domains.items():
            layout.addLayout(self._heading(name))
            layout.addWidget(sources)
        layout.addWidget(self.voxels)
        layout.addWidget(self.place)
        layout.addWidget(_forms.Fold("Advanced", self.advanced))
        return inputs

    def _heading(self, name: str) -> Any:
        words = {"A": "A: what is transformed", "B": "B: what it is to be like"}
        return row(
            QLabel(words[name]),
            button("Folder…", "Add all images in a folder", lambda: self._add(name)),
            button(
                f"Pick {name}…",
                "Define by clicking what is content",
                lambda: self._pick(name),
            ),
        )

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for sources in self.domains.values():
            sources.reset_choices()

    # --- the thresholds

    def _on_task(self, task: str) -> None:
        self.hint.setText(TASKS[task].words)
        for domain, bright in zip("AB", TASKS[task].bright, strict=True):
            level = self._levels[domain]
            if level.value is None:  # levels found in images take precedence
                self._levels[domain] = replace(level, bright_background=bright)
        self._look_at_sizes()

    def _look_at_sizes(self) -> None:
        """Ask for the voxel size if the task needs it."""
        needed = TASKS[self.form["task"].value].measured
        both = self.domains.values() if needed else ()
        self.voxels.look_at(
            [layer for sources in both for layer in sources.layers()],
            [stack for sources in both for stack in sources.unread()],
        )

    def _on_size(self, size: VoxelSize) -> None:
        for sources in self.domains.values():
            sources.give_size(size)

    def _on_level(self, domain: str) -> None:
        """Show a threshold, whoever has set it."""
        self._level_fields[domain].show()
        self.missing.soon()

    def _let_go(self) -> None:
        self._levels.changed.disconnect(self._on_level)

    def _on_ticked(self, domain: str) -> None:
        """Set the layers of a domain; they may know their threshold."""
        self._look_at_sizes()
        self.missing.soon()
        self._levels.assign(domain, self.domains[domain].layers())

    def _pick(self, domain: str) -> None:
        from napari_blurgan.widgets.threshold import ThresholdWidget

        layers = self.domains[domain].layers()
        if not layers:
            self.messages.add(
                f"Tick an image of {domain} first",
                "One that is open in the viewer: files cannot be clicked on.",
            )
            return
        active = self._viewer.layers.selection.active
        picker = show_widget(self._viewer, "Threshold", ThresholdWidget)
        picker.look_at(domain, active if active in layers else layers[0])

    def _add(self, domain: str) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images")
        if folder:
            self.add_folder(domain, Path(folder))

    def add_folder(self, domain: str, folder: Path) -> None:
        """Tick all images of a folder."""
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES)
        if not found:
            self.messages.refuse(f"{folder} contains no {', '.join(IMAGES)}")
        self.domains[domain].tick(*found)

    # --- before Start

    def _check(self) -> None:
        """Check the path of the model, and the request."""
        self.place.look_at(self._image_name(), self.advanced["device"].value)
        self._asked_for().check()

    def _image_name(self) -> str:
        """Return the name of a model if the user enters none."""
        first = next(iter(self.domains["A"].sources()), None)
        name = getattr(first, "stem", None) or getattr(first, "name", "model")
        return f"{str(name).removesuffix('.ome')}-{self.form['task'].value}"

    # --- the buttons

    def continue_model(self, folder: Path) -> None:
        """Train a model further, with its own recipe, on the images that are ticked."""
        if self._job is None:
            self._begin(lambda: self._continued(folder))

    def _start(self) -> None:
        self._begin(self._asked_for)

    def _begin(self, ask: Callable[[], TransformRequest]) -> None:
        self.messages.reset()
        self.content.setText("")
        try:
            request = self._request = ask()
            request.check()
        except (BlurGANError, OSError) as error:
            self.messages.refuse(error)
            self._settings.set_open(True)
            return
        dtype = np.dtype(request.b[0].data.dtype)
        self._kept.save()
        self._live = LivePreview(
            self._viewer,
            self.domains["A"].layers(),
            dtype,
            sections=request.recipe.name == "isotropic",
        )
        self._latest.clear()
        self.plot.clear()
        self.plot.show()
        self._settings.set_open(False)
        self.missing.hide()
        self._launch(request.trainer, bool(request.options.get("resume")))
        self._follow(self._live)

    def _continued(self, folder: Path) -> TransformRequest:
        """Return what trains a model further: its recipe, thresholds included."""
        from napari_blurgan.methods.recipe import Recipe

        base = Recipe.read(folder / "recipe.yaml")
        asked = self._asked_for(base)
        options = asked.options | {"out": folder, "resume": True}
        return replace(asked, options=options, changes={})

    def _asked_for(self, base: Recipe | None = None) -> TransformRequest:
        values, more = self.form.values(), self.advanced.values()
        axes = more["axes"].strip().upper() or None
        a, b = (self.domains[name].stacks(axes) for name in "AB")
        a_level, b_level = (self._levels[name] for name in "AB")
        changes = {
            "terms.saliency.alpha": a_level.value,
            "terms.saliency.beta": b_level.value,
            "terms.saliency.bright_background_a": a_level.bright_background,
            "terms.saliency.bright_background_b": b_level.bright_background,
        }
        return TransformRequest(
            task=values["task"],
            a=a,
            b=b,
            changes=changes | _fields.changes_of(more["changes"]),
            options={
                "out": self.place.taken()(self._image_name()),
                "minutes": values["minutes"],
                "device": more["device"],
                "seed": more["seed"],
            },
            base=base,
        )

    def _values(self) -> dict[str, Any]:
        return {
            "form": self.form.plain_values(),
            "advanced": self.advanced.plain_values(),
            "images": {name: s.names() for name, s in self.domains.items()},
            "levels": {domain: asdict(self._levels[domain]) for domain in THRESHOLDS},
        }

    def _set_values(self, known: dict[str, Any]) -> None:
        """Set the values from `_values`; a threshold only if its images are there."""
        form = known.get("form", {})
        self._set_fields(form, ("task", "minutes"))
        self.advanced.update_values(known.get("advanced", {}))
        for domain, names in known.get("images", {}).items():
            there = self.domains[domain].tick_names(names)
            level = Level(**known.get("levels", {}).get(domain, {}))
            # A threshold of this viewer was set later.
            if there and level.value is not None and self._levels[domain].value is None:
                self._levels[domain] = level

    def _set_fields(self, values: dict[str, Any], names: tuple[str, ...]) -> None:
        self.form.update_values({n: values[n] for n in names if n in values})

    def _restore(self) -> None:
        from napari_blurgan.widgets.restore import RestoreWidget

        show_widget(self._viewer, "Restore", RestoreWidget)

    # --- reports of the engine

    def _heard(self, event: Event) -> None:
        if isinstance(event, ContentMeasured):
            little = event.content.iou < LITTLE
            self.content.setText(f"{event.content}{ADVICE if little else ''}")

    def _draw(self) -> None:
        super()._draw()
        preview = self._latest.pop(Previewed, None)
        if isinstance(preview, Previewed) and self._live is not None:
            self._live.show(preview, self._colour())
        self._follow(self._live)
        self._say_progress()

    def _colour(self) -> bool:
        return self._request is not None and "S" in self._request.b[0].axes

    def _on_finished(self, event: Finished) -> None:
        super()._on_finished(event)
        measured = self._latest.get(ContentMeasured)
        if isinstance(measured, ContentMeasured) and self._live is not None:
            self._live.show_content(measured.content)
        if self._request is not None:
            _state.models.add(self._request.out)
        self.restore_button.setEnabled(True)

    def _on_end(self) -> None:
        super()._on_end()
        self.missing.soon()
