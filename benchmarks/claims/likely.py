"""Whether images tell the aperture with which they were taken.

    python -m benchmarks.claims.likely [--structures S ...] [--photons P ...]
        [--seeds N ...] [--na-errors E ...] [--write]
    python -m benchmarks.claims.likely --data FOLDER [--write]

One stack of 48 x 96 x 96 a row, as in self_supervised.py, of NA 1.3. `likely_optics`
is given an aperture that is wrong by an error, or right, and looks for it between 1.0
and 1.48. "Right one preferred" is whether the true aperture predicts held-out photons
better than the given one: the two are compared, whatever the search found. With the
folder of the real images, parameters of the optics of a stained nucleus are asked for.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.self_supervised import NA, STRUCTURES, optics, stacks
from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics
from napari_blurgan.heldout.optics import compared_optics, likely_optics

INTERVAL = (1.0, 1.48)
MODEL = "gibson-lanni"
HEADER = (
    "| structure | photons | seed | NA given | as likely | contradicted | NA used "
    "| right one preferred |"
)
REAL = "G_real/B_stacks3d/dapi_nucleus_widefield.ome.tif"
REAL_OPTICS = Optics(1.45, 1.512, 461.0)
ASKED: tuple[tuple[str, Optics, tuple[float, float]], ...] = (
    ("na", REAL_OPTICS, (1.1, 1.5)),
    ("wavelength", REAL_OPTICS, (420.0, 600.0)),
    ("depth", replace(REAL_OPTICS, ns=1.45), (0.0, 40.0)),
)
"""Parameters, what is known, and where they are looked for."""
REAL_HEADER = (
    "| parameter | given | as likely | contradicted | used "
    "| held-out photons predicted better by |"
)


def real_row(path: Path, name: str, given: Optics, interval: Any) -> tuple[str, ...]:
    """Look for one parameter of a real stack."""
    found = likely_optics(path, given, {name: interval})
    one = found.parameters[name]
    return (
        *(name, f"{one.given:.4g}", f"{one.least:.4g} to {one.most:.4g}"),
        *("yes" if one.told else "no", f"{one.value:.4g}", f"{found.gain:.2%}"),
    )


def row(structure: str, photons: float, seed: int, error: float) -> tuple[str, ...]:
    """Look for the aperture of one stack."""
    (stack, _), *_ = stacks(structure, photons, seed)
    given = optics(NA * (1 + error))
    found = likely_optics(stack, given, {"na": INTERVAL}, model=MODEL)
    one = found.parameters["na"]
    preferred = "–"
    if error:
        of_given, of_true = compared_optics(stack, [given, optics(NA)], model=MODEL)
        preferred = "yes" if of_true < of_given else "no"
    return (
        *(structure, f"{photons:g}", str(seed), f"{given.na:.2f}"),
        *(f"{one.least:.2f} to {one.most:.2f}", "yes" if one.told else "no"),
        *(f"{found.optics.na:.2f}", preferred),
    )


def real_rows(options: argparse.Namespace) -> None:
    """Print the table of the real stack."""
    rows = []
    for asked in ASKED:
        rows.append(real_row(options.data / REAL, *asked))
        print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        write_table("real-data.md", "likely-optics", REAL_HEADER, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=list(STRUCTURES), choices=STRUCTURES)
    add("--photons", nargs="+", type=float, default=[120.0])
    add("--seeds", nargs="+", type=int, default=[21])
    add("--na-errors", nargs="+", type=float, default=[-0.1, 0.0, 0.1])
    add("--write", action="store_true", help="into docs/no-sharp-data.md")
    add("--data", type=Path, help="folder of the real images, to ask them instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.data:
        real_rows(options)
        return
    rows = []
    for structure in options.structures:
        for photons in options.photons:
            for seed in options.seeds:
                for error in options.na_errors:
                    rows.append(row(structure, photons, seed, error))
                    print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        write_table("no-sharp-data.md", "likely", HEADER, rows)


if __name__ == "__main__":
    main()
