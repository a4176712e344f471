"""Restoring all photons at once, against the mean over restorations of parts of them.

    python -m benchmarks.claims.averages [--structures S ...] [--photons P ...]
        [--seed N] [--number N] [--write]

Two stacks a row, as in self_supervised.py, restored by what `self-supervised` learned
of them: as they are; as the mean over random halves of their photons and what remains
of each; as the mean over random nine tenths; and as the mean over the four reflections
in the plane. Fitted PSNR. Rows are kept in benchmarks/results/averages.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.claims.self_supervised import DRAWN, NA, fitted, psf, stacks
from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from napari_blurgan import Model, Stack, preset, restore, train
from napari_blurgan.preparation.photons import split_photons

FOUND = RESULTS / "averages.json"
HEADER = (
    "| structure | photons | seed | all photons | halves | nine tenths | reflected |"
)
TENTHS = 0.9


def restored(model: Model, stack: Stack, image: np.ndarray) -> np.ndarray:
    return np.asarray(restore(model, stack.with_data(np.ascontiguousarray(image))).data)


def halves(model: Model, stack: Stack, number: int) -> np.ndarray:
    """Return the mean over random halves, and over what remains of each."""
    parts = [part for pair in _split(model, stack, 0.5, number) for part in pair]
    return np.mean([restored(model, stack, part) for part in parts], axis=0)


def tenths(model: Model, stack: Stack, number: int) -> np.ndarray:
    """Return the mean over random nine tenths of the photons."""
    parts = [most for most, _ in _split(model, stack, TENTHS, number)]
    return np.mean([restored(model, stack, part) for part in parts], axis=0)


def reflected(model: Model, stack: Stack) -> np.ndarray:
    """Return the mean over both reflections in the plane, and over both at once."""
    image, made = np.asarray(stack.data), []
    for step in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        turned = (slice(None), *(slice(None, None, s) for s in step))
        made.append(restored(model, stack, image[turned])[turned])
    return np.mean(made, axis=0)


def _split(
    model: Model, stack: Stack, share: float, number: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    levels, rng = model.calibration.y, np.random.default_rng(0)
    image = torch.from_numpy(levels.apply(np.asarray(stack.data)))[None, None]
    for _ in range(number):
        parts = split_photons(image, model.calibration.noise, share, rng)
        one, other = (levels.scale * p[0, 0].numpy() + levels.offset for p in parts)
        yield one.astype(np.float32), other.astype(np.float32)


def row(structure: str, photons: float, seed: int, number: int) -> list[str]:
    """Train on one draw; return the PSNR of each kind of mean."""
    data = stacks(structure, photons, seed)
    images = [stack for stack, _ in data]
    recipe = preset("self-supervised").updated({"seed": seed})
    model = train(recipe, images, psf=psf(NA), device="cpu")
    scores = [
        [
            fitted(image, truth)
            for image in (
                restored(model, stack, np.asarray(stack.data)),
                halves(model, stack, number),
                tenths(model, stack, number),
                reflected(model, stack),
            )
        ]
        for stack, truth in data
    ]
    means = (f"{score:.2f}" for score in np.mean(scores, axis=0))
    return [structure, f"{photons:g}", str(seed), *means]


def kept() -> dict[str, list[str]]:
    """Return the rows that have been measured, by their cells."""
    return json.loads(FOUND.read_text()) if FOUND.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="*", default=["shells", "filaments"], choices=DRAWN)
    add("--photons", nargs="+", type=float, default=[10.0])
    add("--seed", type=int, default=4)
    add("--number", type=int, default=8, help="of the parts that are drawn")
    add("--write", action="store_true", help="into docs/decisions/0009-bootstrap.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for structure in options.structures:
        for photons in options.photons:
            found = row(structure, photons, options.seed, options.number)
            rows = kept() | {" ".join(found[:3]): found}
            FOUND.write_text(json.dumps(rows, indent=1) + "\n")
            print(*found, sep=" | ", flush=True)
    if options.write:
        write_table("decisions/0009-bootstrap.md", "averages", HEADER, kept().values())


if __name__ == "__main__":
    main()
