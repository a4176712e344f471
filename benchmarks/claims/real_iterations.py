"""How many iterations suit the nucleus, for which no rule stops Richardson-Lucy.

    python -m benchmarks.claims.real_iterations --data FOLDER

FOLDER is that of real.py. Each row is the correlation with the confocal image, in the
region that real.py measures, of plain and accelerated Richardson-Lucy. The confocal
image chooses: for images without one the best number is not known.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.claims.real import agreement
from benchmarks.helpers.real_data import Case, nucleus
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.inverse.iteration import Progress
from napari_blurgan.inverse.plan import Plan

SHOWN = (5, 10, 15, 20, 30, 50)
HEADER = "| after | " + " | ".join(f"{n}" for n in SHOWN) + " |"


def correlations(case: Case, plan: Plan, method: str) -> Iterator[float]:
    """Yield the best correlation within a few voxels, after each number shown."""
    found: list[float] = []

    def look(progress: Progress) -> None:
        if progress.iteration in SHOWN and case.confocal is not None:
            row = agreement(progress.image(), case.confocal, case.region)
            found.append(row["correlation_shifted"])

    function = METHODS[method].function
    function(case.pixels, plan, SHOWN[-1], camera=case.camera, callback=look)
    yield from found


def rows(case: Case) -> Iterator[Sequence[str]]:
    plan = Plan(case.cone, case.pixels.shape, device="cpu")
    for method in ("rl", "rl-accelerated"):
        found = correlations(case, plan, method)
        yield [METHODS[method].title, *(f"{value:.3f}" for value in found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    write_table("real-data.md", "iterations", HEADER, rows(nucleus(options.data)))


if __name__ == "__main__":
    main()
