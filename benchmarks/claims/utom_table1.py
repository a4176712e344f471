"""Table 1 of UTOM: supervised, cycleGAN, with identity loss, UDCT's histograms, UTOM.

Every row is trained five times; mean and relative spread of SSIM and PSNR on images
that no training saw, of tasks of `utom_tasks`. What is found is kept in a file of JSON
lines, and what is there is not trained again:

    python -m benchmarks.claims.utom_table1 --data FOLDER --tasks cells isotropic ...
    python -m benchmarks.claims.utom_table1 --table        only print the table
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from benchmarks.helpers.utom_tasks import TASKS_OF_TABLE_1, Task
from napari_blurgan.measure.fidelity import psnr, ssim
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.train import train

FOUND = RESULTS / "utom-table1.jsonl"
HEADER = "| task | row | trainings | SSIM | PSNR, dB |"
PLAIN = {"terms.saliency": 0.0}
ROWS: dict[str, dict[str, Any]] = {
    "cycleGAN": PLAIN,
    "cycleGAN + identity": PLAIN | {"terms.identity": 5, "terms.identity_y": 5},
    "UDCT": PLAIN | {"discriminator.quantiles": 64},
    "UTOM": {},
}
SUPERVISED = {
    "forward.kind": "none",
    "sampling.paired": True,
    "terms.adversarial_x": 0.0,
    "terms.adversarial_y": 0.0,
    "terms.cycle_x": 0.0,
    "terms.cycle_y": 0.0,
    "terms.saliency": 0.0,
    "terms.supervised": 100.0,
    "sampling.held_out": 0.0,
}


def recipe_of(task: Task, row: str) -> Recipe:
    """Return the recipe of a row; of `supervised`, with the generator of the others."""
    if row == "supervised":
        return preset(task.preset).updated(SUPERVISED)
    return preset(task.preset).updated(task.changes | ROWS[row])


def scores(made: list[Any], truths: list[Any]) -> dict[str, float]:
    """Return SSIM and PSNR over the range of all the truth, no fit of intensities."""
    found = []
    pixels = np.concatenate([truth.ravel() for truth in truths])
    span = float(np.percentile(pixels, 99.9) - pixels.min())
    for image, truth in zip(made, truths, strict=True):
        image = np.asarray(image, dtype=np.float64)[tuple(map(slice, truth.shape))]
        found.append((ssim(image, truth, span), psnr(image, truth, span)))
    a, b = np.mean(found, axis=0)
    return {"ssim": float(a), "psnr": float(b)}


def measure(task: Task, row: str, steps: int, seed: int) -> dict[str, float]:
    """Train once and score what is held out."""
    start = time.process_time()
    domains = task.pairs if row == "supervised" else (task.a, task.b)
    model = train(recipe_of(task, row), *domains, steps=steps, seed=seed, device="cpu")
    spent = time.process_time() - start
    made = [restore(model, image, device="cpu").data for image in task.test]
    return scores(made, task.truth) | {"cpu_s": spent}


def rows_of(task: str) -> list[str]:
    """Return the rows; there are no pairs of sections and planes."""
    return [*([] if task == "isotropic" else ["supervised"]), *ROWS]


def read() -> list[dict[str, Any]]:
    """Return what was found so far."""
    lines = FOUND.read_text().splitlines() if FOUND.exists() else []
    return [json.loads(line) for line in lines]


def keep(found: dict[str, Any]) -> None:
    """Print a finding and add it to the file."""
    line = json.dumps(found)
    print(line, flush=True)
    with FOUND.open("a") as file:
        print(line, file=file)


def spread(numbers: list[float], digits: int) -> str:
    """Return mean ± relative spread, as the paper prints it."""
    mean = float(np.mean(numbers))
    return f"{mean:.{digits}f} ± {np.std(numbers) / abs(mean):.1%}"


def rows_found(steps: int) -> list[tuple[str, ...]]:
    """Return a row of the table for each method of each task."""
    found = [f for f in read() if f["steps"] == steps]
    rows = []
    for task in dict.fromkeys(f["task"] for f in found):
        for row in ("before", "supervised", *ROWS):
            mine = [f for f in found if (f["task"], f["row"]) == (task, row)]
            if mine:
                ssims = spread([f["ssim"] for f in mine], 3)
                psnrs = spread([f["psnr"] for f in mine], 1)
                rows.append((task, row, str(len(mine)), ssims, psnrs))
    return rows


def show(steps: int, write: bool) -> None:
    """Print the table; put it into docs/utom.md if asked to."""
    rows = rows_found(steps)
    if write:
        write_table("utom.md", "table-1", HEADER, rows)
        return
    for row in rows:
        print(*row, sep=" | ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument(
        "--tasks", nargs="+", choices=TASKS_OF_TABLE_1, default=["cells"]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--table", action="store_true", help="only print the table")
    parser.add_argument("--write", action="store_true", help="into docs/utom.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = ("task", "row", "seed", "steps")
    done = {tuple(f[n] for n in names) for f in read()}
    tasks = [] if options.table else options.tasks
    for name, seed in itertools.product(tasks, options.seeds):
        task = TASKS_OF_TABLE_1[name](options.data, seed)
        before = dict(zip(names, (name, "before", 0, options.steps), strict=True))
        if tuple(before.values()) not in done:
            keep(before | scores(task.before, task.truth))
            done.add(tuple(before.values()))
        for row in rows_of(name):
            key = (name, row, seed, options.steps)
            if key not in done:
                found = measure(task, row, options.steps, seed)
                keep(dict(zip(names, key, strict=True)) | found)
    show(options.steps, options.write)


if __name__ == "__main__":
    main()
