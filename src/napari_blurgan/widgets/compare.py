"""Compare two layers: with a reference, without one, and by eye.

**With a reference**: the first layer is compared with the second, as they are and after
a fit of gain and offset; the scores of black and flat images are shown for scale.

**Without a reference**: two exposures of one object give a Fourier ring (2D) or shell
(3D) correlation, and from it the finest detail they share. A restored image contains
detail of the network: two restorations of one exposure do not count as two exposures.

**By eye**: *Overlay* shows the two in magenta and green, white where they agree; *Side
by side* places the first to the left of the second, with the same contrast. Both hide
all other layers, and show them again when pressed once more. *Profile* plots both along
the line that was last drawn in a Shapes layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from matplotlib.figure import Figure
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.widgets import _figures, _forms, _state
from napari_blurgan.widgets._arrangement import Arrangement
from napari_blurgan.widgets._controls import (
    button,
    row,
    scrolled,
)
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._layers import METADATA_KEY, to_stack
from napari_blurgan.widgets._task import TaskWidget
from napari_blurgan.widgets._words import escaped
from napari_blurgan.widgets._worker import Report

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_blurgan.measure import Fidelity, Resolution

__all__ = ["CompareWidget"]

MEASURES = {"truth": "the second is the reference", "shells": "two exposures: FRC, FSC"}
FIGURE = 200
"""Height in pixels."""


class CompareWidget(TaskWidget):
    """Compares two layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to compare.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "comparing")
        self._arrangement = Arrangement(napari_viewer)
        self._build()
        self.reset_choices()
        _state.Kept(self, "compare", self.form.plain_values, self.form.update_values)

    # --- the form

    def _build(self) -> None:
        self.form = self._fields()
        self.measure_button = button("Measure", "In numbers", self._measure)
        self.overlay_button = button(
            "Overlay",
            "First magenta, second green, all other layers hidden; press again to end",
            lambda: self._arrange(self.overlay_button),
        )
        self.grid_button = button(
            "Side by side",
            "First on the left, same contrast; press again to end",
            lambda: self._arrange(self.grid_button),
        )
        self._ways = {
            self.overlay_button: self._arrangement.overlay,
            self.grid_button: self._arrangement.side_by_side,
        }
        for toggle in self._ways:
            toggle.setCheckable(True)
        self.profile_button = button(
            "Profile",
            "Along the line of the last Shapes layer",
            lambda: self._told(self._profile),
        )
        self.table = QLabel()
        self.table.setWordWrap(True)
        self._figure = Figure(layout="constrained")
        self._canvas = _figures.canvas(self._figure, FIGURE)
        self._canvas.hide()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.form)
        layout.addLayout(row(self.measure_button, self.profile_button))
        layout.addLayout(
            row(self.overlay_button, self.grid_button, help_buttons(__name__))
        )
        for widget in (self.messages, self.table, self._canvas):
            layout.addWidget(widget)
        layout.addStretch()
        scrolled(content, self)
        for name in ("first", "second"):
            self.form[name].changed.connect(self._arrange_again)

    def _fields(self) -> _forms.Form:
        layers: dict[str, Any] = {
            "choices": lambda box: [x for x in self._viewer.layers if _is_image(x)],
            "nullable": True,
        }
        return _forms.Form(
            ComboBox(
                name="first", label="First", **layers,
                tooltip="Magenta in the overlay, on the left side by side",
            ),
            ComboBox(
                name="second", label="Second", **layers,
                tooltip="Green in the overlay; the reference, if there is one",
            ),
            ComboBox(
                name="measure", label="Measure",
                choices=[(words, key) for key, words in MEASURES.items()],
                tooltip="PSNR, SSIM, NRMSE and correlation; or resolution",
            ),
        )  # fmt: skip

    def reset_choices(self, event: object = None) -> None:
        """Follow the viewer's layers."""
        for name in ("first", "second"):
            self.form[name].reset_choices()
        self.form.prefer("first", self._viewer.layers.selection.active)

    # --- the buttons

    def _measure(self) -> None:
        truth = self.form["measure"].value == "truth"
        if truth:
            self.launch(self._fidelity, lambda found: self.table.setText(scores(found)))
        else:
            self.launch(self._shells, self._show_resolution)

    def _fidelity(self) -> Callable[[Report], Fidelity]:
        first, second = (np.asarray(to_stack(layer).data) for layer in self._pair())

        def measure(report: Report) -> Fidelity:
            from napari_blurgan.measure import compare

            return compare(first, second)

        return measure

    def _shells(self) -> Callable[[Report], Resolution]:
        stacks = [to_stack(layer) for layer in self._pair()]
        first, second = (np.asarray(stack.data) for stack in stacks)
        voxel = [v or 1.0 for v in stacks[0].voxel_size][-first.ndim :]

        def measure(report: Report) -> Resolution:
            from napari_blurgan.measure import frc, fsc

            return (frc if first.ndim == 2 else fsc)(first, second, voxel)

        return measure

    def set_busy(self, busy: bool) -> None:
        """Measure one thing at a time."""
        self.measure_button.setEnabled(not busy)

    def _arrange(self, pressed: QPushButton) -> None:
        """Look at the two as the pressed button says, or as before if it is up."""
        for button_ in (self.overlay_button, self.grid_button):
            if button_ is not pressed:
                button_.setChecked(False)
        self._arrangement.undo()
        if pressed.isChecked():
            pressed.setChecked(self._told(lambda: self._ways[pressed](self._pair())))

    def _arrange_again(self) -> None:
        """Adapt the view to the choice of layers."""
        for pressed in (self.overlay_button, self.grid_button):
            if pressed.isChecked():
                self._arrange(pressed)

    def let_go(self) -> None:
        """Leave the viewer as it was."""
        self._arrangement.undo()

    def _profile(self) -> None:
        distance, lines = profiles(self._pair(), _last_line(self._viewer.layers))
        self._canvas.show()
        _figures.draw_profiles(self._figure, distance, lines)

    def _told(self, action: Callable[[], None]) -> bool:
        """Do something at once, and return whether it succeeded; errors are shown."""
        self.messages.reset()
        try:
            action()
        except BlurGANError as error:
            self.messages.refuse(error)
            return False
        return True

    def _pair(self) -> tuple[Image, Image]:
        first, second = self.form["first"].value, self.form["second"].value
        if first is None or second is None or first == second:
            raise DataError("choose two different image layers")
        return first, second

    # --- results

    def _show_resolution(self, found: Resolution) -> None:
        words = found.note
        if found.value is not None:
            words = f"They share detail down to {found.value:.3g} µm (threshold 1/7)."
        self.table.setText(escaped(words))
        self._canvas.show()
        _figures.draw_resolution(self._figure, found)


def scores(found: Fidelity) -> str:
    """Return the figures of a comparison as a small table."""
    rows = (
        ("PSNR (dB)", f"{found.psnr:.2f}", f"{found.psnr_fitted:.2f}"),
        ("SSIM", f"{found.ssim:.3f}", f"{found.ssim_fitted:.3f}"),
        ("NRMSE", f"{found.nrmse:.3f}", f"{found.nrmse_fitted:.3f}"),
        (
            "PSNR of a black, a flat image",
            f"{found.psnr_black:.2f}",
            f"{found.psnr_flat:.2f}",
        ),
        ("Correlation", f"{found.correlation:.3f}", ""),
    )
    cells = "".join(
        f"<tr><td>{name}&nbsp;&nbsp;</td><td>{raw}&nbsp;&nbsp;</td><td>{fitted}</td></tr>"
        for name, raw, fitted in rows
    )
    return (
        "<table><tr><td></td><td>as is&nbsp;&nbsp;</td><td>fitted</td></tr>"
        f"{cells}</table>"
    )


def profiles(
    pair: tuple[Image, Image], line: Any
) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
    """Return both layers along a line in world coordinates.

    Parameters
    ----------
    pair : tuple of Image
        What to look at.
    line : ndarray
        (2, ndim): its two ends.
    """
    from scipy.ndimage import map_coordinates

    length = float(np.linalg.norm(line[1] - line[0]))
    step = float(np.min(np.abs(pair[0].scale[-2:])))
    share = np.linspace(0, 1, max(2, round(length / step) + 1))
    world = line[0] + share[:, np.newaxis] * (line[1] - line[0])
    lines = {}
    for layer in pair:
        voxels = [layer.world_to_data(point[-layer.ndim :]) for point in world]
        data = np.asarray(to_stack(layer).data, dtype=np.float32)
        lines[layer.name] = map_coordinates(data, np.transpose(voxels), order=1)
    return share * length, lines


def _last_line(layers: Any) -> np.ndarray[Any, Any]:
    for layer in reversed(layers):
        kinds = getattr(layer, "shape_type", [])
        if "line" in kinds:
            line = layer.data[len(kinds) - 1 - kinds[::-1].index("line")]
            return np.array([layer.data_to_world(end) for end in line])
    raise DataError("draw a line first, in a Shapes layer")


def _is_image(layer: Any) -> bool:
    made = layer.metadata.get(METADATA_KEY, {}).get("made")
    return hasattr(layer, "rgb") and not layer.rgb and made != "psf"
