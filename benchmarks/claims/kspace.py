"""Accelerated MRI: the optimal-transport cycleGAN and its rivals on undersampled heads.

    python -m benchmarks.claims.kspace [--only ROW ...] [--seeds N ...] [--steps N]
        [--set KEY=VALUE ...] [--write]

Each run adds to benchmarks/results/kspace.json; `--write` makes the tables of
docs/other-measurements.md of all that is there. Heads of 64 x 64 pixels, of which one
line in four is measured, 4 % of all in the middle among them. The heads that are judged
were not trained on. For `ssdu`, `naive` and `masks-differ`, each has another mask.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.kspace_data import (
    Study,
    kept,
    numbers,
    scores,
    stack,
    study,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan import preset, restore, train
from napari_blurgan.models.model import Model

RESULTS = Path(__file__).parents[1] / "results/kspace.json"


@dataclass(frozen=True)
class Row:
    """A training.

    Parameters
    ----------
    preset : str
        Its recipe.
    sharp : {"none", "unpaired", "paired"}
        What is given as fully sampled images.
    changes : dict
        Of the recipe.
    fixed : bool
        Whether the mask is the same for all slices.
    """

    preset: str
    sharp: str = "unpaired"
    changes: dict[str, Any] = field(default_factory=dict)
    fixed: bool = True


# A mirror image along y would have another mask.
UNTURNED = {"sampling.flips": False}
KNOWN = {"forward.mask": "fixed"} | UNTURNED
ROWS = {
    "mri": Row("mri", "unpaired", KNOWN),
    "mri-half": Row("mri-half", "unpaired", KNOWN),
    "mri-cyclegan": Row("mri-cyclegan", "unpaired", UNTURNED),
    "mri-supervised": Row("mri-supervised", "paired", UNTURNED),
    "ssdu": Row("ssdu", "none", {}, False),
    "naive": Row("ssdu", "none", {"source.hidden": 0.0}, False),
    "masks-differ": Row("mri-supervised", "paired", {}, False),
}


def trained(row: Row, data: Study, seed: int, changes: dict[str, Any]) -> Model:
    """Train a row."""
    sharp = {"none": None, "unpaired": data.sharp, "paired": data.partner}[row.sharp]
    recipe = preset(row.preset).updated(
        {"precision": "float32", **row.changes, **changes}
    )
    x = None if sharp is None else stack(sharp, "fully sampled")
    return train(
        recipe, stack(data.measured, "undersampled"), x, device="cpu", seed=seed
    )


def reconstructed(model: Model, measured: Any) -> Any:
    """Return what a model makes of slices."""
    image = stack(measured, "undersampled")
    return numbers(restore(model, image, precision="float32"))


def figures(row: Row, seed: int, changes: dict[str, Any]) -> dict[str, float]:
    """Train; return scores as the network leaves it, and with the measured lines."""
    data, start = study(seed, row.fixed), time.process_time()
    model = trained(row, data, seed, changes)
    minutes = (time.process_time() - start) / 60
    made = reconstructed(model, data.unseen)
    lines = kept(made, data.unseen)
    found = {"steps": float(model.recipe.steps), "minutes": minutes}
    for name, image in (("input", data.unseen), ("network", made), ("kept", lines)):
        scored = scores(image, data.truth)
        found |= {f"{name}_{k}": v for k, v in scored.items()}
    return found


def report(found: dict[str, dict[str, float]]) -> None:
    """Write the table."""
    rows = []
    for name in ("input", *ROWS):
        runs = [
            v
            for k, v in found.items()
            if k.startswith(f"{'mri' if name == 'input' else name}/")
        ]
        if runs:
            rows.append(_row(name, runs))
    head = "| row | PSNR | SSIM | measured lines kept: PSNR | SSIM | CPU minutes |"
    write_table("other-measurements.md", "mri", head, rows)


def _row(name: str, runs: list[dict[str, float]]) -> list[str]:
    if name == "input":
        return [
            "zero-filled",
            _spread(runs, "input_psnr", 2),
            _spread(runs, "input_ssim", 3),
            *("", "", ""),
        ]
    minutes = np.median([run["minutes"] for run in runs])
    columns = (
        ("network_psnr", 2),
        ("network_ssim", 3),
        ("kept_psnr", 2),
        ("kept_ssim", 3),
    )
    return [f"`{name}`", *(_spread(runs, *c) for c in columns), f"{minutes:.1f}"]


def _spread(runs: list[dict[str, float]], name: str, digits: int) -> str:
    values = [run[name] for run in runs]
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f})"


def main() -> None:
    """Train, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="*", default=list(ROWS), choices=ROWS)
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=int, help="by default those of the preset")
    add("--set", nargs="*", default=[], help="KEY=VALUE of the recipe; nothing is kept")
    add("--write", action="store_true", help="into docs/other-measurements.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    changes: dict[str, Any] = {
        k: json.loads(v) for k, _, v in (s.partition("=") for s in options.set)
    }
    changes |= {"steps": options.steps} if options.steps else {}
    for seed in options.seeds:
        for name in options.only:
            made = figures(ROWS[name], seed, changes)
            print(
                f"{name}/{seed}", *(f"{k} {v:.4g}" for k, v in made.items()), flush=True
            )
            if not options.set:
                found[f"{name}/{seed}"] = made
                RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.write:
        report(found)


if __name__ == "__main__":
    main()
