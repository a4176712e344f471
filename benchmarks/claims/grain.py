"""Richardson-Lucy with an object made of grains, against single voxels.

    python -m benchmarks.claims.grain [--structures S ...] [--photons P ...]
        [--seed N] [--write]

One stack of 48 x 96 x 96 a row, as in self_supervised.py, with the true PSF, offset and
noise. For each grain the truth chooses the best number of iterations: what is shown is
what Richardson-Lucy can do at best; beside it is what held-out photons choose. Nothing
was chosen with meshwork, rings, walls and clouds.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks.claims.self_supervised import (
    NA,
    OFFSET,
    READ_NOISE,
    SHAPE,
    VOXELS,
    exposed,
    fitted,
    psf,
    stacks,
)
from benchmarks.helpers.drawings import PROOF, STRUCTURES
from benchmarks.helpers.tables import write_table
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.grain import best_grain
from napari_blurgan.heldout.iterations import best_iterations
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.calibration import NoiseModel

GRAINS = (0.0, 0.45, 0.67, 1.0, 1.5)
NOISE = NoiseModel(1.0, READ_NOISE**2)
TRIED = ((130, 4), (90, 3))
"""The largest numbers of iterations, and how often each is halved."""


def scores(
    y: torch.Tensor, blur: BlurKernel, truth: np.ndarray, grain: float
) -> list[float]:
    """Return the fitted PSNR after 16 to 130 iterations."""
    found = [Estimator(n, NOISE.pedestal, d, grain)(y, blur)[0] for n, d in TRIED]
    return [fitted(image.numpy(), truth) for image in torch.cat(found)]


def chosen(
    y: torch.Tensor, blur: BlurKernel, truth: np.ndarray, grain: float
) -> tuple[float, int]:
    """Return the fitted PSNR after the iterations that photons choose."""
    number = best_iterations([y[0, 0].numpy()], blur, NOISE, grain)
    image = Estimator(number, NOISE.pedestal, grain=grain)(y, blur)
    return fitted(image[0, 0].numpy(), truth), number


def one(structure: str, photons: float, seed: int) -> tuple[Stack, np.ndarray]:
    """Return a measured stack and its truth."""
    if structure in STRUCTURES:
        return stacks(structure, photons, seed)[0]
    truth = PROOF[structure](SHAPE, VOXELS, seed)
    return exposed(truth, photons, seed, structure), truth


def row(structure: str, photons: float, seed: int) -> list[str]:
    """Return the best of each grain, and what held-out photons choose."""
    stack, truth = one(structure, photons, seed)
    blur = BlurKernel(FixedKernel(psf(NA).data))
    region = np.asarray(stack.data) - np.float32(OFFSET)
    y = torch.from_numpy(region)[None, None]
    best = [max(scores(y, blur, truth, grain)) for grain in GRAINS]
    grain = best_grain(region, blur, NOISE)
    ends = (chosen(y, blur, truth, g) for g in (0.0, grain))
    plain, grainy = (f"{value:.2f} after {number}" for value, number in ends)
    bests = (f"{value:.2f}" for value in best)
    return [structure, f"{photons:g}", *bests, plain, f"{grain:.2f}", grainy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    every = (*STRUCTURES, *PROOF)
    add("--structures", nargs="+", default=list(STRUCTURES), choices=every)
    add("--photons", nargs="+", type=float, default=[10.0, 120.0])
    add("--seed", type=int, default=8)
    add("--write", action="store_true", help="into docs/decisions/0008-grain.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for structure in options.structures:
        for photons in options.photons:
            rows.append(row(structure, photons, options.seed))
            print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        grains = " | ".join(f"best, grain {grain:g}" for grain in GRAINS)
        header = (
            f"| structure | photons | {grains} "
            "| photons choose, no grain | grain | photons choose |"
        )
        write_table("decisions/0008-grain.md", "grain", header, rows)


if __name__ == "__main__":
    main()
