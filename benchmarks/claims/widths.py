"""How much better held-out photons are predicted by a PSF that is narrower.

    python -m benchmarks.claims.widths [--structures S ...] [--photons P ...]
        [--seeds N ...] [--na-error E ...] [--write]

One stack of 48 x 96 x 96 a row, as in self_supervised.py. Shown is the share by which
the error of the prediction falls when the given PSF is made narrower, with and without
the grain that suits the given one; then the width that is chosen, for which the fall
must be `heldout.width.WORTH` at least. Right is 1 less the error of the NA. Rows are
kept in benchmarks/results/widths.json, of which --write makes the table.
"""

from __future__ import annotations

import argparse
import json

import torch

from benchmarks.claims.self_supervised import DRAWN, NA, VOXELS, psf, stacks
from benchmarks.helpers.drawings import STRUCTURES
from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from napari_blurgan import preset
from napari_blurgan.heldout.regions import region_of
from napari_blurgan.heldout.settling import settled
from napari_blurgan.heldout.width import Widths, best_width
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site

TRIED, TOLERANCE = (0.94, 0.9, 0.86), 0.2
FOUND = RESULTS / "widths.json"
HEADER = (
    "| structure | photons | NA too small by | seed | grain "
    + "".join(f"| {width:g}, no grain " for width in TRIED)
    + "".join(f"| {width:g} " for width in TRIED)
    + "| chosen |"
)


def row(structure: str, photons: float, na_error: float, seed: int) -> list[str]:
    """Return the gains of a draw, in percent."""
    stack, _ = stacks(structure, photons, seed)[0]
    recipe = preset("self-supervised").updated({"forward.tolerance": 0.0})
    blur = BlurKernel(FixedKernel(psf(NA * (1 - na_error)).data))
    levels = calibrate(recipe, [stack], [])
    seen = settled(Site(recipe, [stack], [], VOXELS, levels, forward=blur))
    grain = seen.recipe.reconstructor.estimate_grain
    region, noise = region_of(seen), seen.calibration.noise
    gains = []
    for g in (0.0, grain):
        compared = Widths(region, blur, noise, g)
        gains += [1 - compared.error(width) / compared.error(1.0) for width in TRIED]
    cell = (structure, f"{photons:g}", f"{na_error:g}", str(seed), f"{grain:.2f}")
    chosen = best_width(region, blur, noise, TOLERANCE, grain)
    return [*cell, *(f"{gain:+.2%}" for gain in gains), f"{chosen:.2f}"]


def kept() -> dict[str, list[str]]:
    """Return the rows that have been measured, by their cells."""
    return json.loads(FOUND.read_text()) if FOUND.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="*", default=list(STRUCTURES), choices=DRAWN)
    add("--photons", nargs="+", type=float, default=[120.0])
    add("--seeds", nargs="+", type=int, default=[12])
    add("--na-error", nargs="+", type=float, default=[0.0, 0.1])
    add("--write", action="store_true", help="into docs/no-sharp-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cells = [
        (structure, photons, error, seed)
        for error in options.na_error
        for structure in options.structures
        for photons in options.photons
        for seed in options.seeds
    ]
    for cell in cells:
        found = row(*cell)
        rows = kept() | {" ".join(found[:4]): found}
        FOUND.write_text(json.dumps(rows, indent=1) + "\n")
        print(*found, sep=" | ", flush=True)
    if options.write:
        ordered = sorted(kept().values(), key=lambda r: (r[2], r[0], float(r[1]), r[3]))
        write_table("no-sharp-data.md", "widths", HEADER, ordered)


if __name__ == "__main__":
    main()
