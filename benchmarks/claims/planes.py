"""The thickness of the sample around one widefield plane: found, and worth what.

    python -m benchmarks.claims.planes [--seeds N ...] [--write]

Planes of phantoms of known thickness, at few and at many photons. The thickness is that
which the preset `self-supervised` finds before it trains, from the optics alone. Both
figures are correlations of Richardson-Lucy with the object in the plane, at the best
number of iterations, with the PSF in focus and with that of the thickness found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.signal import fftconvolve

from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics, Psf, Stack, preset
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optimisation.prepared import prepare
from napari_blurgan.preparation.site import Known

OPTICS, VOXEL = Optics(1.3, 1.515, 525), (0.1, 0.08, 0.08)
STRUCTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "filaments": ("microtubules", {"density": 0.4}),
    "shells": ("vesicles", {}),
    "nuclei": ("nuclei", {"diameter": 3.0}),
    "sheets": ("membranes", {}),
}
DEPTH, SIDE = 61, 256
THICKNESSES = (0.1, 1.0, 3.0, 6.0)
PHOTONS = (60, 600)
TRIED = (5, 10, 20, 40)
BORDER = 12


def planes(structure: str, seed: int) -> Iterator[tuple[float, int, Stack, np.ndarray]]:
    """Yield thickness, photons, a measured plane, and the object in it."""
    kind, options = STRUCTURES[structure]
    sample = phantom(kind, (DEPTH, SIDE, SIDE), VOXEL, seed, **options)
    light = theoretical_psf(OPTICS, (DEPTH, 101, 101), VOXEL).data[::-1]
    middle = DEPTH // 2
    for thickness in THICKNESSES:
        away = int(thickness / 2 / VOXEL[0] + 1e-6)
        around = range(middle - away, middle + away + 1)
        seen = sum(fftconvolve(sample[k], light[k], "same") for k in around)
        seen = np.clip(seen, 0, None)
        for photons in PHOTONS:
            camera = Camera(
                photons / float(np.percentile(seen, 99.9)), read_noise=3.0, offset=100.0
            )
            image = camera.expose(seen, seed + 5).astype(np.float32)
            stack = Stack(image, "YX", (None, *VOXEL[1:]), structure)
            yield thickness, photons, stack, sample[middle]


def found(stack: Stack) -> tuple[float, float, float]:
    """Return the thickness found, the offset and the pedestal of the read noise."""
    recipe = preset("self-supervised").updated({"dims": 2})
    prepared = prepare(recipe, [stack], [], Known(optics=OPTICS))
    levels = prepared.site.calibration
    pedestal = levels.noise.pedestal * levels.y.scale
    return levels.thickness or 0.0, levels.y.offset, pedestal


def best(
    stack: Stack, truth: np.ndarray, psf: Psf, levels: tuple[float, float]
) -> float:
    """Return the correlation of Richardson-Lucy at the best number of iterations."""
    offset, pedestal = levels
    blur = BlurKernel(FixedKernel(psf.data), dims=2)
    image = torch.from_numpy(np.asarray(stack.data) - np.float32(offset))[None, None]
    inner = (slice(BORDER, -BORDER),) * 2
    made = (Estimator(k, pedestal)(image, blur)[0, -1].numpy() for k in TRIED)
    return max(correlation(m[inner], truth[inner]) for m in made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--write", action="store_true", help="docs/no-sharp-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    deep = theoretical_psf(OPTICS, (DEPTH, 101, 101), VOXEL)
    rows = []
    for seed in options.seeds:
        for structure in STRUCTURES:
            for thickness, photons, stack, truth in planes(structure, seed):
                guessed, *levels = found(stack)
                psfs = (deep.projected(0.0), deep.projected(guessed))
                pair = (best(stack, truth, psf, (levels[0], levels[1])) for psf in psfs)
                figures = (f"{thickness:g}", f"{guessed:.1f}")
                scores = (f"{score:.3f}" for score in pair)
                row = (structure, str(photons), str(seed), *figures, *scores)
                print(*row, sep=" | ", flush=True)
                rows.append(row)
    if options.write:
        header = (
            "| structure | photons | seed | thickness, µm | found, µm "
            "| RL, PSF in focus | RL, thickness found |"
        )
        write_table("no-sharp-data.md", "planes", header, rows)


if __name__ == "__main__":
    main()
