"""DivNoising against denoisers with one answer, and whether its spread is right.

    python -m benchmarks.claims.divnoising [--kinds KIND ...] [--seeds N ...]
        [--steps N] [--draws N] [--write]

The phantoms of denoising.py: 32 images of 64 x 64 pixels, 30 photons at the brightest.
"One pass" is what restoring gives without `--samples`, "mean" that of all draws.
"Within two deviations" is the share of the pixels whose truth is that near to the mean;
of a normal distribution it would be 95 %. noise2noise has two exposures of each field,
the others one. `--write` makes the table and the figure of docs/trust.md of this run.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.denoising_data import (
    PHANTOMS,
    Image,
    Pictures,
    exposed,
    phantoms,
    psnr,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan import Model, Stack, preset, restore, train

IMAGES = Path(__file__).parents[2] / "docs/images"
COUNT = 32
HEADER = (
    "| phantoms | seed | noisy | noise2void | noise2noise | one pass | one draw | mean "
    "| mode | within two deviations | CPU minutes | draws per second |"
)


def trained(name: str, steps: int, seed: int, *images: Image) -> Model:
    recipe = preset(name).updated({"precision": "float32", "steps": steps})
    stacks = [Stack(image, "TYX", name=name) for image in images]
    return train(recipe, *stacks, device="cpu", seed=seed, progress=lambda event: None)


def restored(model: Model, image: Image, **draws: Any) -> Image:
    stack = Stack(image, "TYX", name="noisy")
    how = {"precision": "float32", "device": "cpu", **draws}
    return np.asarray(restore(model, stack, **how).data)


def row(kind: str, seed: int, options: argparse.Namespace) -> tuple[str, ...]:
    clean = phantoms(kind, COUNT, seed)
    pictures, second = exposed(clean, seed), exposed(clean, seed + 100).noisy
    noisy = pictures.noisy
    rivals = (
        restored(trained("noise2void", options.steps, seed, noisy), noisy),
        restored(trained("noise2noise", options.steps, seed, noisy, second), noisy),
    )
    start = time.process_time()
    model = trained("divnoising", options.steps, seed, noisy)
    minutes = (time.process_time() - start) / 60
    once = restored(model, noisy)
    start = time.process_time()
    outputs = ["mean", "sd", "mode"]
    mean, sd, mode = restored(model, noisy, samples=options.draws, outputs=outputs)
    rate = COUNT * options.draws / (time.process_time() - start)
    one, other = restored(model, noisy, samples=2, outputs=["samples"])
    if options.write and (kind, seed) == (options.kinds[0], options.seeds[0]):
        draw(pictures, one, other, mean, sd)
    within = (np.abs(pictures.truth - mean) < 2 * sd).mean()
    scores = (
        psnr(image, pictures) for image in (noisy, *rivals, once, one, mean, mode)
    )
    return (
        *(kind, str(seed), *(f"{score:.1f}" for score in scores)),
        *(f"{within:.1%}", f"{minutes:.1f}", f"{rate:.0f}"),
    )


def draw(pictures: Pictures, one: Image, other: Image, mean: Image, sd: Image) -> None:
    """Show the image whose two draws differ most, beside each other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    n = int(np.square(one - other).mean((1, 2)).argmax())
    shown = {
        "noisy": pictures.noisy,
        "draw 1": one,
        "draw 2": other,
        "mean of 100 draws": mean,
        "truth": pictures.truth,
        "standard deviation": sd,
    }
    figure, axes = pyplot.subplots(1, len(shown), figsize=(12, 2.4))
    low, high = np.percentile(pictures.truth[n], (1, 99.9))
    for axis, (name, images) in zip(axes, shown.items(), strict=True):
        spread = name == "standard deviation"
        limits = (0, sd[n].max()) if spread else (low, high)
        axis.imshow(images[n], cmap="gray", vmin=limits[0], vmax=limits[1])
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(IMAGES / "divnoising.png", dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--kinds", nargs="+", default=["membranes", "nuclei"], choices=PHANTOMS)
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=int, default=2500)
    add("--draws", type=int, default=100)
    add("--write", action="store_true", help="into docs/trust.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for kind in options.kinds:
        for seed in options.seeds:
            rows.append(row(kind, seed, options))
            print(*rows[-1], sep=" | ", flush=True)
    if options.write:
        write_table("trust.md", "divnoising", HEADER, rows)


if __name__ == "__main__":
    main()
