"""Say what is content, by clicking on it.

A transformation between modalities must leave content where it is. What is content, a
threshold says: one in each domain, in the grey levels of its images.

**What to do.** Choose a layer and its domain. Press *Background* and click (or drag)
where there is nothing; press *Foreground* and do the same where there is something. Two
clicks each are usually enough. The threshold is the mean of the two means; the outline
of what it takes for content lies on the image and follows the slider. Discs are points
of a layer: delete there what was picked by mistake, or press *Undo*.

**What to look at.** The outline should go round what must be kept: whole cells, not
only their nuclei. Where content is darker than its surroundings, as in histology, tick
*Bright background*.

*Transform* takes the thresholds over by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from napari_blurgan.data.colour import ChannelMean
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.transport.thresholds import Picked, Region, threshold_from_regions
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._closing import Disposal
from napari_blurgan.widgets._controls import (
    Messages,
    button,
    help_button,
    row,
    scrolled,
)
from napari_blurgan.widgets._docks import Tabbed
from napari_blurgan.widgets._forms import Form
from napari_blurgan.widgets._histogram import Histogram
from napari_blurgan.widgets._layers import guess_axes, is_source, to_stack
from napari_blurgan.widgets._levels import Level, levels
from napari_blurgan.widgets._mask import mask_attributes, pyramid, refresh
from napari_blurgan.widgets._picks import BACKGROUND, COLOURS, FOREGROUND, Picks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import napari
    from napari.layers import Image, Labels

__all__ = ["ThresholdWidget"]

DOMAINS = [("A: from", "A"), ("B: to", "B")]
TICKS = 1000
SAMPLE = 512
"""Pixels along an axis of a plane that the histogram looks at."""

OVERLAP = 0.05
"""Of the picked pixels on the wrong side; more than that is told."""


class ThresholdWidget(QWidget):
    """Pick background and foreground; see and keep the threshold between them.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to pick in.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._picks: dict[Image, Picks] = {}
        self._masks: list[Any] = []
        self._mask: Labels | None = None
        self.threshold: float | None = None
        self._build()
        Disposal(self, napari_viewer, self._let_go)
        Tabbed(self, napari_viewer)
        # Before there is a layer: the domain of one that has a threshold stays.
        _state.Kept(self, "threshold", self.form.plain_values, self.form.update_values)
        self.reset_choices()

    # --- what it shows

    def _build(self) -> None:
        self.form = self._fields()
        self.pick_buttons = {
            kind: self._pick_button(kind) for kind in (BACKGROUND, FOREGROUND)
        }
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.histogram = Histogram()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, TICKS)
        self.slider.setAccessibleName("Threshold")
        self.slider.valueChanged.connect(self._on_slider)
        self.level = self._level_form()
        self.messages = Messages()
        self._arrange()

    def _fields(self) -> Form:
        form = Form(
            ComboBox(
                name="domain", label="Domain", choices=DOMAINS, value="A",
                tooltip="A: what is transformed; B: what it should look like",
            ),
            ComboBox(
                name="layer", label="Layer", nullable=True,
                choices=lambda box: [*filter(is_source, self._viewer.layers)],
                tooltip="The image to pick in",
            ),
            SpinBox(
                name="radius", label="Radius", value=3, min=0, max=500,
                tooltip="Of the discs that are picked, in pixels; 0 takes one pixel",
            ),
        )  # fmt: skip
        form["layer"].changed.connect(self._on_layer)
        form["domain"].changed.connect(lambda domain: self._keep())
        return form

    def _level_form(self) -> Form:
        form = Form(
            FloatSpinBox(
                name="value", label="Threshold", value=0, min=-1e9, max=1e9, step=1,
                tooltip="In the grey levels of the image, mean over its channels",
            ),
            CheckBox(
                name="bright", label="Bright background", value=False,
                tooltip="Tick where content is darker than what is around it",
            ),
            CheckBox(
                name="show", label="Show the outline", value=True,
                tooltip="Draw the outline of what counts as content",
            ),
        )  # fmt: skip
        form["value"].changed.connect(self._set)
        form["bright"].changed.connect(lambda value: self._apply())
        form["show"].changed.connect(lambda value: self._draw_mask())
        return form

    def _pick_button(self, kind: str) -> QPushButton:
        made = button(
            kind.capitalize(),
            f"Then click or drag on {kind} in the image",
            lambda: self._set_mode(kind),
        )
        made.setCheckable(True)
        return made

    def _arrange(self) -> None:
        automatic = [
            button(name, f"Threshold by the histogram alone: {name}", choose)
            for name, choose in self._automatic()
        ]
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addLayout(row(*self.pick_buttons.values()))
        layout.addLayout(
            row(
                button("Undo", "Take the last disc back", self._undo),
                button("Clear", "Take all discs back", self._clear),
                help_button(__name__),
            )
        )
        for widget in (self.words, self.histogram, self.slider, self.level):
            layout.addWidget(widget)
        picked = button("From picks", "Threshold between what was picked", self._picked)
        layout.addLayout(row(picked, *automatic))
        layout.addWidget(self.messages)
        layout.addStretch()
        scrolled(content, self)

    def _automatic(self) -> list[tuple[str, Any]]:
        return [
            (name, lambda name=name: self._choose(name))
            for name in ("Otsu", "triangle")
        ]

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        self.form["layer"].reset_choices()
        self.form.prefer("layer", self._viewer.layers.selection.active)
        if self._mask is not None and self._mask not in self._viewer.layers:
            self._mask = None  # the user has deleted it
            self.level["show"].value = False

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the mouse alone when nobody sees why."""
        self._set_mode(None)
        super().hideEvent(event)

    def _let_go(self) -> None:
        """Leave the viewer as if never opened, but for what was picked and found."""
        self._set_mode(None)
        for picks in self._picks.values():
            picks.let_go()
        self._picks.clear()
        self._remove_mask()  # it follows a slider that is no longer there

    # --- the layer

    @property
    def layer(self) -> Image | None:
        """What is picked in."""
        return self.form["layer"].value

    def _on_layer(self, layer: Image | None) -> None:
        self.messages.reset()
        self._remove_mask()
        if layer is None:
            return
        try:
            self._stack = to_stack(layer)
            self.histogram.show_image(self._sample(layer))
        except BlurGANError as error:
            self.messages.add(str(error))
            return
        self._set_range()
        self._masks = pyramid(layer, self._stack.axes)
        self.threshold, known = None, levels.of(layer)
        if known is not None:
            self.form["domain"].value = known.domain
            self.level["bright"].value = known.bright_background
            self._set(known.value)
        self._say_picked()

    def _sample(self, layer: Image) -> NDArray[Any]:
        """Return pixels of the plane in view, of the lowest resolution there is."""
        data = layer.data[-1] if layer.multiscale else layer.data
        mean = ChannelMean(Stack(data, guess_axes(layer), name=layer.name))
        *beyond, height, width = mean.shape
        point = np.asarray(layer.world_to_data(self._viewer.dims.point))
        places = [point[i] for i, a in enumerate(guess_axes(layer)) if a not in "CS"]
        index: list[Any] = [
            int(np.clip(round(p), 0, n - 1))
            for p, n in zip(places, beyond, strict=False)
        ]
        steps = [slice(None, None, -(-n // SAMPLE)) for n in (height, width)]
        return np.asarray(mean[(*index, *steps)])

    def _set_range(self) -> None:
        low, high = self.histogram.range
        self.level["value"].step = max((high - low) / 100, 1e-6)

    # --- picking

    def _set_mode(self, kind: str | None) -> None:
        """Pick one kind from now on; the same again, or None, ends it."""
        for name, made in self.pick_buttons.items():
            made.setChecked(made.isChecked() and name == kind)
        callbacks = self._viewer.mouse_drag_callbacks
        if self._on_mouse in callbacks:
            callbacks.remove(self._on_mouse)
        if self._mode is not None:
            callbacks.append(self._on_mouse)
            self.messages.reset()

    @property
    def _mode(self) -> str | None:
        pressed = [kind for kind, b in self.pick_buttons.items() if b.isChecked()]
        return pressed[0] if pressed else None

    def _on_mouse(self, viewer: Any, event: Any) -> Iterator[None]:
        """Pick where the mouse is pressed, and along its way."""
        if event.button != 1 or self.layer is None:
            return
        camera = viewer.scene.camera
        panning = camera.mouse_pan
        last = self._pick(event.position)
        camera.mouse_pan = False  # after the first disc: a new layer sets it anew
        yield
        while event.type == "mouse_move":
            here = np.asarray(self.layer.world_to_data(event.position))
            far = 2 * self.form["radius"].value + 1
            if last is not None and np.linalg.norm(here - last) >= far:
                last = self._pick(event.position)
            yield
        camera.mouse_pan = panning

    def _pick(self, position: Any) -> NDArray[np.float64] | None:
        """Pick a disc at a place in the world, if that is in the image."""
        layer, mode = self.layer, self._mode
        if layer is None or mode is None:
            return None
        if self._viewer.dims.ndisplay == 3:
            self.messages.add("Picking needs a plane: switch the view from 3D to 2D")
            return None
        place = np.round(np.asarray(layer.world_to_data(position)))
        if (place < 0).any() or (place >= self._shape(layer)).any():
            self.messages.add(f"That is outside {layer.name}: click inside the image")
            return None
        self._picks_of(layer).add(mode, place, float(self.form["radius"].value))
        return place

    def _shape(self, layer: Image) -> tuple[int, ...]:
        data = layer.data[0] if layer.multiscale else layer.data
        return tuple(data.shape[: layer.ndim])

    def _picks_of(self, layer: Image) -> Picks:
        if layer not in self._picks:
            self._picks[layer] = Picks(
                self._viewer, layer, guess_axes(layer), self._on_picks
            )
        return self._picks[layer]

    def _undo(self) -> None:
        if self.layer is not None:
            self._picks_of(self.layer).undo()

    def _clear(self) -> None:
        if self.layer is not None:
            self._picks_of(self.layer).clear()

    def _regions(self) -> dict[str, Any]:
        known = None if self.layer is None else self._picks.get(self.layer)
        return {
            kind: [] if known is None else known.regions(kind)
            for kind in (BACKGROUND, FOREGROUND)
        }

    def _on_picks(self) -> None:
        """Find the threshold anew, as soon as there is something of both."""
        self._say_picked()
        if all(self._regions().values()):
            self._picked()

    def _say_picked(self) -> None:
        """Say and draw what was picked."""
        mean, said, drawn = ChannelMean(self._stack), [], {}
        for kind, regions in self._regions().items():
            values = [region.values(mean) for region in regions]
            pixels = np.concatenate(values) if values else np.empty(0)
            drawn[kind] = (COLOURS[kind], pixels)
            what = f"{pixels.mean():.5g} ({_discs(regions)})" if values else "none yet"
            said.append(f"{kind} {what}")
        self.words.setText(f"Picked: {', '.join(said)}")
        self.histogram.show_picked(drawn)

    # --- the threshold

    def _picked(self) -> None:
        """Take the threshold between what was picked, and doubt it where that helps."""
        self.messages.reset()
        regions = self._regions()
        try:
            found = threshold_from_regions(
                ChannelMean(self._stack)
                if self.layer is not None
                else np.empty((0, 0)),
                regions[BACKGROUND],
                regions[FOREGROUND],
            )
        except BlurGANError as error:
            self.messages.add(str(error))
            return
        self._set(found.threshold)
        self._doubt(found)

    def _doubt(self, found: Picked) -> None:
        if found.bright_background != self.level["bright"].value:
            brighter = BACKGROUND if found.bright_background else FOREGROUND
            tick = "tick" if found.bright_background else "untick"
            self.messages.add(
                f"The {brighter} that you picked is the brighter of the two",
                f"If that is so, {tick} 'Bright background'; else the two are swapped.",
            )
        if found.overlap > OVERLAP:
            self.messages.add(
                f"{found.overlap:.0%} of the picked pixels lie on the wrong side of "
                "the threshold: background and foreground overlap",
                "Pick clearer regions, smaller discs, or smooth the image first.",
            )

    def _choose(self, name: str) -> None:
        """Take the threshold that the histogram suggests."""
        from napari_blurgan.transport.automatic import AUTOMATIC

        self.messages.reset()
        try:
            if self.layer is None:
                raise DataError("choose a layer first")
            self._set(AUTOMATIC[name](self._sample(self.layer)))
        except BlurGANError as error:
            self.messages.add(str(error))

    def _on_slider(self, tick: int) -> None:
        low, high = self.histogram.range
        self._set(low + (high - low) * tick / TICKS)

    def _set(self, value: float) -> None:
        """Take a threshold; the field shows it rounded, the slider on its scale."""
        low, high = self.histogram.range
        tick = round(TICKS * min(max((value - low) / (high - low), 0), 1))
        field = self.level["value"]
        for widget, shown in ((self.slider, tick), (field.native, value)):
            widget.blockSignals(True)
            widget.setValue(shown)
            widget.blockSignals(False)
        self.threshold = float(value)
        self._apply()

    def _apply(self) -> None:
        """Show the threshold and keep it."""
        if self.threshold is not None:
            self.histogram.show_level(self.threshold)
        self._draw_mask()
        self._keep()

    def _keep(self) -> None:
        if self.layer is not None and self.threshold is not None:
            bright = bool(self.level["bright"].value)
            domain = str(self.form["domain"].value)
            levels.keep(self.layer, Level(domain, self.threshold, bright))

    def _draw_mask(self) -> None:
        if self.layer is None or not self._masks or self.threshold is None:
            return
        if not self.level["show"].value:
            self._remove_mask()
            return
        if self._mask is None:
            self._mask = self._add_mask(self.layer)
        bright = bool(self.level["bright"].value)
        refresh(self._masks, self._mask, self.threshold, bright)

    def _add_mask(self, layer: Image) -> Labels:
        selected = set(self._viewer.layers.selection)
        data = self._masks if layer.multiscale else self._masks[0]
        mask = self._viewer.add_labels(data, **mask_attributes(layer))
        mask.contour = 2
        mask.editable = False
        self._viewer.layers.selection = selected
        return mask

    def _remove_mask(self) -> None:
        mask, self._mask = self._mask, None
        if mask is not None and mask in self._viewer.layers:
            self._viewer.layers.remove(mask)


def _discs(regions: Sequence[Region]) -> str:
    return "1 disc" if len(regions) == 1 else f"{len(regions)} discs"
