"""Isotropic resolution of a stack, learned from the stack itself.

    python -m benchmarks.claims.isotropy [--only ROW ...] [--structures S ...]
        [--seeds N ...] [--steps N] [--data FOLDER] [--write]

Hollow spheres and filaments, both thinner than the blur, which is three times as wide
along z as in the planes; every second plane is measured. Widths are medians over ridges
across z, and across y and x. Each run adds to benchmarks/results/isotropy.json;
`--write` makes the tables of docs/other-measurements.md of all that is there. With
`--data`, the membranes of red blood cells are sharpened as well, and drawn.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.isotropy_data import (
    VOXEL,
    Array,
    erythrocytes,
    interpolated,
    study,
    width,
)
from benchmarks.helpers.places import DOCS
from benchmarks.helpers.tables import write_table
from napari_blurgan import Psf, Stack, deconvolve, preset, restore, train
from napari_blurgan.content.histogram import otsu
from napari_blurgan.data.sections import isotropic
from napari_blurgan.forward.axial_width import FWHM, axial_width

RESULTS = Path(__file__).parents[1] / "results/isotropy.json"
THIN = {"rims": "sheet", "filaments": "line"}
LEARNED = {
    "`three-way`": {},
    "`three-way`, no discriminator": {"terms.adversarial_planes": 0.0},
    "`three-way`, `reconstructor.kind=unrolled`": {"reconstructor.kind": "unrolled"},
}
CLASSICAL = ("linear interpolation", "cubic interpolation", "Richardson-Lucy along z")
SECTIONS = "`isotropic`"
ROWS = (*CLASSICAL, *LEARNED, SECTIONS)
OFFSET = 100.0
ITERATIONS = 100
SECTION_STEPS = 1000


def made(name: str, stack: Stack, seed: int, steps: int | None) -> Array:
    """Return what a row makes of a stack."""
    if name in CLASSICAL[:2]:
        return interpolated(stack, 1 + 2 * CLASSICAL.index(name))
    if name == CLASSICAL[2]:
        return richardson_lucy(isotropic(stack))
    if name == SECTIONS:
        return like_planes(stack, seed, steps or SECTION_STEPS)
    recipe = preset("three-way").updated(LEARNED[name])
    model = train(recipe, stack, device="cpu", seed=seed, steps=steps)
    return np.asarray(restore(model, stack, precision="float32").data, np.float64)


def like_planes(stack: Stack, seed: int, steps: int) -> Array:
    """Return a stack whose sections along z have learned to look like its planes."""
    level = float(np.exp(otsu(np.log(np.clip(stack.data, 1, None)))))
    changes = {"saliency.alpha": level, "saliency.beta": level, "sampling.patch": 48}
    recipe = preset("isotropic").updated(changes)
    model = train(recipe, stack, stack, device="cpu", seed=seed, steps=steps)
    return np.asarray(restore(model, stack, precision="float32").data, np.float64)


def richardson_lucy(cube: Stack) -> Array:
    """Return a stack sharpened along z, with the width that the spectra show."""
    sigma = axial_width([cube]) / FWHM
    places = np.arange(-15, 16)
    line = np.exp(-((places / sigma) ** 2) / 2)
    kernel = np.float32(line / line.sum())[:, None, None]
    psf = Psf(kernel, (VOXEL, VOXEL, VOXEL))
    found = deconvolve(cube, psf, method="rl", iterations=ITERATIONS, background=OFFSET)
    return np.asarray(found.image, np.float64) + OFFSET


def figures(volume: Array, truth: Array | None, thin: str) -> dict[str, float]:
    """Return widths, their ratio and, where the truth is known, the PSNR."""
    z, y, x = (width(volume, axis, thin)[0] for axis in range(3))
    found = {"z": z, "plane": (y + x) / 2, "ratio": 2 * z / (y + x)}
    if truth is not None:
        peak = float(truth.max() - truth.min())
        error = np.mean(np.square(volume - truth))
        found["psnr"] = float(10 * np.log10(peak**2 / error))
    return found


def phantom(structure: str, name: str, seed: int, steps: int | None) -> dict[str, Any]:
    """Return the figures of a row."""
    data, start = study(structure, seed), time.process_time()
    volume = made(name, data.stack, seed, steps).reshape(data.truth.shape)
    minutes = (time.process_time() - start) / 60
    return figures(volume, data.truth, THIN[structure]) | {"minutes": minutes}


def real(folder: Path, steps: int | None, found: dict[str, Any]) -> None:
    """Sharpen the membranes of red blood cells; draw a section along z."""
    stack = erythrocytes(folder)
    volumes = {"measured": np.asarray(isotropic(stack).data, np.float64)}
    model = train(preset("three-way"), stack, device="cpu", seed=0, steps=steps)
    restored = restore(model, stack, precision="float32")
    volumes["`three-way`"] = np.asarray(restored.data, np.float64)
    for name, volume in volumes.items():
        found[f"real/{name}"] = figures(volume, None, "sheet")
        print(name, found[f"real/{name}"], flush=True)
    draw(volumes)


def draw(volumes: dict[str, Array]) -> None:
    """Draw the same section along z of each."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(volumes), 1, figsize=(7, 6))
    middle = {name: volume[:, 125].copy() for name, volume in volumes.items()}
    top = float(np.percentile(middle["measured"], 99.8))
    for panel, (name, image) in zip(axes, middle.items(), strict=True):
        panel.imshow(image, cmap="gray", vmin=100, vmax=top)
        panel.set_title(name.replace("`", ""), fontsize=10)
        panel.axis("off")
    figure.tight_layout()
    figure.savefig(DOCS / "images/isotropy-real.png", dpi=90)
    plt.close(figure)


def report(found: dict[str, dict[str, Any]]) -> None:
    """Write the tables."""
    rows = []
    for structure in THIN:
        for name in ROWS:
            runs = [v for k, v in found.items() if k.startswith(f"{structure}/{name}/")]
            if runs:
                rows.append([structure, name, *_columns(runs)])
    head = (
        "| structure | row | PSNR | width along z | in the planes | ratio | seeds "
        "| CPU minutes |"
    )
    write_table("other-measurements.md", "isotropy", head, rows)
    scans = [(k.split("/")[1], v) for k, v in found.items() if k.startswith("real/")]
    rows = [
        [name, *(f"{v[key]:.2f}" for key in ("z", "plane", "ratio"))]
        for name, v in scans
    ]
    head = "| red blood cells | width along z | in the planes | ratio |"
    if rows:
        write_table("other-measurements.md", "isotropy-real", head, rows)


def _columns(runs: list[dict[str, Any]]) -> list[str]:
    psnr = [run["psnr"] for run in runs]
    ratio = [run["ratio"] for run in runs]
    middle = {key: np.median([run[key] for run in runs]) for key in runs[0]}
    return [
        f"{middle['psnr']:.2f} ({min(psnr):.2f})",
        f"{middle['z']:.2f}",
        f"{middle['plane']:.2f}",
        f"{middle['ratio']:.2f} ({max(ratio):.2f})",
        str(len(runs)),
        f"{middle['minutes']:.1f}",
    ]


def main() -> None:
    """Run, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="*", default=list(ROWS), choices=ROWS)
    add("--structures", nargs="*", default=list(THIN), choices=THIN)
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=int, help="by default those of the preset")
    add("--data", type=Path, help="folder with the real stacks; none by default")
    add("--write", action="store_true", help="into docs/other-measurements.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for structure in options.structures:
        for seed in options.seeds:
            for name in options.only:
                run = phantom(structure, name, seed, options.steps)
                print(structure, name, seed, run, flush=True)
                found[f"{structure}/{name}/{seed}"] = run
                _store(found)
    if options.data is not None:
        real(options.data, options.steps, found)
        _store(found)
    if options.write:
        report(found)


def _store(found: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
