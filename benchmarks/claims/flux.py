"""The light of a spot, whatever is cut out around it, with thin and wide cones.

    python -m benchmarks.claims.flux [--iterations 50] [--write]

A spot in the middle of a stack is blurred with the whole widefield PSF; pieces of the
image are deconvolved by Richardson–Lucy with nothing known but the optics. ``--write``
puts the table into docs/classical.md.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from benchmarks.helpers.tables import write_table
from napari_blurgan import deconvolve
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.optics.models import Optics, theoretical_psf

VOXEL = (0.3, 0.1, 0.1)
SHAPE = (41, 128, 128)
CROPS = (
    *((41, 128), (41, 64), (41, 32), (41, 20), (21, 64)),
    *((9, 64), (9, 20), (5, 64), (3, 64)),
)
APERTURES = ((1.4, 1.515), (1.2, 1.33), (0.8, 1.0))
LENGTHS = (0.85, 0.5)
"""Of the spot along z, full width at half maximum in µm: three planes are 0.9 µm."""


def world(
    optics: Optics, length: float
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return a spot and its image."""
    truth = np.zeros(SHAPE)
    truth[tuple(n // 2 for n in SHAPE)] = 1
    truth = gaussian_filter(truth, (length / 2.355 / VOXEL[0], 1.3, 1.3))
    truth *= 5000 / truth.max()
    psf = theoretical_psf(optics, psf_shape_for(optics, SHAPE, VOXEL), VOXEL).data
    ends = zip(psf.shape, SHAPE, strict=True)
    field = tuple(slice(k // 2, k // 2 + n) for k, n in ends)
    return truth, np.maximum(fftconvolve(truth, psf)[field], 0).astype(np.float32)


def middle(planes: int, side: int) -> tuple[slice, ...]:
    """Return the piece around the spot."""
    sizes = zip(SHAPE, (planes, side, side), strict=True)
    return tuple(slice(n // 2 - k // 2, n // 2 - k // 2 + k) for n, k in sizes)


def row(aperture: tuple[float, float], length: float, iterations: int) -> list[str]:
    """Return a line of the table."""
    optics = Optics(*aperture, 520)
    truth, image = world(optics, length)
    cells = [f"{aperture[0]}", f"{length} µm"]
    for crop in CROPS:
        piece = middle(*crop)
        how = {"voxel_size": VOXEL, "iterations": iterations}
        found = deconvolve(image[piece], optics, **how).image
        cells.append(f"{found.sum(dtype=np.float64) / truth[piece].sum():.3f}")
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = [
        row(aperture, length, options.iterations)
        for length in LENGTHS
        for aperture in APERTURES
    ]
    names = " | ".join(f"{planes} × {side}²" for planes, side in CROPS)
    if options.write:
        write_table("classical.md", "flux", f"| NA | spot | {names} |", rows)
    else:
        print(names, *map(" | ".join, rows), sep="\n")


if __name__ == "__main__":
    main()
