"""Denoising without clean images: presets against filters, on phantoms and real images.

    python -m benchmarks.claims.denoising [--only ROW ...] [--kinds KIND ...]
        [--seeds N ...] [--steps N] [--draws N] [--data FOLDER] [--sets NAME ...]
        [--write]

Each run adds to benchmarks/results/denoising.json; `--write` makes the tables of
docs/denoising.md of all that is there. Two results are drawn as they are made.
Decibels are of the images as they come out, without a fit. The images that are restored
are those that were trained on, as users do. Filters are as strong as the truth says is
best, which users do not know.

Rows of phantoms: `noise2noise`, `noise2self`, `noise2void`; `divnoising`, the mean of
its draws; `supervised`, whose targets are noisy; `naive`, a network taught to reproduce
its own input; `striped` and `struct`, noise2void without and with a mask along the row,
of images with noise along rows. Of real images there is no second exposure: noise2noise
as `photons` splits the light of each, and as `frames` predicts the next even plane.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.denoising_data import (
    PHANTOMS,
    Image,
    Pictures,
    alternation,
    best_gaussian,
    best_non_local_means,
    exposed,
    phantoms,
    psnr,
    real_images,
    striped,
)
from benchmarks.helpers.denoising_report import draw, report
from napari_blurgan import Stack, preset, restore, train
from napari_blurgan.methods.parts import DISTRIBUTION

RESULTS = Path(__file__).parents[1] / "results/denoising.json"
COUNT = 32
"""Images of a set of phantoms."""

SHOWN = {
    "microtubules/noise2self/0": "denoising-phantoms.png",
    "FMD, stain 1/noise2self/0": "denoising-real.png",
}
"""Which results are drawn, into docs/images."""

Restored = tuple[Pictures, Image]
Trained = Callable[[], Restored]


@dataclass(frozen=True)
class Row:
    """A training.

    Parameters
    ----------
    preset : str
        Its recipe.
    second : {"none", "exposure", "same", "next"}
        What is given as the second set; with "next" none, and planes predict the next.
    rows : bool
        Whether there is noise along rows.
    changes : dict, optional
        Of the recipe.
    """

    preset: str
    second: str = "none"
    rows: bool = False
    changes: dict[str, Any] | None = None


ROWS = {
    "noise2noise": Row("noise2noise", "exposure"),
    "noise2self": Row("noise2self"),
    "noise2void": Row("noise2void"),
    "divnoising": Row("divnoising"),
    "photons": Row("noise2noise", changes={"source.second": "photons"}),
    "frames": Row("noise2noise", "next"),
    "supervised": Row("supervised", "exposure"),
    "naive": Row("noise2noise", "same"),
    "striped": Row("noise2void", rows=True),
    "struct": Row("noise2void", rows=True, changes={"terms.masked.line": "x"}),
}


def steps_of(row: Row, steps: int | None) -> int:
    """Return the steps that are asked for, or those of the preset."""
    return steps or preset(row.preset).steps


def learned(row: Row, noisy: Image, second: Image | None, options: Any) -> Image:
    """Train on images, (n, y, x), and restore them."""
    y = Stack(noisy, "TYX", name="noisy")
    x = None if second is None else Stack(second, "TYX", name="second")
    steps = steps_of(row, options.steps)
    changes = {"precision": "float32", "steps": steps, **(row.changes or {})}
    recipe = preset(row.preset).updated(changes)
    if recipe.dims == 3:
        recipe = recipe.updated({"dims": 2})
    model = train(recipe, y, x, device="cpu", seed=options.seed)
    many = {"samples": options.draws, "outputs": ["mean"]}
    how = many if DISTRIBUTION in recipe.offers else {}
    made = restore(model, y, precision="float32", **how)
    return np.asarray(made.data).reshape(noisy.shape)


def on_phantoms(name: str, kind: str, options: Any) -> Restored:
    """Train on one set of phantoms, and restore it."""
    row, seed = ROWS[name], options.seed
    clean = phantoms(kind, COUNT, seed)
    pictures = exposed(clean, seed)
    second = {
        "none": None,
        "exposure": exposed(clean, seed + 100).noisy,
        "same": pictures.noisy,
    }[row.second]
    if row.rows:
        pictures = striped(pictures, seed)
    return pictures, learned(row, pictures.noisy, second, options)


def on_real(name: str, pictures: Pictures, options: Any) -> Restored:
    """Train on one real data set, and restore it."""
    return pictures, learned(ROWS[name], pictures.noisy, None, options)


def figures(name: str, trained: Trained) -> dict[str, float]:
    """Train; return decibels and minutes, and draw what is to be shown."""
    start = time.process_time()
    pictures, made = trained()
    minutes = (time.process_time() - start) / 60
    gaussian, smooth = best_gaussian(pictures)
    nlm, alike = best_non_local_means(pictures)
    if name in SHOWN:
        filtered = {"best Gaussian": smooth, "best non-local means": alike}
        draw(pictures, filtered | {name.split("/")[1]: made}, SHOWN[name])
    return {
        "noisy": psnr(pictures.noisy, pictures),
        "gaussian": gaussian,
        "nlm": nlm,
        "learned": psnr(made, pictures),
        "alternation": alternation(made) / alternation(pictures.truth),
        "minutes": minutes,
    }


def jobs(options: argparse.Namespace) -> Iterator[tuple[str, Trained]]:
    """Yield the name of each training that is asked for, and what does it."""
    real = dict(real_images(options.data)) if options.data else {}
    chosen = {n: p for n, p in real.items() if n in (options.sets or real)}
    for seed in options.seeds:
        one = argparse.Namespace(steps=options.steps, draws=options.draws, seed=seed)
        for row in options.only:
            for kind in options.kinds if ROWS[row].second != "next" else ():
                yield (
                    f"{kind}/{row}/{seed}",
                    lambda r=row, k=kind, o=one: on_phantoms(r, k, o),
                )
            for name, pictures in chosen.items():
                if suits(ROWS[row], pictures):
                    yield (
                        f"{name}/{row}/{seed}",
                        lambda r=row, p=pictures, o=one: on_real(r, p, o),
                    )


def suits(row: Row, pictures: Pictures) -> bool:
    """Return whether a row can be trained on real images."""
    planes = len(pictures.noisy)
    return not row.rows and row.second in ("none", "next" if planes > 1 else "none")


def main() -> None:
    """Train, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="*", default=list(ROWS), choices=ROWS)
    add("--kinds", nargs="*", default=list(PHANTOMS), choices=PHANTOMS)
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=int, help="by default those of the preset")
    add("--draws", type=int, default=100, help="of a model with many answers")
    add("--sets", nargs="+", help="names of real data sets; all by default")
    add("--data", type=Path, help="folder with the real images; none by default")
    add("--write", action="store_true", help="into docs/denoising.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name, trained in jobs(options):
        steps = steps_of(ROWS[name.split("/")[1]], options.steps)
        found[name] = figures(name, trained) | {"steps": steps}
        print(name, *(f"{k} {v:.4g}" for k, v in found[name].items()), flush=True)
        RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.write:
        report(found)


if __name__ == "__main__":
    main()
