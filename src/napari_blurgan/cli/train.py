"""``blurgan train RECIPE|PRESET --blurred PATH… --sharp PATH… --out NAME.blurgan``."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import (
    add_optics,
    add_overwrite,
    clock,
    optics_of,
    progress_bar,
    read_stacks,
)
from napari_blurgan.errors import DataError, RecipeError

if TYPE_CHECKING:
    from napari_blurgan.transport.events import Event, Stepped
    from napari_blurgan.transport.model import Model
    from napari_blurgan.transport.recipe import Recipe
    from napari_blurgan.transport.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("recipe", metavar="RECIPE", help="a preset or a YAML file")
    parser.add_argument("--blurred", "--a", nargs="+", required=True, metavar="PATH")
    parser.add_argument("--sharp", "--b", nargs="+", metavar="PATH")
    parser.add_argument("--out", required=True, metavar="NAME.blurgan")
    parser.add_argument("--psf", metavar="PSF", help="the blur, or where to start")
    add_optics(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--channel", type=int, help="channel to train on, from 0")
    parser.add_argument("--resume", action="store_true", help="go on where it ended")
    add_overwrite(parser, "a model")
    parser.add_argument("--alpha", type=float, help="saliency threshold of --a")
    parser.add_argument("--beta", type=float, help="saliency threshold of --b")
    parser.add_argument(
        "--bright-background",
        nargs="+",
        choices=("a", "b"),
        help="domains whose content is darker than the background",
    )
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="change the recipe"
    )


def run(options: argparse.Namespace) -> None:
    """Train a model, showing progress and diagnoses on the way."""
    from napari_blurgan.devices import choose_device
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.transport.train import (
        NO_SHARP,
        check_length,
        check_place,
        needs_sharp,
    )
    from napari_blurgan.transport.trainer import Trainer

    recipe, optics = _recipe(options), optics_of(options)
    if not options.sharp and needs_sharp(recipe):
        raise DataError(NO_SHARP)
    check_length(options.steps, options.minutes, options.seed)
    choose_device(options.device)
    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        check_place(options.out, overwrite=options.overwrite, resume=options.resume)
    trainer = Trainer(
        recipe,
        read_stacks(options.blurred, options.channel),
        read_stacks(options.sharp or (), options.channel),
        out=Path(options.out),
        psf=None if options.psf is None else Psf.load(options.psf),
        optics=optics,
        device=options.device,
        seed=options.seed,
        steps=options.steps,
        minutes=options.minutes,
        resume=options.resume,
    )
    model = follow(trainer)
    if not leads:
        return
    print(f"{options.out}: {model.provenance['steps']} steps")
    if "content" in model.provenance:
        print(content_line(model.provenance["content"]))
    if model.psf is not None:
        z, y, x = model.psf.fwhm()
        print(f"PSF: FWHM z {z:.3f}, y {y:.3f}, x {x:.3f} µm")


def content_line(content: dict[str, Any]) -> str:
    """Say what became of the content."""
    seen = "set aside" if content["held_out"] else "trained on"
    return (
        f"content: IoU {content['iou']:.3f}, lost {content['lost']:.1%}, invented "
        f"{content['invented']:.1%}, on images {seen}; cycle residual "
        f"{content['cycle']:.3g} grey levels"
    )


def follow(trainer: Trainer) -> Model:
    """Train to the end; the first Ctrl-C stops and keeps the model."""
    from napari_blurgan.transport.events import Finished

    before = signal.signal(signal.SIGINT, lambda *_: trainer.stop())
    try:
        events = list(shown(trainer))
    finally:
        signal.signal(signal.SIGINT, before)
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished.model


def shown(events: Iterable[Event]) -> Iterable[Event]:
    """Show events as they come; hand on the last one only."""
    from napari_blurgan.transport.events import Finished, Started, Stepped, Warned

    with progress_bar() as progress:
        task = progress.add_task("preparing", total=None, left="?")
        for event in events:
            if isinstance(event, Started):
                progress.update(task, description=event.description)
            elif isinstance(event, Stepped):
                progress.update(task, **_progress(event))
            elif isinstance(event, Warned):
                progress.console.print(f"{event.code}: {event.message} {event.remedy}")
            elif isinstance(event, Finished):
                yield event


def _progress(event: Stepped) -> dict[str, Any]:
    left = clock(event.remaining_seconds)
    return {"completed": event.step, "total": event.total_steps, "left": left}


def _recipe(options: argparse.Namespace) -> Recipe:
    from napari_blurgan.transport.presets import PRESETS, preset
    from napari_blurgan.transport.recipe import Recipe

    if options.recipe in PRESETS:
        recipe = preset(options.recipe)
    elif Path(options.recipe).is_file():
        recipe = Recipe.read(options.recipe)
    else:
        raise RecipeError(
            f"{options.recipe!r} is neither a file nor a preset: choose from "
            f"{', '.join(PRESETS)}"
        )
    return recipe.updated(_changes(options))


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    import yaml

    changes: dict[str, Any] = {
        "saliency.alpha": options.alpha,
        "saliency.beta": options.beta,
    }
    for domain in options.bright_background or ():
        changes[f"saliency.bright_background_{domain}"] = True
    changes = {key: value for key, value in changes.items() if value is not None}
    for pair in options.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise RecipeError(f"--set takes KEY=VALUE, found {pair!r}")
        changes[key] = yaml.safe_load(value)
    return changes
