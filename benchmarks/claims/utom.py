"""The toy staining task: whether the constraint keeps the content, and for how long.

Unpaired images of 64 x 64 pixels, dark grey with 2-4 cells (A) and bright RGB with 4-7
(B), the mismatch that tempts a cycleGAN to invent cells or to swap them with the
background. Forty images with known truth are held out. One row a run and look:

python -m benchmarks.claims.utom --arms default plain --seeds 0 1 2 3 4

``--task denoise`` makes clean grey images of noisy ones in place of stained ones.
``--out FILE`` appends to a file of JSON lines, and ``utom_tables.py``
makes the tables of docs/utom.md of it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.stained import (
    ALPHA,
    FEW,
    IMAGES,
    MANY,
    TASKS,
    Task,
    images,
)
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.training.trainer import Trainer

HELD_OUT = 40

EPOCH = 300
"""Steps in which every image of A is seen once, on average."""

GIVEN = {"saliency.alpha": ALPHA, "sampling.held_out": 0.0}

# The weight of the paper starts at 50 and falls by e in an epoch.
PAPER = {
    "saliency.half_life": round(EPOCH * np.log(2)),
    "saliency.floor": 0.0,
}
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": PAPER,
    "constant": {
        "terms.saliency": 30.0,
        "saliency.half_life": None,
        "saliency.floor": 1.0,
    },
    "plain": {"terms.saliency": 0.0},
    "identity": {"terms.saliency": 0.0, "terms.identity": 5.0},
}


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
