"""Blind training where nothing was tuned: other structures, optics, voxels and noise.

The sets are those of ``spectral.py``: the blur comes from another code (`psf`, a
vectorial model, NA 1.3, 525 nm, voxels of 150 x 80 x 80 nm), the noise from a camera
with photons, read noise and an offset. The training is not given the optics.

    python -m benchmarks.claims.elsewhere [--steps 500] [--seeds 0 1]

Needs the dependency group `oracles`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.claims.spectral import (
    FIELD,
    IMAGES,
    OFFSET,
    SHAPE,
    VOXEL,
    blurred_set,
    errors,
    sharp_set,
    truth,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.data.stack import Stack
from napari_blurgan.measure.fidelity import compare
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import KernelUpdated, Warned
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import margin_for
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer

STRUCTURES = ("microtubules", "vesicles", "membranes")


def stacks(images: list[np.ndarray], name: str) -> list[Stack]:
    return [Stack(i, "ZYX", VOXEL, name=f"{name}{n}") for n, i in enumerate(images)]


def figures(psf: Psf) -> list[str]:
    ncc, z, xy = errors(psf.cropped(SHAPE).padded(SHAPE))
    return [f"{ncc:.4f}", f"{z:+.1%}", f"{xy:+.1%}"]


def measure(structure: str, seed: int, steps: int) -> list[str]:
    """Train on all volumes but the last, which is restored and compared."""
    *blurred, last = stacks(blurred_set(structure, seed), "y")
    sharp = stacks(sharp_set(structure, seed), "x")
    start, codes = None, []
    trainer = Trainer(preset("blind"), blurred, sharp, steps=steps, seed=seed)
    for event in trainer:
        if isinstance(event, KernelUpdated) and start is None:
            start = event.psf
        if isinstance(event, Warned):
            codes.append(event.code)
    model = trainer.model()
    assert start is not None
    assert model.psf is not None
    return [
        structure,
        str(seed),
        *figures(start),
        *figures(model.psf),
        *images(structure, seed, last, np.asarray(restore(model, last).data)),
        ", ".join(codes) or "–",
    ]


def images(structure: str, seed: int, y: Stack, made: np.ndarray) -> Iterator[str]:
    """Yield the fitted PSNR of the input, of Richardson-Lucy, and of what was made."""
    margin = margin_for(truth().data)
    shape = [n + 2 * m for n, m in zip(FIELD, margin, strict=True)]
    inside = tuple(slice(m, m + n) for n, m in zip(FIELD, margin, strict=True))
    sharp = phantom(structure, shape, VOXEL, 1000 * seed + IMAGES - 1)[inside]
    plain = np.asarray(y.data) - OFFSET
    rl = deconvolve(plain.clip(0), truth(), "rl", iterations=60).image
    for image in (plain, rl, made):
        yield f"{compare(image, sharp, data_range=1.0).psnr_fitted:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for structure in STRUCTURES:
        for seed in options.seeds:
            rows.append(measure(structure, seed, options.steps))
            print(*rows[-1], sep=" | ", flush=True)
    write_table(
        "benchmarks.md",
        "elsewhere",
        "| structure | seed | NCC at the start | ΔFWHM z | ΔFWHM xy | NCC | ΔFWHM z "
        "| ΔFWHM xy | input, dB | RL, true PSF, 60, dB | blind, dB | reported |",
        rows,
    )


if __name__ == "__main__":
    main()
