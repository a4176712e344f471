"""What is found in the images before a training without sharp ones, against the truth.

    python -m benchmarks.claims.settling [--structures S ...] [--photons P ...]
        [--seed N] [--na-error E ...] [--write]

One stack of 48 x 96 x 96 a row, as in self_supervised.py: its offset is 100. "First" is
the background as it is measured without a blur, "settled" the one with which half of
the photons predict the other half best. The width of the PSF is left as it is given,
see widths.py. The misfit is what the PSF does not explain, in units of the noise; the
grain is the standard deviation, in voxels, of the Gaussians that the estimate is made
of. "Start" is what the training starts from: Richardson-Lucy with what was found;
"best" knows the offset and the best of its numbers of iterations, without a grain.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks.claims.self_supervised import (
    NA,
    OFFSET,
    READ_NOISE,
    VOXELS,
    fitted,
    psf,
    richardson_lucy,
    stacks,
)
from benchmarks.helpers.drawings import STRUCTURES
from benchmarks.helpers.tables import write_table
from napari_blurgan import preset
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.settling import settled
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site


def row(structure: str, photons: float, seed: int, na_error: float) -> tuple[str, ...]:
    (stack, truth), *_ = stacks(structure, photons, seed)
    recipe = preset("self-supervised").updated({"forward.tolerance": 0.0})
    kernel = psf(NA * (1 - na_error))
    blur = BlurKernel(FixedKernel(kernel.data))
    first = calibrate(recipe, [stack], [])
    site = settled(Site(recipe, [stack], [], VOXELS, first, forward=blur))
    found = site.calibration.y.offset
    refining = site.recipe.reconstructor
    iterations, grain = refining.estimate_iterations, refining.estimate_grain
    image = torch.from_numpy(np.asarray(stack.data) - np.float32(found))[None, None]
    blur = site.forward.blur
    estimator = Estimator(iterations, READ_NOISE**2, grain=grain)
    start = estimator(image, blur)[0, 0].numpy()
    best = richardson_lucy([(stack, truth)], kernel)
    return (
        *(structure, f"{photons:g}", f"{na_error:g}"),
        *(f"{first.y.offset - OFFSET:+.1f}", f"{found - OFFSET:+.1f}"),
        *(f"{site.misfit:.2g}", f"{grain:.2f}", str(iterations)),
        *(f"{best:.2f}", f"{fitted(start, truth):.2f}"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=list(STRUCTURES), choices=STRUCTURES)
    add("--photons", nargs="+", type=float, default=[120.0, 2000.0])
    add("--seed", type=int, default=4)
    add("--na-error", nargs="+", type=float, default=[0.0, 0.1])
    add("--write", action="store_true", help="into docs/no-sharp-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for error in options.na_error:
        for structure in options.structures:
            for photons in options.photons:
                cell = (structure, photons, options.seed, error)
                rows.append(row(*cell))
                print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        header = (
            "| structure | photons | NA too small by | background, first "
            "| background, settled | misfit | grain | iterations | RL, best | start |"
        )
        write_table("no-sharp-data.md", "settling", header, rows)


if __name__ == "__main__":
    main()
