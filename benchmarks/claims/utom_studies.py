"""How much UTOM needs: numbers of images (c2GAN), weights of the constraint (Fig. S9).

python -m benchmarks.claims.utom_studies --study images --seeds 0 1 2
python -m benchmarks.claims.utom_studies --study weight --seeds 0 1 2

One JSON line a training: NRMSE, PSNR and SSIM of noisy cells made clean, on images that
no training saw; with ``--data FOLDER --task labelling`` (frames, actin), of real pairs.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.claims.utom_table1 import recipe_of, scores
from benchmarks.helpers.utom_tasks import TASKS_OF_TABLE_1, Task
from napari_blurgan.measure.fidelity import nrmse
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.train import train

WEIGHTS = (0.0, 5.0, 20.0, 50.0, 200.0)
COUNTS = {"cells": (3, 10, 30, 100, 300)}
TILES = (4, 8, 12, 20, 28)
"""Of real pairs, both domains together."""


def trained(
    task: Task, changes: dict[str, Any], steps: int, seed: int
) -> dict[str, float]:
    """Train UTOM on a task and score what is held out."""
    recipe = recipe_of(task, "UTOM").updated(changes)
    model = train(recipe, task.a, task.b, steps=steps, seed=seed, device="cpu")
    made = [restore(model, image, device="cpu").data for image in task.test]
    errors = [nrmse(m, t) for m, t in zip(made, task.truth, strict=True)]
    return {"nrmse": float(np.mean(errors))} | scores(made, task.truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--study", choices=("images", "weight"), required=True)
    parser.add_argument("--task", default="cells", choices=TASKS_OF_TABLE_1)
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(1)
    make = TASKS_OF_TABLE_1[options.task]
    counts = COUNTS.get(options.task, TILES)
    values = counts if options.study == "images" else WEIGHTS
    for value, seed in itertools.product(values, options.seeds):
        if options.study == "images":
            task, changes = make(options.data, seed, value), {}
        else:
            task, changes = make(options.data, seed), {"terms.saliency": value}
        said = {"task": options.task, options.study: value, "seed": seed}
        found = trained(task, changes, options.steps, seed)
        print(json.dumps(said | {"steps": options.steps} | found), flush=True)


if __name__ == "__main__":
    main()
