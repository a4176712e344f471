"""The light of a spot, whatever is cut out around it, with thin and wide cones.

    python -m benchmarks.claims.flux [--thin] [--iterations 50] [--write]

A spot in the middle of a stack is blurred with the whole widefield PSF; pieces of the
image are deconvolved by Richardson–Lucy with nothing known but the optics. ``--thin``
takes the thinnest and narrowest pieces, and counts the light a second time together
with that of two planes above and below, which is estimated with the piece. ``--write``
puts the table into docs/classical.md.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from benchmarks.helpers.tables import write_table
from napari_blurgan import deconvolve
from napari_blurgan.classical.richardson_lucy import RichardsonLucySteps
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.optics.models import Optics, theoretical_psf

VOXEL = (0.3, 0.1, 0.1)
SHAPE = (41, 128, 128)
CROPS: tuple[tuple[int, int], ...] = (
    *((41, 128), (41, 64), (41, 32), (41, 20), (21, 64)),
    *((9, 64), (9, 20), (5, 64), (3, 64)),
)
THIN_CROPS: tuple[tuple[int, int], ...] = ((5, 64), (3, 64), (2, 64), (9, 20), (9, 12))
BESIDE = 2
"""Planes above and below a thin piece that are counted with it: 0.6 µm."""
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


def middle(planes: int, side: int, beside: int = 0) -> tuple[slice, ...]:
    """Return the piece around the spot, with planes above and below it."""
    z, y, x = (
        slice(n // 2 - k // 2, n // 2 - k // 2 + k)
        for n, k in zip(SHAPE, (planes, side, side), strict=True)
    )
    return slice(z.start - beside, z.stop + beside), y, x


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


@torch.no_grad()
def in_planes(
    image: NDArray[np.float32], optics: Optics, iterations: int
) -> NDArray[np.float64]:
    """Return the light in each plane of a piece, and in those above and below it."""
    wanted = psf_shape_for(optics, image.shape, VOXEL)
    plan = Plan(theoretical_psf(optics, wanted, VOXEL), image.shape, VOXEL)
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(plan.device)
    steps = RichardsonLucySteps(Observation(pixels, plan.blur))
    for _ in range(iterations):
        steps.correct(steps.predict())
    planes, height, width = image.shape
    seen = steps.estimate[:, :height, :width].double().sum((1, 2))
    return seen.roll(BESIDE)[: planes + 2 * BESIDE].cpu().numpy()


def thin_rows(aperture: tuple[float, float], iterations: int) -> list[list[str]]:
    """Return two lines of the table of thin pieces: within, and with those beside."""
    optics = Optics(*aperture, 520)
    truth, image = world(optics, LENGTHS[0])
    within, around = [f"{aperture[0]}", "within"], [f"{aperture[0]}", "± 0.6 µm"]
    for crop in THIN_CROPS:
        light = in_planes(image[middle(*crop)], optics, iterations)
        inside = light[BESIDE:-BESIDE].sum() / truth[middle(*crop)].sum()
        within.append(f"{inside:.3f}")
        around.append(f"{light.sum() / truth[middle(*crop, BESIDE)].sum():.3f}")
    return [within, around]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--thin", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    count, ends = options.iterations, (APERTURES[0], APERTURES[-1])
    if options.thin:
        name, crops, second = "thin flux", THIN_CROPS, "light"
        rows = [line for aperture in ends for line in thin_rows(aperture, count)]
    else:
        name, crops, second = "flux", CROPS, "spot"
        rows = [row(a, length, count) for length in LENGTHS for a in APERTURES]
    names = " | ".join(f"{planes} × {side}²" for planes, side in crops)
    if options.write:
        write_table("classical.md", name, f"| NA | {second} | {names} |", rows)
    else:
        print(names, *map(" | ".join, rows), sep="\n")


if __name__ == "__main__":
    main()
