"""ProjectionGAN: projections that were not measured, made to look like measured ones.

    python -m benchmarks.claims.projections [--seeds N ...] [--steps N]
        [--set KEY=VALUE ...] [--write]

Toy cells, projected along parallel lines every six degrees and measured up to 60
degrees on both sides, so that a third of all directions is missing. What is
reconstructed from them is projected again: at angles that were not measured, these
projections are bad. `cyclegan` learns, from them and from measured projections of other
cells, to make them look like the latter; then all are back-projected. Each run adds to
benchmarks/results/projections.json; `--write` makes the table of
docs/other-measurements.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.helpers.places import DOCS
from benchmarks.helpers.tables import write_table
from benchmarks.helpers.tomography import missing_error
from napari_blurgan import Stack, preset, restore, train
from napari_blurgan.optics.phantoms.projections import (
    ANGLES,
    back_projected,
    cells,
    measured,
    missing_views,
    papoulis,
    projections,
)

RESULTS = Path(__file__).parents[1] / "results/projections.json"
TRAINING, TESTING = 24, 4
RECIPE: dict[str, Any] = {
    "dims": 2,
    "reconstructor.output": "linear",
    "reconstructor.residual": True,
    "reconstructor.base": 16,
    "reconstructor.momentum": 0.1,
    "reconstructor.average": 0.98,
    "sampling.patch": 48,
    "sampling.batch": 4,
    "sampling.foreground": 0.0,
    "sampling.quarter_turns": False,
    "optimiser.generator_rate": 1e-3,
    "terms.cycle_x": 10.0,
    "terms.cycle_y": 10.0,
    "terms.identity": 5.0,
    "terms.identity_y": 5.0,
}
SEEN = torch.tensor(measured())
STEPS = 300
ROUNDS, MERGING, MORE = 20, 5, 20
"""Rounds of Gerchberg and Papoulis: before the training, with what it has made of the
projections that were not measured, and after that with measured ones alone."""


def stack(views: Tensor, name: str) -> Stack:
    """Return projections, (n, angle, y, s), as planes of an image."""
    return Stack(views.flatten(0, 1).numpy(), "ZYX", name=name)


def run(seed: int, steps: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Train; return the errors of cells that were not trained on."""
    start = time.process_time()
    angles = [a for a, seen in zip(ANGLES, SEEN, strict=True) if seen]
    bad, good = missing_views(TRAINING, seed, ROUNDS)
    truth = cells(TESTING, seed + 1000)
    recipe = preset("cyclegan").updated(RECIPE | changes)
    sets = Stack(bad, "ZYX", name="bad"), Stack(good, "ZYX", name="good")
    model = train(recipe, *sets, steps=steps, device="cpu", seed=seed)
    views = projections(truth, angles)
    first = papoulis(views, angles, ROUNDS)
    again = projections(first)
    restored = restore(model, stack(again[:, ~SEEN], "views"), precision="float32")
    again[:, SEEN] = views
    again[:, ~SEEN] = torch.from_numpy(
        np.asarray(restored.data, np.float32).reshape(again[:, ~SEEN].shape)
    )
    learned = papoulis(again, ANGLES, MERGING, first)
    volumes = {
        "filtered back-projection": back_projected(views, angles),
        "Gerchberg-Papoulis": first,
        "Gerchberg-Papoulis, twice as long": papoulis(views, angles, MORE, first),
        "ProjectionGAN": learned,
        "ProjectionGAN, then Gerchberg-Papoulis": papoulis(
            views, angles, MORE, learned
        ),
        "all angles measured": papoulis(projections(truth), ANGLES, ROUNDS),
    }
    if seed == 0:
        draw(volumes | {"truth": truth})
    found: dict[str, Any] = {"minutes": (time.process_time() - start) / 60}
    for name, volume in volumes.items():
        found[name] = missing_error(volume, truth)
    return found


def draw(volumes: dict[str, Tensor]) -> None:
    """Draw the middle section along z of the first cell."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(volumes), figsize=(2.4 * len(volumes), 2.8))
    for panel, (name, volume) in zip(axes, volumes.items(), strict=True):
        panel.imshow(volume[0, volume.shape[1] // 2], cmap="gray", vmin=0, vmax=1.2)
        panel.set_title(name, fontsize=8)
        panel.axis("off")
    figure.tight_layout()
    figure.savefig(DOCS / "images/projectiongan.png", dpi=90)
    plt.close(figure)


def report(found: dict[str, dict[str, Any]]) -> None:
    """Write the table."""
    one = {k: v for k, v in next(iter(found.values())).items() if k != "minutes"}
    names = sorted(one, key=lambda name: -one[name][0])
    rows = []
    for name in names:
        pairs = np.array([run[name] for run in found.values()])
        columns = [
            f"{np.median(v):.3f} ({v.max():.3f})" for v in np.moveaxis(pairs, 1, 0)
        ]
        rows.append([name, *columns, str(len(pairs))])
    head = "| row | error in the missing cone | elsewhere | seeds |"
    write_table("other-measurements.md", "projections", head, rows)


def main() -> None:
    """Train, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seeds", nargs="*", type=int, default=[0, 1, 2])
    add("--steps", type=int, default=STEPS)
    add("--set", nargs="*", default=[], help="KEY=VALUE of the recipe; nothing is kept")
    add("--write", action="store_true", help="into docs/other-measurements.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pairs = (text.partition("=") for text in options.set)
    changes = {key: json.loads(value) for key, _, value in pairs}
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for seed in options.seeds:
        made = run(seed, options.steps, changes)
        print(seed, made, flush=True)
        if not options.set:
            found[str(seed)] = made
            RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.write:
        report(found)


if __name__ == "__main__":
    main()
