"""Richardson–Lucy beside an independent program: a table of docs/classical.md.

python -m benchmarks.claims.classical_oracle PROGRAM

PROGRAM is deconwolf's `dw` (github.com/elgw/deconwolf), which is called and nothing
else: its licence is the GPL. Both run the same job, and the differences are reported.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.inverse.blur import Edges
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import simulate

Array = NDArray[np.float32]

VOXEL, SHAPE = (0.3, 0.1, 0.1), (32, 96, 96)
JOBS: tuple[tuple[Edges, str], ...] = (("periodic", "0"), ("extend", "2"))
ITERATIONS = 20


def problem() -> tuple[Array, Array]:
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (13, 11, 11), VOXEL).data
    _, seen = simulate(phantom("nuclei", SHAPE, VOXEL, seed=0), psf, seed=0)
    expected = 5 + 200 * np.maximum(seen, 0) / seen.max()
    counts = np.random.default_rng(0).poisson(expected)
    return counts.clip(1).astype(np.float32), psf


def theirs(program: Path, image: Array, psf: Array, quality: str) -> Array:
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{name}.tif" for name in ("image", "psf", "out")]
        for name, data in zip(names, (image.astype(np.uint16), psf), strict=False):
            tifffile.imwrite(name, data)
        job = ["--method", "rl", "--iter", str(ITERATIONS), "--bq", quality]
        form = [
            "--float",
            "--offset",
            "0",
            "--bg",
            "1e-6",
            "--noplan",
            "--threads",
            "1",
            "--out",
        ]
        subprocess.run(
            [program, *job, *form, names[2], *names[:2]],
            check=True,
            capture_output=True,
        )
        return tifffile.imread(names[2])


def rows(program: Path) -> Iterator[list[object]]:
    image, psf = problem()
    for edges, quality in JOBS:
        other = theirs(program, image, psf, quality)
        ours = richardson_lucy(image, psf, ITERATIONS, edges=edges, device="cpu").image
        off = np.abs(ours - other)
        yield [
            edges,
            f"--bq {quality}",
            f"{ours.sum(dtype=float) / image.sum(dtype=float):.6f}",
            f"{other.sum(dtype=float) / image.sum(dtype=float):.6f}",
            f"{np.sqrt((off**2).mean() / (other**2).mean()):.1e}",
            f"{off.max() / other.max():.1e}",
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path, help="deconwolf's dw")
    options = parser.parse_args()
    header = (
        "| edges | deconwolf's | flux, ours | flux, deconwolf "
        "| RMS difference / RMS | largest difference / maximum |"
    )
    write_table("classical.md", "oracle", header, rows(options.program))


if __name__ == "__main__":
    main()
