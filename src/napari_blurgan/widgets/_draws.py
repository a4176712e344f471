"""Many answers instead of one: what is asked for, and the layers that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox, SpinBox

from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.methods.parts import DISTRIBUTION
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.widgets._brightness import limits_of
from napari_blurgan.widgets._forms import Known
from napari_blurgan.widgets._layers import LayerData, result_layer

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack

__all__ = ["DrawsForm", "draws_layers"]

OUTPUTS = ("mean", "sd", "mode", "samples")
"""Names of the fields, and of what is made of the draws."""

SPREAD = "viridis"
"""Colours of deviations, which are no images; also for colour-blind people."""


class DrawsForm(Known):
    """Number of draws and what is made of them; hidden if a model has one answer."""

    def __init__(self) -> None:
        super().__init__(
            "Many answers",
            "Tick to draw many images that may have led to the measured one, instead "
            "of restoring one",
            SpinBox(
                name="draws", label="Draws", value=100, min=2, max=10_000,
                tooltip="Number of images that are drawn",
            ),
            CheckBox(
                name="mean", label="Mean", value=True,
                tooltip="Mean of all draws: the best guess in each pixel",
            ),
            CheckBox(
                name="sd", label="Deviation", value=True,
                tooltip="Their standard deviation: large where the image is not clear",
            ),
            CheckBox(
                name="mode", label="Most probable", value=False,
                tooltip="The most probable image (MAP), found by a mean shift",
            ),
            CheckBox(
                name="samples", label="Each draw", value=False,
                tooltip="All draws, with a slider to go through them",
            ),
        )  # fmt: skip
        self.look_at(None)

    def look_at(self, model: Path | None) -> None:
        """Show the form if a model draws from a distribution."""
        self.setVisible(model is not None and _draws(model))

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of a `RestoreRequest`; none for a single image.

        Raises
        ------
        DataError
            If nothing is to be made of the draws.
        """
        if self.isHidden() or not self.isChecked():
            return {}
        outputs = tuple(name for name in OUTPUTS if self.fields[name].value)
        if not outputs:
            raise DataError("many answers: tick what to show of them")
        return {"samples": self.fields["draws"].value, "outputs": outputs}


def _draws(model: Path) -> bool:
    """Return whether a model folder draws from a distribution."""
    try:
        return DISTRIBUTION in Recipe.read(model / "recipe.yaml").offers
    except (OSError, BlurGANError):
        return False


def draws_layers(
    source: Image, stack: Stack, outputs: Sequence[str], axes: str
) -> Iterator[LayerData]:
    """Yield a layer for each output; the draws are one, with an axis "sample".

    Parameters
    ----------
    source : napari.layers.Image
        What was restored.
    stack : Stack
        The result, (c, [t,] [z,] y, x); its channels are the outputs, one after the
        other.
    outputs : sequence of str
        Of `models.draws.OUTPUTS`.
    axes : str
        Of the source.
    """
    draws = stack.channels - len(outputs) + 1
    start = 0
    for output in outputs:
        count = draws if output == "samples" else 1
        parts = [stack.only_channel(start + n) for n in range(count)]
        start += count
        if output == "samples":
            yield _each(source, parts, axes)
        else:
            yield _single(source, parts[0], output, axes)


def _single(source: Image, part: Stack, output: str, axes: str) -> LayerData:
    pixels, attributes, kind = result_layer(source, part, output, axes)
    if output == "sd":
        attributes |= {"colormap": SPREAD, "contrast_limits": limits_of(pixels)}
    return pixels, attributes, kind


def _each(source: Image, parts: Sequence[Stack], axes: str) -> LayerData:
    """Return all draws as one layer, hidden at first: it covers the others."""
    layers = [result_layer(source, part, "samples", axes) for part in parts]
    _, attributes, kind = layers[0]
    pixels = np.stack([np.asarray(pixels) for pixels, _, _ in layers])
    return pixels, attributes | _widened(attributes) | {"visible": False}, kind


def _widened(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the place of a layer with another axis in front."""
    found: dict[str, Any] = {
        "scale": (1.0, *attributes["scale"]),
        "translate": (0.0, *attributes["translate"]),
        "units": ("pixel", *attributes["units"]),
        "axis_labels": ("sample", *attributes["axis_labels"]),
    }
    for name in ("rotate", "affine"):
        matrix = np.asarray(
            getattr(attributes[name], "affine_matrix", attributes[name])
        )
        found[name] = np.eye(len(matrix) + 1)
        found[name][1:, 1:] = matrix
    shear = np.asarray(attributes["shear"])
    ndim = len(attributes["scale"])
    square = np.eye(ndim)
    square[np.triu_indices(ndim, 1)] = (
        shear if shear.ndim == 1 else shear[np.triu_indices(ndim, 1)]
    )
    found["shear"] = np.eye(ndim + 1)
    found["shear"][1:, 1:] = square
    return found
