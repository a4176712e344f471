"""`train`: a whole training in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_blurgan.checks import refuse_existing
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.transport.events import Event, Finished
from napari_blurgan.transport.model import Model
from napari_blurgan.transport.presets import preset
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.trainer import Trainer

__all__ = ["check_place", "train"]

MODEL_FILES = (
    "weights.safetensors",
    "training.safetensors",
    "training.previous.safetensors",
    "history.csv",
)


def train(
    recipe: Recipe | str,
    y: Sequence[Stack],
    x: Sequence[Stack],
    *,
    overwrite: bool = False,
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
    overwrite : bool
        Whether a model that is in `out` already may be replaced.
    progress : callable, optional
        Called with every event.
    **options
        Of `Trainer`: out, psf, optics, device, seed, steps, minutes, resume.

    Raises
    ------
    BlurGANError
        If the data or the recipe cannot be used, or training fails; if there is a
        model in `out`, which is neither to be resumed nor overwritten.

    Examples
    --------
    >>> model = train("blind", [read_stack("y.tif")], [read_stack("x.tif")], minutes=20)
    """
    recipe = preset(recipe) if isinstance(recipe, str) else recipe
    resume = options.get("resume", False)
    check_place(options.get("out"), overwrite=overwrite, resume=resume)
    for event in Trainer(recipe, y, x, **options):
        if progress is not None:
            progress(event)
    assert isinstance(event, Finished)
    return event.model


def check_place(
    out: str | os.PathLike[str] | None, *, overwrite: bool = False, resume: bool = False
) -> None:
    """Refuse a place for a model where a training would destroy something.

    Raises
    ------
    DataError
        If there is a model that is neither to be resumed nor overwritten, a file, or
        a folder of other things.
    """
    if out is None or not os.path.lexists(out):
        return
    folder = Path(out)
    if not folder.is_dir():
        raise DataError(f"{out}: is a file; a model is a folder, such as mine.blurgan")
    if any((folder / name).exists() for name in MODEL_FILES):
        if not resume:
            refuse_existing(out, overwrite)
    elif any(not path.name.startswith(".") for path in folder.iterdir()):
        raise DataError(
            f"{out}: is a folder that holds other things and no model; choose a name "
            "of its own for the model, such as mine.blurgan"
        )
