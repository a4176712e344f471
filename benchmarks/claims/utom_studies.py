"""How much UTOM needs: numbers of images (c2GAN), weights of the constraint (Fig. S9).

python -m benchmarks.claims.utom_studies --study images --seeds 0 1 2 --write
python -m benchmarks.claims.utom_studies --study weight --seeds 0 1 2 --write

NRMSE, PSNR and SSIM of noisy cells made clean, on images that no training saw; with
``--data FOLDER --task labelling`` (frames, actin), of real pairs. What has been
measured is kept in benchmarks/results/utom-studies.json; --write makes the tables of
docs/utom.md of all of it.
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
from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from benchmarks.helpers.utom_tasks import TASKS_OF_TABLE_1, Task
from napari_blurgan.measure.fidelity import nrmse
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.train import train

WEIGHTS = (0.0, 5.0, 20.0, 50.0, 200.0)
COUNTS = {"cells": (3, 10, 30, 100, 300)}
FOUND = RESULTS / "utom-studies.json"
HEADS = {"images": "images", "weight": "weight of the constraint"}
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


def key(row: dict[str, Any], study: str) -> tuple[str, float, int, int]:
    """Name a training of a study; it sorts."""
    return row["task"], row[study], row["steps"], row["seed"]


def kept(study: str) -> list[dict[str, Any]]:
    """Return the rows of a study that have been measured."""
    rows = json.loads(FOUND.read_text()) if FOUND.exists() else []
    return sorted((r for r in rows if study in r), key=lambda r: key(r, study))


def keep(found: dict[str, Any], study: str) -> None:
    """Put a row beside the others, or in place of an older one."""
    rows = {key(row, study): row for row in kept(study)} | {key(found, study): found}
    (other,) = HEADS.keys() - {study}
    every = [*kept(other), *rows.values()]
    FOUND.write_text(json.dumps(every, indent=1) + "\n")


def write(study: str) -> None:
    """Put the table of a study into docs/utom.md."""
    groups = itertools.groupby(kept(study), lambda row: key(row, study)[:3])
    rows = []
    for (task, value, steps), seeds in groups:
        every = list(seeds)
        columns = ((row[name] for row in every) for name in ("nrmse", "psnr", "ssim"))
        middle = [float(np.median(list(column))) for column in columns]
        forms = (f"{middle[0]:.3f}", f"{middle[1]:.1f}", f"{middle[2]:.3f}")
        rows.append((task, f"{value:g}", len(every), steps, *forms))
    head = f"| task | {HEADS[study]} | seeds | steps | NRMSE | PSNR | SSIM |"
    write_table("utom.md", f"study {study}", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--study", choices=("images", "weight"), required=True)
    parser.add_argument("--task", default="cells", choices=TASKS_OF_TABLE_1)
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--write", action="store_true", help="docs/utom.md")
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
        row = said | {"steps": options.steps} | found
        print(json.dumps(row), flush=True)
        keep(row, options.study)
    if options.write:
        write(options.study)


if __name__ == "__main__":
    main()
