"""`train`: a complete training in one call."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_blurgan.checks import check_parent, known_names, refuse_existing
from napari_blurgan.data.stack import Stack
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import DataError, OpticsError, RecipeError
from napari_blurgan.methods.length import check_length
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.folder import ModelFolder
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Event, Finished
from napari_blurgan.monitoring.notices import tell
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.domains import for_planes
from napari_blurgan.reading.conversion import ImageLike, as_stacks
from napari_blurgan.training.trainer import Trainer

__all__ = [
    "NO_SHARP",
    "added_minutes",
    "check_place",
    "make_trainer",
    "needs_sharp",
    "train",
]

NO_SHARP = (
    "there are no sharp images (--sharp, or --b; in Python x): they should show the "
    "same kind of structure, and need not be of the same field. Without any, train "
    "`auto`, which learns from the blurred images alone, or make a sharp set of parts "
    "of your own stacks with `blurgan references`"
)


MODEL_FILES = (
    "weights.safetensors",
    "training.safetensors",
    "training.previous.safetensors",
    "history.csv",
)


def train(
    recipe: Recipe | str,
    y: ImageLike | Sequence[ImageLike],
    x: ImageLike | Sequence[ImageLike] | None = None,
    *,
    axes: str | None = None,
    voxel_size: Sequence[float | None] | None = None,
    channel_axis: int | None = None,
    overwrite: bool = False,
    progress: Callable[[Event], None] | None = None,
    **options: Any,
) -> Model:
    """Train to the end and return the model.

    Parameters
    ----------
    recipe : Recipe or str
        What to train, or the name of a preset (see `presets`).
    y, x : image or list of images
        The measured (blurred) and the sharp images, one or several: each a `Stack`, a
        file, an array (numpy, dask, zarr, torch) or an image layer of napari. Recipes
        that learn from the measured images alone take no `x`.
    axes : str, optional
        One letter of TCZYXS for each axis of the images, in either case; an array
        without is (y, x) or (z, y, x).
    voxel_size : sequence of (float or None), optional
        (z, y, x) of all images in micrometres; overrules what they say.
    channel_axis : int, optional
        Which axis of arrays holds the channels.
    overwrite : bool
        Whether a model that is in `out` already may be replaced.
    progress : callable, optional
        Called with every event; without, notes are warnings of the logger
        "napari_blurgan", which Python prints.
    **options
        Of `Trainer`: out, psf (a `Psf` or a path), optics, device, seed, resume,
        licence, and either steps or minutes.

    Raises
    ------
    BlurGANError
        If the data, the recipe or an option cannot be used, or training fails; if
        there is a model in `out`, which is neither to be resumed nor overwritten.

    Examples
    --------
    >>> model = train("blind", "blurred.tif", "sharp.tif", minutes=20)
    """
    recipe = preset(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"a recipe is a Recipe or the name of a preset: {recipe!r}")
    checked = _checked(options)
    check_place(
        options.get("out"), overwrite=overwrite, resume=options.get("resume", False)
    )
    if x is None and needs_sharp(recipe):
        raise DataError(NO_SHARP)
    how: dict[str, Any] = {
        "axes": axes,
        "voxel_size": voxel_size,
        "channel_axis": channel_axis,
    }
    measured = as_stacks(y, **how)
    sharp = [] if x is None else as_stacks(x, **how)
    report = tell if progress is None else progress
    for event in make_trainer(recipe, measured, sharp, **checked):
        report(event)
    assert isinstance(event, Finished)
    return event.model


def make_trainer(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    begun: float | None = None,
    **options: Any,
) -> Trainer:
    """Return the trainer of a recipe on two sets of images.

    If all images are planes, the recipe is changed to one for planes.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    y, x : sequence of Stack
        The measured and the sharp images.
    begun : float, optional
        Moment from which the minutes count; see `Budget`.
    **options
        Of `Trainer`.
    """
    trainer = Trainer(for_planes(recipe, y), y, x, **options)
    trainer.budget.begun = begun
    return trainer


def added_minutes(options: Mapping[str, Any]) -> dict[str, float]:
    """Return the minutes in all of a training that goes on for some minutes more.

    Parameters
    ----------
    options : mapping
        Of `Trainer`: with resume, the model in out has had some already.
    """
    minutes = options.get("minutes")
    state = ModelFolder(Path(options["out"])).load() if options.get("resume") else None
    before = 0.0 if state is None else state["budget"]["seconds"] / 60
    return {} if minutes is None else {"minutes": minutes + before}


def needs_sharp(recipe: Recipe) -> bool:
    """Return whether a recipe learns from a second set of images."""
    return recipe.source.domains == 2


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `Trainer`, checked before anything is read."""
    names = [*inspect.signature(Trainer).parameters][3:]
    known_names("train", options, [*names, "axes", "voxel_size", "channel_axis"])
    check_length(*(options.get(name) for name in ("steps", "minutes", "seed")))
    choose_device(options.get("device", "auto"))
    psf = options.get("psf")
    if isinstance(psf, str | os.PathLike):
        return {**options, "psf": Psf.load(os.fspath(psf))}
    if not isinstance(psf, Psf | None):
        raise OpticsError(
            f"psf is a Psf or a path, found {type(psf).__name__}; of an array make "
            "Psf(array, voxel_size)"
        )
    return dict(options)


def check_place(
    out: str | os.PathLike[str] | None, *, overwrite: bool = False, resume: bool = False
) -> None:
    """Refuse a path for a model if a training would destroy something.

    Raises
    ------
    DataError
        If there is a model that is neither to be resumed nor overwritten, a file, or
        a folder of other things.
    """
    if out is None:
        return
    if not os.path.lexists(out):
        check_parent(out)
        return
    folder = Path(out)
    if not folder.is_dir():
        raise DataError(f"{out}: is a file; a model is a folder, such as mine.blurgan")
    if any((folder / name).exists() for name in MODEL_FILES):
        if not resume:
            refuse_existing(out, overwrite)
    elif any(not path.name.startswith(".") for path in folder.iterdir()):
        raise DataError(
            f"{out}: is a folder with other contents and no model; choose a separate "
            f"name "
            "for the model, such as mine.blurgan"
        )
