"""Deconvolution without sharp images against Richardson-Lucy, on simulations.

    python -m benchmarks.claims.self_supervised [--structures S ...] [--photons P ...]
        [--seeds N ...] [--steps N] [--na-error E] [--write]

Two stacks of 48 x 96 x 96 are restored by what the preset `self-supervised` learns
from them alone. "RL, best" is stopped where the truth says it is best, up to 130
accelerated iterations, with the true offset and noise, which no other row is given.
Fitted PSNR, mean of the two stacks; minutes are those of one CPU core.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics, Psf, Stack, Trainer, preset, restore
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.monitoring.events import Finished
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import gibson_lanni
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur

SHAPE, VOXELS, TAPS = (48, 96, 96), (0.16, 0.08, 0.08), (31, 31, 31)
NA, READ_NOISE, OFFSET = 1.3, 3.0, 100.0
STRUCTURES = {
    "filaments": ("microtubules", {"density": 0.4}),
    "shells": ("vesicles", {}),
    "sheets": ("membranes", {}),
    "nuclei": ("nuclei", {"diameter": 3.0}),
}
TRIED = (10, 15, 20, 30, 40, 50, 60, 80, 100, 130)


def psf(na: float) -> Psf:
    return gibson_lanni(Optics(na, 1.515, 525.0), TAPS, VOXELS)


def stacks(structure: str, photons: float, seed: int) -> list[tuple[Stack, np.ndarray]]:
    """Return two measured stacks and their truths, in electrons."""
    kind, options = STRUCTURES[structure]
    made = []
    for n in (10 * seed, 10 * seed + 1):
        truth = phantom(kind, SHAPE, VOXELS, n, **options).astype(np.float32)
        image = blur(truth, psf(NA).data)
        scale = photons / float(np.percentile(image, 99.95))
        camera = Camera(photons=scale, read_noise=READ_NOISE, gain=1.0, offset=OFFSET)
        measured = camera.expose(image, n + 7).astype(np.float32)
        made.append((Stack(measured, "ZYX", VOXELS, name=f"{structure} {n}"), truth))
    return made


def sharp_set(structure: str, seed: int) -> list[Stack]:
    """Return two true images of the same kind, of other objects."""
    kind, options = STRUCTURES[structure]
    seeds = (1000 + 10 * seed, 1001 + 10 * seed)
    made = [phantom(kind, SHAPE, VOXELS, n, **options) for n in seeds]
    return [Stack(m.astype(np.float32), "ZYX", VOXELS) for m in made]


def fitted(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the PSNR after a least-squares fit of gain and offset."""
    a, b = (v.astype(np.float64) - v.mean(dtype=np.float64) for v in (image, truth))
    gain = max(float((a * b).sum() / (a * a).sum()), 0.0)
    error = np.square(gain * a - b).mean()
    return float(10 * np.log10(np.ptp(truth.astype(np.float64)) ** 2 / error))


def richardson_lucy(data: list[tuple[Stack, np.ndarray]], kernel: Psf) -> float:
    """Return the PSNR of the best number of iterations."""
    h = BlurKernel(FixedKernel(kernel.data))
    scores = []
    for stack, truth in data:
        image = torch.from_numpy(np.asarray(stack.data) - np.float32(OFFSET))
        image = image[None, None]
        row = [
            fitted(Estimator(k, READ_NOISE**2)(image, h)[0, 0].numpy(), truth)
            for k in TRIED
        ]
        scores.append(row)
    return float(np.max(np.mean(scores, axis=0)))


def row(
    structure: str, photons: float, seed: int, options: argparse.Namespace
) -> tuple:
    data = stacks(structure, photons, seed)
    kernel = psf(NA * (1 - options.na_error))
    changes = dict(pair.split("=", 1) for pair in options.set)
    recipe = preset(options.preset).updated(
        changes | {"steps": options.steps, "seed": seed}
    )
    start = time.process_time()
    sharp = sharp_set(structure, seed) if recipe.source.domains > 1 else []
    trainer = Trainer(recipe, [s for s, _ in data], sharp, psf=kernel, device="cpu")
    *_, last = trainer
    minutes = (time.process_time() - start) / 60
    assert isinstance(last, Finished)
    made = [fitted(np.asarray(restore(last.model, s).data), t) for s, t in data]
    best = richardson_lucy(data, kernel)
    unseen = last.model.provenance.get("unseen", {"error": 1.0, "of_estimate": 1.0})
    gain = 1 - unseen["error"] / unseen["of_estimate"]
    iterations = last.model.recipe.reconstructor.iterations
    return (
        *(structure, f"{photons:g}", seed, f"{best:.2f}", iterations),
        *(f"{np.mean(made):.2f}", f"{np.mean(made) - best:+.2f}"),
        *(f"{gain:.2%}", f"{minutes:.1f}"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=["filaments", "shells"], choices=STRUCTURES)
    add("--photons", nargs="+", type=float, default=[120.0])
    add("--seeds", nargs="+", type=int, default=[0])
    add("--steps", type=int, default=600)
    add("--preset", default="self-supervised", help="others get a true sharp set")
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the recipe")
    add(
        "--na-error", type=float, default=0.0, help="share by which the NA is too small"
    )
    add("--write", action="store_true", help="into docs/no-sharp-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for structure in options.structures:
        for photons in options.photons:
            for seed in options.seeds:
                rows.append(row(structure, photons, seed, options))
                print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        header = (
            "| structure | photons | seed | RL, best | iterations | self-supervised "
            "| dB more | unseen photons | CPU minutes |"
        )
        write_table("no-sharp-data.md", "self-supervised", header, rows)


if __name__ == "__main__":
    main()
