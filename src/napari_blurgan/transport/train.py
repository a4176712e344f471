"""`train`: a whole training in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.transport.events import Event, Finished
from napari_blurgan.transport.model import Model
from napari_blurgan.transport.presets import preset
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.trainer import Trainer

__all__ = ["train"]


def train(
    recipe: Recipe | str,
    y: Sequence[Stack],
    x: Sequence[Stack],
    *,
    progress: Callable[[Event], None] | None = None,
    **options: Any,
) -> Model:
    """Train to the end and return the model.

    Parameters
    ----------
    recipe : Recipe or str
        What to train, or the name of a preset.
    y, x : sequence of Stack
        The measured (blurred) and the sharp images.
    progress : callable, optional
        Called with every event.
    **options
        Of `Trainer`: out, psf, optics, device, seed, steps, minutes, resume.

    Raises
    ------
    BlurGANError
        If the data or the recipe cannot be used, or training fails.

    Examples
    --------
    >>> model = train("blind", [read_stack("y.tif")], [read_stack("x.tif")], minutes=20)
    """
    recipe = preset(recipe) if isinstance(recipe, str) else recipe
    for event in Trainer(recipe, y, x, **options):
        if progress is not None:
            progress(event)
    assert isinstance(event, Finished)
    return event.model
