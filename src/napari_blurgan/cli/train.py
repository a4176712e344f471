"""``blurgan train RECIPE|PRESET --blurred PATH… --sharp PATH… --out NAME.blurgan``."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._batch import images_of
from napari_blurgan.cli._common import (
    add_axes,
    add_device,
    add_optics,
    add_overwrite,
    clock,
    load_psf,
    optics_of,
    progress_bar,
    read_stacks,
)
from napari_blurgan.cli._endings import Terminated
from napari_blurgan.cli._output import add_json, answer, say_warning
from napari_blurgan.cli._parser import (
    LARGEST_GREY,
    LARGEST_SEED,
    add_index,
    add_number,
    add_voxel,
    add_whole,
)
from napari_blurgan.cli._recorded import common_optics
from napari_blurgan.errors import DataError, RecipeError

if TYPE_CHECKING:
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.models.model import Model
    from napari_blurgan.monitoring.events import Event, Stepped
    from napari_blurgan.training.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        help="a preset (see blurgan recipe) or a .yaml",
    )
    parser.add_argument(
        "--blurred",
        "--a",
        nargs="+",
        required=True,
        metavar="PATH",
        help="the measured images, or patterns; domain A of a transformation",
    )
    parser.add_argument(
        "--sharp",
        "--b",
        nargs="+",
        metavar="PATH",
        help="sharp images, which may show other fields, or patterns; domain B of a "
        "transformation; not for recipes that learn from the measured images alone",
    )
    parser.add_argument(
        "--out", required=True, metavar="NAME.blurgan", help="folder for the model"
    )
    add_overwrite(parser, "an existing model")
    parser.add_argument(
        "--psf", metavar="PSF", help="the blur, or its initial estimate"
    )
    text = "voxel size of the PSF, if its file does not contain it or is wrong"
    add_voxel(parser, "--psf-voxel", text)
    add_voxel(
        parser,
        text="voxel size of all images, if the files do not contain it or are wrong",
    )
    add_axes(parser)
    add_optics(parser)
    _add_length(parser)
    add_whole(
        parser,
        "--seed",
        0,
        LARGEST_SEED,
        text="of all random numbers; by default that of the recipe",
        metavar="S",
    )
    add_device(parser)
    add_index(parser, "--channel", "channel to train on")
    parser.add_argument(
        "--resume", action="store_true", help="continue where an earlier training ended"
    )
    text = "licence of the images, for the card of the model, such as 'CC BY 4.0'"
    parser.add_argument("--licence", metavar="TEXT", help=text)
    _add_saliency(parser)
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="change the recipe, for example sampling.patch=48",
    )
    add_json(parser)


def _add_length(parser: argparse.ArgumentParser) -> None:
    from napari_blurgan.methods.length import MOST_MINUTES, MOST_STEPS

    length = parser.add_mutually_exclusive_group()
    add_number(
        length,
        "--minutes",
        0,
        MOST_MINUTES,
        above=True,
        text="total time in minutes, instead of a number of steps",
        metavar="M",
    )
    text = "number of steps; by default that of the recipe"
    add_whole(length, "--steps", 1, MOST_STEPS, text=text, metavar="N")


def _add_saliency(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("content (for transformations)")
    for name, domain in (("--alpha", "A"), ("--beta", "B")):
        add_number(
            group,
            name,
            -LARGEST_GREY,
            LARGEST_GREY,
            text=f"saliency threshold of domain {domain} in grey levels; by default "
            "that of the recipe",
            metavar="GREY",
        )
    group.add_argument(
        "--bright-background",
        nargs="+",
        choices=("a", "b"),
        help="domains whose content is darker than the background; none by default",
    )


def run(options: argparse.Namespace) -> None:
    """Train a model and show progress and diagnoses."""
    from napari_blurgan.devices import choose_device
    from napari_blurgan.tasks.train import (
        NO_SHARP,
        check_place,
        make_trainer,
        needs_sharp,
    )

    recipe, optics = _recipe(options), optics_of(options)
    if not options.sharp and needs_sharp(recipe):
        raise DataError(NO_SHARP)
    if options.psf is None and options.psf_voxel is not None:
        raise DataError("--psf-voxel is the voxel size of --psf, which is missing")
    choose_device(options.device)
    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        check_place(options.out, overwrite=options.overwrite, resume=options.resume)
    psf = None if options.psf is None else load_psf(options.psf, options.psf_voxel)
    blurred, sharp = (
        read_stacks(
            images_of(patterns or (), options.psf),
            axes=options.axes,
            voxel=options.voxel,
            channel=options.channel,
            strict=options.strict,
        )
        for patterns in (options.blurred, options.sharp)
    )
    needed = getattr(recipe.forward, "learned", None) is False
    if needed and psf is None and optics is None:
        optics = common_optics(blurred)
    trainer = make_trainer(
        recipe,
        blurred,
        sharp,
        out=Path(options.out),
        psf=psf,
        optics=optics,
        device=options.device,
        seed=options.seed,
        steps=options.steps,
        minutes=options.minutes,
        resume=options.resume,
        licence=options.licence,
    )
    model = follow(trainer)
    if not leads:
        return
    answer(options, _facts(options.out, model), "\n".join(_lines(options.out, model)))


def _facts(out: str, model: Model) -> dict[str, Any]:
    """Return what a training achieved, for JSON."""
    known = ("steps", "unseen", "content")
    facts = {name: model.provenance[name] for name in known if name in model.provenance}
    if model.psf is not None:
        facts["psf_fwhm_um"] = list(map(float, model.psf.fwhm()))
    return {"model": out} | facts


def _lines(out: str, model: Model) -> Iterator[str]:
    """Yield what a training achieved, line by line."""
    yield f"{out}: {model.provenance['steps']} steps"
    if "unseen" in model.provenance:
        from napari_blurgan.estimates.judge import Judgement

        yield str(Judgement(**model.provenance["unseen"]))
    if "content" in model.provenance:
        yield content_line(model.provenance["content"])
    if model.psf is not None:
        z, y, x = model.psf.fwhm()
        yield f"PSF: FWHM z {z:.3f}, y {y:.3f}, x {x:.3f} µm"


def content_line(content: dict[str, Any]) -> str:
    """Report how much content was preserved."""
    seen = "held out" if content["held_out"] else "used in training"
    return (
        f"content: IoU {content['iou']:.3f}, lost {content['lost']:.1%}, invented "
        f"{content['invented']:.1%}, on images {seen}; cycle residual "
        f"{content['cycle']:.3g} grey levels"
    )


def follow(trainer: Trainer) -> Model:
    """Train to the end; the first Ctrl-C or SIGTERM stops and keeps the model.

    A signal before the first step, or a second one, ends at once; saved files stay.
    """
    from napari_blurgan.monitoring.events import Finished, Stepped

    begun = False

    def end(number: int, _frame: FrameType | None) -> None:
        """Stop the training, or end at once if there is nothing to keep."""
        nonlocal begun
        if not begun:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        begun = False
        trainer.stop()

    def watched() -> Iterator[Event]:
        """Notice when there is something to keep."""
        nonlocal begun
        for event in trainer:
            begun = begun or isinstance(event, Stepped)
            yield event

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, end) for number in numbers]
    try:
        events = list(shown(watched()))
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished.model


def shown(events: Iterable[Event]) -> Iterable[Event]:
    """Show events as they come; return only the last one."""
    from napari_blurgan.monitoring.events import Finished, Started, Stepped, Warned

    with progress_bar() as progress:
        task = progress.add_task("preparing", total=None, left="?")
        for event in events:
            if isinstance(event, Started):
                progress.update(task, description=event.description)
            elif isinstance(event, Stepped):
                progress.update(task, **_progress(event))
            elif isinstance(event, Warned):
                say_warning(f"{event.code}: {event.message} {event.remedy}")
            elif isinstance(event, Finished):
                yield event


def _progress(event: Stepped) -> dict[str, Any]:
    left = clock(event.remaining_seconds)
    return {"completed": event.step, "total": event.total_steps, "left": left}


def _recipe(options: argparse.Namespace) -> Recipe:
    from napari_blurgan.methods.presets import PRESETS, preset
    from napari_blurgan.methods.recipe import Recipe

    if options.recipe in PRESETS:
        recipe = preset(options.recipe)
    elif Path(options.recipe).is_file():
        recipe = Recipe.read(options.recipe)
    else:
        raise RecipeError(
            f"{options.recipe!r} is neither a file nor a preset: choose from "
            f"{', '.join(PRESETS)}"
        )
    _check_saliency(recipe, options)
    return recipe.updated(_changes(options))


def _check_saliency(recipe: Recipe, options: argparse.Namespace) -> None:
    """Refuse thresholds of content that the recipe would not look at."""
    given = options.alpha, options.beta, options.bright_background
    if all(value is None for value in given):
        return
    if recipe.updated(_set(options)).saliency is None:
        raise RecipeError(
            f"--alpha, --beta and --bright-background set the saliency constraint, "
            f"which the recipe {recipe.name!r} does not have"
        )


def _set(options: argparse.Namespace) -> dict[str, Any]:
    from napari_blurgan.methods.changes import parse_changes

    return parse_changes(options.set, "--set takes KEY=VALUE", "--set")


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "saliency.alpha": options.alpha,
        "saliency.beta": options.beta,
    }
    for domain in options.bright_background or ():
        changes[f"saliency.bright_background_{domain}"] = True
    changes = {key: value for key, value in changes.items() if value is not None}
    return changes | _set(options)
