"""A discriminator of measurements, in deconvolution without sharp images.

    python -m benchmarks.claims.ambient [--structures S ...] [--seeds N ...]
        [--steps N] [--write]

Two simulated widefield stacks are restored by what is learned from them alone: with the
cycle through y, with `ambient`, which adds the discriminator of HG(y), with
`self-supervised`, and with both. Fitted PSNR, mean of the two stacks, each run with as
many steps. Each run adds to benchmarks/results/ambient.json; `--write` makes the table
of docs/other-measurements.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.claims.self_supervised import NA as APERTURE
from benchmarks.claims.self_supervised import fitted, psf, stacks
from benchmarks.helpers.drawings import STRUCTURES
from benchmarks.helpers.tables import write_table
from napari_blurgan import preset, restore, train

RESULTS = Path(__file__).parents[1] / "results/ambient.json"
PHOTONS = 100.0
STEPS = 200
TERM = "terms.adversarial_remeasured"
ROWS: dict[str, tuple[str, dict[str, float]]] = {
    "`ambient` without its discriminator: the cycle alone": ("ambient", {TERM: 0.0}),
    "`ambient`": ("ambient", {}),
    "`self-supervised`": ("self-supervised", {}),
    "`self-supervised` with the discriminator": ("self-supervised", {TERM: 0.01}),
}


def run(name: str, structure: str, seed: int, steps: int) -> dict[str, float]:
    """Train a row; return its figures."""
    kind, changes = ROWS[name]
    data, start = stacks(structure, PHOTONS, seed), time.process_time()
    recipe = preset(kind).updated(changes | {"forward.tolerance": 0.0})
    images = [stack for stack, _ in data]
    model = train(
        recipe, images, psf=psf(APERTURE), steps=steps, device="cpu", seed=seed
    )
    minutes = (time.process_time() - start) / 60
    scores = [
        fitted(np.asarray(restore(model, stack, precision="float32").data), truth)
        for stack, truth in data
    ]
    return {"psnr": float(np.mean(scores)), "minutes": minutes, "steps": float(steps)}


def report(found: dict[str, dict[str, Any]]) -> None:
    """Write the table."""
    rows = []
    for structure in STRUCTURES:
        for name in ROWS:
            runs = [v for k, v in found.items() if k.startswith(f"{structure}/{name}/")]
            if runs:
                scores = [run["psnr"] for run in runs]
                columns = f"{np.median(scores):.2f} ({min(scores):.2f})", str(len(runs))
                minutes = f"{np.median([run['minutes'] for run in runs]):.1f}"
                rows.append([structure, name, *columns, minutes])
    head = "| structure | loss | PSNR | seeds | CPU minutes |"
    write_table("other-measurements.md", "ambient", head, rows)


def main() -> None:
    """Train, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="*", default=["filaments"], choices=STRUCTURES)
    add("--seeds", nargs="*", type=int, default=[0])
    add("--only", nargs="*", default=list(ROWS), choices=ROWS)
    add("--steps", type=int, default=STEPS)
    add("--write", action="store_true", help="into docs/other-measurements.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for structure in options.structures:
        for seed in options.seeds:
            for name in options.only:
                made = run(name, structure, seed, options.steps)
                print(structure, name, seed, made, flush=True)
                found[f"{structure}/{name}/{seed}"] = made
                RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.write:
        report(found)


if __name__ == "__main__":
    main()
