"""The toy staining task: whether the constraint keeps the content, and for how long.

Unpaired images of 64 x 64 pixels, dark grey with 2-4 cells (A) and bright RGB with 4-7
(B), the mismatch that tempts a cycleGAN to invent cells or to swap them with the
background. Forty images with known truth are held out. One row a run and look:

OMP_NUM_THREADS=1 python benchmarks/utom.py --arms default plain --seeds 0 1 2 3 4

``--task denoise`` makes clean grey images of noisy ones in place of stained ones.
``--out FILE`` appends to a file of JSON lines, and ``benchmarks/utom_tables.py FILE…``
makes the tables of docs/utom.md of it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.optics.phantoms import stained_cells
from napari_blurgan.training.trainer import Trainer

SIDE = 64
IMAGES = 300
HELD_OUT = 40
FEW, MANY = (2, 4), (4, 7)
ALPHA, BETA = 0.265, 0.82
"""Half-way between the background and the cytoplasm of the phantom, channel mean."""

EPOCH = 300
"""Steps in which every image of A is seen once, on average."""

GIVEN = {"saliency.alpha": ALPHA, "sampling.held_out": 0.0}
NOISE = 0.1
"""Standard deviation in the noisy images; the contrast of the cells is 0.4 to 0.7."""

# The weight of the paper starts at 50 and falls by e in an epoch.
PAPER = {
    "saliency.half_life": round(EPOCH * np.log(2)),
    "saliency.floor": 0.0,
}
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": PAPER,
    "constant": {
        "weights.saliency": 30.0,
        "saliency.half_life": None,
        "saliency.floor": 1.0,
    },
    "plain": {"weights.saliency": 0.0},
    "identity": {"weights.saliency": 0.0, "weights.identity": 5.0},
}


@dataclass(frozen=True)
class Task:
    """Two modalities of the same fields, and what is content in the second.

    Parameters
    ----------
    given : dict
        Changes to the recipe.
    see : callable
        Returns the two images, (y, x[, 3]), of a field with some cells and a seed.
    content : callable
        Returns the content of images of the second kind, (n, y, x[, 3]).
    """

    given: dict[str, Any]
    see: Callable[[int, tuple[int, int]], tuple[np.ndarray, np.ndarray]]
    content: Callable[[np.ndarray], np.ndarray]


def stained(seed: int, count: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    drawn = stained_cells((SIDE, SIDE), seed=seed, count=count)
    return drawn.grey, drawn.colour


def denoised(seed: int, count: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    clean = stained_cells((SIDE, SIDE), seed=seed, count=count, noise=0.0).grey
    noise = np.random.default_rng(10**6 + seed).normal(0, NOISE, clean.shape)
    return (clean + noise).astype(np.float32), clean


TASKS = {
    "stain": Task(
        {"saliency.beta": BETA, "saliency.bright_background_b": True},
        stained,
        lambda colour: colour.mean(-1) < BETA,
    ),
    "denoise": Task({"saliency.beta": ALPHA}, denoised, lambda clean: clean > ALPHA),
}


def images(
    task: Task, count: int, cells: tuple[int, int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return both modalities of some fields."""
    pairs = [task.see(1000 * seed + n, cells) for n in range(count)]
    first, second = zip(*pairs, strict=True)
    return np.stack(first), np.stack(second)


def domains(task: Task) -> tuple[Stack, Stack]:
    """Return A with few cells and, of other fields, B with many."""
    a, _ = images(task, IMAGES, FEW, 1)
    _, b = images(task, IMAGES, MANY, 2)
    return Stack(a, "TYX", name="A"), Stack(b, "TYXS"[: b.ndim], name="B")


def psnr(found: np.ndarray, true: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(found - true).mean()))


def iou(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / max((found | true).sum(), 1))


def transformed(model: Model, before: np.ndarray) -> np.ndarray:
    """Return G of images (n, y, x), in the units of B."""
    made = model.operator("cpu")(torch.from_numpy(model.input.apply(before[:, None])))
    after = model.output.undo(made.numpy())
    return after[:, 0] if after.shape[1] == 1 else np.moveaxis(after, 1, -1)


def score(
    model: Model, task: Task, before: np.ndarray, true: np.ndarray
) -> dict[str, float]:
    """Return IoU of the content and PSNR (peak 1) over the held-out images."""
    found = transformed(model, before)
    content = task.content(found)
    return {
        "iou": iou(content, task.content(true)),
        "psnr": psnr(found, true),
        "share": float(content.mean()),
    }


def recipe_of(task: Task, arm: str, changes: dict[str, Any]) -> Recipe:
    return preset("utom").updated(GIVEN | task.given | ARMS[arm] | changes)


def looks(
    task: Task, recipe: Recipe, seed: int, steps: int, every: int
) -> Iterator[dict[str, Any]]:
    """Train once and look at the held-out images every so many steps."""
    truth = images(task, HELD_OUT, FEW, 3)
    trainer = Trainer(recipe, *([d] for d in domains(task)), seed=seed, steps=steps)
    spent = -time.process_time()
    for event in trainer:
        if isinstance(event, Stepped) and (
            event.step % every == 0 or event.step == steps
        ):
            look = {"step": event.step, "cpu_s": spent + time.process_time()}
            weight = recipe.weights_at(event.step).get("saliency", 0.0)
            yield look | {"weight": weight} | score(trainer.model(), task, *truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", default="stain", choices=TASKS)
    parser.add_argument("--arms", nargs="+", default=["default", "plain"], choices=ARMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = dict(pair.split("=", 1) for pair in options.set)
    task = TASKS[options.task]
    for arm, seed in itertools.product(options.arms, options.seeds):
        recipe = recipe_of(task, arm, {k: json.loads(v) for k, v in changes.items()})
        named = {"task": options.task, "arm": arm, "seed": seed}
        for look in looks(task, recipe, seed, options.steps, options.every):
            line = json.dumps(named | {"steps": options.steps} | look)
            print(line, flush=True)
            if options.out:
                with options.out.open("a") as file:
                    print(line, file=file)


if __name__ == "__main__":
    main()
