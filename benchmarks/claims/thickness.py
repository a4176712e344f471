"""What the thickness of a sample is worth in deconvolving one widefield plane.

    python -m benchmarks.claims.thickness --data FOLDER [--write]

The plane has a confocal image made of the same photons, registered to the pixel. It is
deconvolved by Richardson-Lucy with the PSF of each thickness, and compared with the
confocal image. NA 1.4 and pixels of 65 nm are guessed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics, Psf, deconvolve
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.reading.images import read_stack

THICKNESSES = (0.0, 1.0, 2.0, 3.0)
ITERATIONS = (5, 20, 60)
VOXEL = (0.1, 0.065, 0.065)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="into docs/real-data.md")
    options = parser.parse_args()
    pair = read_stack(
        options.data / "G_real/A_pairs2d/actin_widefield_confocal_a.ome.tif"
    )
    plane, confocal = (pair.frame(0, c)[0].astype(np.float32) for c in (0, 1))
    deep = Psf.from_optics(Optics(1.4, 1.515, 525), VOXEL, (31, 121, 121))
    rows = []
    for thickness in THICKNESSES:
        psf = deep.projected(thickness)
        made = (deconvolve(plane, psf, "rl", iterations=n).image for n in ITERATIONS)
        found = [correlation(np.asarray(image), confocal) for image in made]
        rows.append((f"{thickness:g}", *(f"{r:.3f}" for r in found)))
    print("as it is", f"{correlation(plane, confocal):.3f}", *rows, sep="\n")
    if options.write:
        counts = " | ".join(f"{n} iterations" for n in ITERATIONS)
        header = f"| thickness, µm | {counts} |"
        write_table("real-data.md", "thickness", header, rows)


if __name__ == "__main__":
    main()
