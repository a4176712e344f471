"""The toy staining task: whether the constraint keeps the content, and for how long.

Unpaired images of 64 x 64 pixels, dark grey with 2-4 cells (A) and bright RGB with 4-7
(B), the mismatch that tempts a cycleGAN to invent cells or to swap them with the
background. Forty images with known truth are held out. One row a run and look:

OMP_NUM_THREADS=1 python benchmarks/utom.py --arms constant plain --seeds 0 1 2 3 4

appends to a file of JSON lines; ``--tables FILE…`` makes the tables of docs/utom.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.phantoms import StainedCells, stained_cells
from napari_blurgan.transport.events import Stepped
from napari_blurgan.transport.model import Model
from napari_blurgan.transport.presets import preset
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.trainer import Trainer

SIDE = 64
IMAGES = 300
HELD_OUT = 40
FEW, MANY = (2, 4), (4, 7)
ALPHA, BETA = 0.265, 0.82
"""Half-way between the background and the cytoplasm of the phantom, channel mean."""

EPOCH = 300
"""Steps in which every image of A is seen once, on average."""

GIVEN = {
    "saliency.alpha": ALPHA,
    "saliency.beta": BETA,
    "saliency.bright_background_b": True,
    "sampling.held_out": 0.0,
}
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


def fields(count: int, cells: tuple[int, int], seed: int) -> list[StainedCells]:
    return [
        stained_cells((SIDE, SIDE), seed=1000 * seed + n, count=cells)
        for n in range(count)
    ]


def domains() -> tuple[Stack, Stack]:
    """Return A, grey, and B, of other fields, in colour."""
    grey = np.stack([f.grey for f in fields(IMAGES, FEW, 1)])
    colour = np.stack([f.colour for f in fields(IMAGES, MANY, 2)])
    return Stack(grey, "TYX", name="A"), Stack(colour, "TYXS", name="B")


def iou(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / max((found | true).sum(), 1))


def score(model: Model, truth: list[StainedCells]) -> dict[str, float]:
    """Return IoU of the content and PSNR (peak 1) over the held-out images."""
    operator = model.operator("cpu")
    grey = np.stack([f.grey for f in truth])[:, None]
    made = operator(torch.from_numpy(model.input.apply(grey)))
    colour = np.moveaxis(model.output.undo(made.numpy()), 1, -1)
    true = np.stack([f.colour for f in truth])
    content = colour.mean(-1) < BETA
    return {
        "iou": iou(content, np.stack([f.cells for f in truth])),
        "psnr": float(-10 * np.log10(np.square(colour - true).mean())),
        "share": float(content.mean()),
    }


def recipe_of(arm: str, changes: dict[str, Any]) -> Recipe:
    return preset("utom").updated(GIVEN | ARMS[arm] | changes)


def looks(
    recipe: Recipe, seed: int, steps: int, every: int
) -> Iterator[dict[str, Any]]:
    """Train once and look at the held-out images every so many steps."""
    truth = fields(HELD_OUT, FEW, 3)
    trainer = Trainer(recipe, *([d] for d in domains()), seed=seed, steps=steps)
    spent = -time.process_time()
    for event in trainer:
        if isinstance(event, Stepped) and (
            event.step % every == 0 or event.step == steps
        ):
            look = {"step": event.step, "cpu_s": spent + time.process_time()}
            weight = recipe.weights_at(event.step).get("saliency", 0.0)
            yield look | {"weight": weight} | score(trainer.model(), truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arms", nargs="+", default=["default", "plain"], choices=ARMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = dict(pair.split("=", 1) for pair in options.set)
    for arm in options.arms:
        for seed in options.seeds:
            recipe = recipe_of(arm, {k: json.loads(v) for k, v in changes.items()})
            for look in looks(recipe, seed, options.steps, options.every):
                row = {"arm": arm, "seed": seed, "steps": options.steps} | look
                line = json.dumps(row)
                print(line, flush=True)
                if options.out:
                    with options.out.open("a") as file:
                        print(line, file=file)


if __name__ == "__main__":
    main()
