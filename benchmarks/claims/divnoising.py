"""DivNoising against denoisers with one answer, and whether its spread is right.

    python -m benchmarks.claims.divnoising [--kinds KIND ...] [--seeds N ...]
        [--steps N] [--draws N] [--only NAME ...] [--set KEY=VALUE ...] [--write]

The phantoms of denoising.py: 32 images of 64 x 64 pixels, 30 photons at the brightest.
"One pass" is what restoring gives without `--samples`, "mean" that of all draws.
"Within two deviations" is the share of the pixels whose truth is that near to the mean;
of a normal distribution it would be 95 %. noise2noise has two exposures of each field,
the others one.

Each training adds to benchmarks/results/divnoising.json; `--only` trains some, and the
others are as they are there. With `--set`, `divnoising` has other settings, and nothing
is kept. `--write` makes the table of docs/trust.md of all that is
there, and the figure of the first row of this run.
"""

from __future__ import annotations

import argparse
import json
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
RESULTS = Path(__file__).parents[1] / "results/divnoising.json"
COUNT = 32
RIVALS = ("noise2void", "noise2noise")
METHODS = (*RIVALS, "divnoising")
Figures = dict[str, float]
HEADER = (
    "| phantoms | seed | steps | noisy | noise2void | noise2noise | one pass "
    "| one draw | mean | mode | within two deviations | CPU minutes "
    "| draws per second |"
)


def trained(name: str, steps: int, seed: int, *images: Image, **changes: Any) -> Model:
    settings = {"precision": "float32", "steps": steps} | changes
    recipe = preset(name).updated(settings)
    stacks = [Stack(image, "TYX", name=name) for image in images]
    return train(recipe, *stacks, device="cpu", seed=seed, progress=lambda event: None)


def restored(model: Model, image: Image, **draws: Any) -> Image:
    stack = Stack(image, "TYX", name="noisy")
    how = {"precision": "float32", "device": "cpu", **draws}
    return np.asarray(restore(model, stack, **how).data)


def rival(name: str, kind: str, seed: int, steps: int) -> Figures:
    """Train a method with one answer; return decibels."""
    pictures = exposed(phantoms(kind, COUNT, seed), seed)
    images = [pictures.noisy]
    if name == "noise2noise":
        images.append(exposed(phantoms(kind, COUNT, seed), seed + 100).noisy)
    made = restored(trained(name, steps, seed, *images), pictures.noisy)
    return {name: psnr(made, pictures)}


def divnoising(
    kind: str, seed: int, options: argparse.Namespace, drawn: bool
) -> Figures:
    """Train DivNoising; return decibels, shares and times."""
    pictures = exposed(phantoms(kind, COUNT, seed), seed)
    noisy = pictures.noisy
    start = time.process_time()
    changes = dict(pair.split("=", 1) for pair in options.set)
    model = trained("divnoising", options.steps, seed, noisy, **changes)
    minutes = (time.process_time() - start) / 60
    once = restored(model, noisy)
    start = time.process_time()
    outputs = ["mean", "sd", "mode"]
    mean, sd, mode = restored(model, noisy, samples=options.draws, outputs=outputs)
    rate = COUNT * options.draws / (time.process_time() - start)
    one, other = restored(model, noisy, samples=2, outputs=["samples"])
    if drawn:
        draw(pictures, one, other, mean, sd)
    named = {"noisy": noisy, "once": once, "one": one, "mean": mean, "mode": mode}
    return {
        **{name: psnr(image, pictures) for name, image in named.items()},
        "within": float((np.abs(pictures.truth - mean) < 2 * sd).mean()),
        "minutes": minutes,
        "steps": options.steps,
        "rate": rate,
    }


def row(name: str, found: Figures) -> tuple[str, ...]:
    """Return a row of the table."""
    names = ("noisy", *RIVALS, "once", "one", "mean", "mode")
    scores = (f"{found[n]:.1f}" if n in found else "" for n in names)
    times = (f"{found['minutes']:.1f}", f"{found['rate']:.0f}")
    steps = f"{found['steps']:.0f}"
    return *name.split("/"), steps, *scores, f"{found['within']:.1%}", *times


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
    add("--only", nargs="*", default=list(METHODS), choices=METHODS)
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of divnoising")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    first = f"{options.kinds[0]}/{options.seeds[0]}"
    for name in [f"{kind}/{seed}" for kind in options.kinds for seed in options.seeds]:
        kind, seed = name.split("/")
        found = known.setdefault(name, {})
        for method in options.only:
            if method in RIVALS:
                found |= rival(method, kind, int(seed), options.steps)
            else:
                drawn = options.write and name == first
                found |= divnoising(kind, int(seed), options, drawn)
            print(name, method, found, flush=True)
            if options.set:
                continue
            RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    if options.write and not options.set:
        rows = [row(n, f) for n, f in sorted(known.items()) if "mean" in f]
        write_table("trust.md", "divnoising", HEADER, rows)


if __name__ == "__main__":
    main()
