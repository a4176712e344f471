"""Define what is content, by clicking on it.

A transformation between modalities must leave content in place. A threshold defines
content: α in domain A and β in domain B, each in the grey levels of its images.

**What to do.** Choose a domain and one of its layers, here or in the layer list. Press
*Background* and click (or drag) on empty regions; press *Foreground* and do the same on
objects. Two clicks each are usually enough. The threshold is the mean of the two mean
intensities; the outline of the content is shown on the image and follows the slider.
Discs are points in a layer: delete wrong ones there, or press *Undo*. Choosing the
other domain changes neither threshold.

**What to check.** The outline should enclose everything that must be preserved: whole
cells, not only their nuclei. The line below the histogram says on which side of the
threshold content lies. If content is darker than its surroundings, as in histology,
*Bright background* is ticked automatically.

*Transform* shows the same thresholds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, SpinBox
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QPushButton, QSlider, QVBoxLayout, QWidget

from napari_blurgan.content.picking import Picked, Region, threshold_from_regions
from napari_blurgan.data.colour import ChannelMean
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._closing import Disposal
from napari_blurgan.widgets._controls import (
    Messages,
    button,
    row,
    scrolled,
)
from napari_blurgan.widgets._docks import Tabbed
from napari_blurgan.widgets._forms import Form, show_focus
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._histogram import Histogram
from napari_blurgan.widgets._layers import guess_axes, is_source, to_stack
from napari_blurgan.widgets._level_fields import LevelFields
from napari_blurgan.widgets._levels import SYMBOLS, Level, levels_of
from napari_blurgan.widgets._mask import plane_in_view
from napari_blurgan.widgets._outline import Outline
from napari_blurgan.widgets._picks import BACKGROUND, COLOURS, FOREGROUND, Picks
from napari_blurgan.widgets._pointer import Pointer, place_in
from napari_blurgan.widgets._words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import napari
    from napari.layers import Image

__all__ = ["ThresholdWidget"]

DOMAINS = [("A: from", "A"), ("B: to", "B")]
TICKS = 1000

OVERLAP = 0.05
"""Share of the picked pixels on the wrong side above which it is reported."""


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
        self._levels = levels_of(napari_viewer)
        self._picks: dict[Image, Picks] = {}
        self._outline = Outline(napari_viewer)
        self._sampled: NDArray[Any] = np.empty(0)
        self._pointer = Pointer(napari_viewer, self._on_place, self._far)
        self._build()
        Disposal(self, napari_viewer, self._let_go)
        Tabbed(self, napari_viewer)
        _state.Kept(self, "threshold", self.form.plain_values, self.form.update_values)
        self._levels.changed.connect(self._on_level)
        napari_viewer.layers.selection.events.active.connect(self._on_selected)
        self.reset_choices()

    # --- the form

    def _build(self) -> None:
        self.form = self._fields()
        self.pick_buttons = {
            kind: self._pick_button(kind) for kind in (BACKGROUND, FOREGROUND)
        }
        self.words, self.side = plain(), plain()
        for label in (self.words, self.side):
            label.setWordWrap(True)
        self.histogram = Histogram()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, TICKS)
        self.slider.setAccessibleName("Threshold")
        show_focus(self.slider, "QSlider")
        self.slider.valueChanged.connect(self._on_slider)
        self._level_fields = LevelFields(
            ("value", "bright"), "", lambda: self._level, self._keep
        )
        self.level = self._level_form()
        self.messages = Messages()
        self._arrange()

    def _fields(self) -> Form:
        form = Form(
            ComboBox(
                name="domain", label="Domain", choices=DOMAINS, value="A",
                tooltip="A: images to transform; B: what they should look like",
            ),
            ComboBox(
                name="layer", label="Layer", nullable=True,
                choices=lambda box: [*filter(is_source, self._viewer.layers)],
                tooltip="Image to pick in; follows the selected layer",
            ),
            SpinBox(
                name="radius", label="Radius", value=3, min=0, max=500,
                tooltip="Radius of the picked discs in pixels; 0 for a single pixel",
            ),
        )  # fmt: skip
        form["layer"].changed.connect(self._on_layer)
        form["domain"].changed.connect(lambda domain: self._show_level())
        return form

    def _level_form(self) -> Form:
        show = CheckBox(
            name="show", label="Show the outline", value=True,
            tooltip="Outline the content",
        )  # fmt: skip
        show.changed.connect(lambda value: self._draw_outline())
        return Form(self._level_fields.value, self._level_fields.bright, show)

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
                button("Undo", "Remove the last disc", self._undo),
                button("Clear", "Remove all discs", self._clear),
                help_buttons(__name__),
            )
        )
        for widget in (
            self.words,
            self.histogram,
            self.side,
            self.slider,
            self.level,
        ):
            layout.addWidget(widget)
        picked = button(
            "From picks", "Threshold between the picked regions", self._picked
        )
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
        if self._outline.deleted:
            self._outline.remove()
            self.level["show"].value = False

    def hideEvent(self, event: QHideEvent) -> None:
        """Release the mouse when the widget is not visible."""
        self._set_mode(None)
        super().hideEvent(event)

    def _let_go(self) -> None:
        """Leave the viewer as if never opened, except for picks and thresholds."""
        self._set_mode(None)
        self._levels.changed.disconnect(self._on_level)
        self._viewer.layers.selection.events.active.disconnect(self._on_selected)
        for picks in self._picks.values():
            picks.let_go()
        self._picks.clear()
        self._outline.remove()  # it follows a slider that no longer exists

    # --- the layer

    @property
    def layer(self) -> Image | None:
        """The layer to pick in."""
        return self.form["layer"].value

    @property
    def domain(self) -> str:
        """The domain of the threshold."""
        return str(self.form["domain"].value)

    def look_at(self, domain: str, layer: Image) -> None:
        """Pick in a layer, for a domain."""
        self.form["layer"].value = layer
        self.form["domain"].value = domain

    def _on_selected(self, event: Any) -> None:
        """Follow the layer list if images to pick in are selected."""
        if event.value is not None and is_source(event.value):
            self.form["layer"].value = event.value

    def _quiet(self) -> AbstractContextManager[None]:
        """Ignore selections while we add layers: that of the user stays."""
        blocker: AbstractContextManager[None]
        blocker = self._viewer.layers.selection.events.active.blocker(self._on_selected)
        return blocker

    def _select(self, layer: Image) -> None:
        """Let the layer list follow, unless something else than an image is in use."""
        selection = self._viewer.layers.selection
        if selection.active is not None and is_source(selection.active):
            selection.active = layer

    def _on_layer(self, layer: Image | None) -> None:
        self.messages.reset()
        if layer is None:
            self._outline.remove()
            return
        self._select(layer)
        try:
            self._stack = to_stack(layer)
            self._sampled = plane_in_view(self._viewer, layer)
        except BlurGANError as error:
            self.messages.refuse(error)
            return
        self.histogram.show_image(self._sampled)
        low, high = self.histogram.range
        self.level["value"].step = max((high - low) / 100, 1e-6)
        self.form["domain"].value = self._levels.domain_of(layer, self.domain)
        self._say_picked()
        self._show_level()

    # --- picking

    def _set_mode(self, kind: str | None) -> None:
        """Pick one kind from now on; the same again, or None, ends it."""
        for name, made in self.pick_buttons.items():
            made.setChecked(made.isChecked() and name == kind)
        self._pointer.on = self._mode is not None
        if self._pointer.on:
            self.messages.reset()

    @property
    def _mode(self) -> str | None:
        pressed = [kind for kind, b in self.pick_buttons.items() if b.isChecked()]
        return pressed[0] if pressed else None

    def _on_place(self, position: Any) -> None:
        """Pick a disc at a world position, if the layer is visible there."""
        if self.layer is None or self._mode is None:
            return
        try:
            place = place_in(self._viewer, self.layer, position)
        except BlurGANError as error:
            self.messages.refuse(error)
            return
        radius = float(self.form["radius"].value)
        with self._quiet():
            self._picks_of(self.layer).add(self._mode, place, radius)

    def _far(self) -> float:
        """Return the width of a disc in the world: the spacing of discs in a drag."""
        edge = 1.0 if self.layer is None else float(np.abs(self.layer.scale[-2:]).min())
        return edge * (2 * self.form["radius"].value + 1)

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
        """Find the threshold again, as soon as there are regions of both kinds."""
        self._say_picked()
        if all(self._regions().values()):
            self._picked()

    def _say_picked(self) -> None:
        """Show what was picked."""
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
            self.messages.refuse(error)
            return
        self._keep(Level(found.threshold, found.bright_background))
        self._doubt(found)

    def _doubt(self, found: Picked) -> None:
        if found.bright_background:
            self.messages.note(
                "The picked background is brighter: content is then below the "
                "threshold. If this is wrong, background and content were swapped."
            )
        if found.overlap > OVERLAP:
            self.messages.add(
                f"{found.overlap:.0%} of the picked pixels lie on the wrong side of "
                "the threshold: background and foreground overlap",
                "Pick clearer regions, use smaller discs, or smooth the image first.",
            )

    def _choose(self, name: str) -> None:
        """Use the threshold suggested by the histogram."""
        from napari_blurgan.content.histogram import FROM_HISTOGRAM

        self.messages.reset()
        try:
            if self.layer is None:
                raise DataError("choose a layer first")
            self._keep_value(FROM_HISTOGRAM[name](self._sampled))
        except BlurGANError as error:
            self.messages.refuse(error)

    def _on_slider(self, tick: int) -> None:
        low, high = self.histogram.range
        self._keep_value(low + (high - low) * tick / TICKS)

    @property
    def _level(self) -> Level:
        return self._levels[self.domain]

    @property
    def threshold(self) -> float | None:
        """The threshold of the domain; None before there is one."""
        return self._level.value

    def _keep_value(self, value: float) -> None:
        self._keep(replace(self._level, value=float(value)))

    def _keep(self, level: Level) -> None:
        """Pass a level to its owner; the display follows."""
        if self.layer is None:
            self._levels[self.domain] = level
            return
        before, name = self._level, self.layer.name
        self._levels.find(self.domain, replace(level, layer=name), self.layer)
        if before.value is not None and before.layer not in ("", name):
            self.messages.note(
                f"{SYMBOLS[self.domain]} was {before.value:.5g}, found in "
                f"{before.layer}; it is now of {name}"
            )

    def _on_level(self, domain: str) -> None:
        if domain == self.domain:
            self._show_level()

    def _show_level(self) -> None:
        """Show the level of the domain, wherever it was set."""
        level = self._level
        self._level_fields.show()
        self.histogram.show_level(level.value, level.bright_background)
        self._show_tick(level.value)
        self.side.setText(level.described(self.domain, self._sampled))
        self._draw_outline()

    def _show_tick(self, value: float | None) -> None:
        low, high = self.histogram.range
        share = 0 if value is None else (value - low) / (high - low)
        self.slider.blockSignals(True)
        self.slider.setValue(round(TICKS * min(max(share, 0), 1)))
        self.slider.blockSignals(False)

    def _draw_outline(self) -> None:
        if self.layer is None or not self.level["show"].value:
            self._outline.remove()
            return
        with self._quiet():
            self._outline.show(self.layer, self._level)


def _discs(regions: Sequence[Region]) -> str:
    return "1 disc" if len(regions) == 1 else f"{len(regions)} discs"
