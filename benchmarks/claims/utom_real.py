"""Transformations of real images: what they gain where the truth is known.

Three tasks, each trained with and without the constraint on few images, for minutes:
``denoise`` (BPAE_mito.tif, simulated photon noise), ``isotropic``
(nuclei_cells3d.ome.tif, three of four planes taken out) and ``stain``
(mitocheck_T*.tif to skin_HE.tif; no truth exists).

    python -m benchmarks.claims.utom_real --data FOLDER

prints JSON lines and keeps them in a file, draws
docs/images/utom-real-*.png, and puts a table of what was run into docs/utom.md.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tifffile
import torch

from benchmarks.helpers.places import IMAGES, RESULTS
from benchmarks.helpers.tables import write_table
from napari_blurgan.content.histogram import otsu
from napari_blurgan.data.sections import isotropic
from napari_blurgan.data.stack import Stack
from napari_blurgan.measure.fidelity import ssim
from napari_blurgan.methods.presets import preset
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.train import train

FOUND = RESULTS / "utom-real.json"
PHOTONS = 12
"""At the brightest pixel of the noisy image."""

THINNED = 4
"""One plane in so many is kept."""

ARMS = {"default": {}, "plain": {"terms.saliency": 0.0}}


@dataclass(frozen=True)
class Example:
    """What is trained on, what is looked at, and what it should be."""

    a: list[Stack]
    b: list[Stack]
    test: Stack
    truth: np.ndarray | None
    baseline: np.ndarray | None
    changes: dict[str, Any]
    recipe: str = "utom"
    seen: Any = ()


def found(data: Path, name: str) -> Path:
    """Return the file of a name, wherever it is in a folder."""
    return next(data.rglob(name))


def denoise(data: Path) -> Example:
    """Noisy left half, clean right half; the lower quarter is looked at."""
    clean = tifffile.imread(found(data, "BPAE_mito.tif")).astype(np.float32)
    dark, top = float(clean.min()), float(np.percentile(clean, 99.9))
    photons = np.clip(clean - dark, 0, None) / (top - dark) * PHOTONS
    counts = np.random.default_rng(0).poisson(photons)
    noisy = (counts / PHOTONS * (top - dark) + dark).astype(np.float32)
    level = otsu(clean[:384, 256:])
    return Example(
        [Stack(noisy[:384, :256].copy(), "YX", name="noisy")],
        [Stack(clean[:384, 256:].copy(), "YX", name="clean")],
        Stack(noisy[384:], "YX", name="test"),
        clean[384:],
        noisy[384:],
        {"saliency.alpha": level, "saliency.beta": level},
    )


def isotropy(data: Path) -> Example:
    """The sections of a thinned volume learn from its own planes."""
    path = found(data, "nuclei_cells3d.ome.tif")
    volume = tifffile.imread(path).astype(np.float32)
    voxel = (0.29, 0.26, 0.26)
    full = Stack(volume[: 14 * THINNED + 1], "ZYX", voxel, "nuclei")
    thin = full.with_data(full.data[::THINNED])
    thin = Stack(thin.data, "ZYX", (THINNED * voxel[0], *voxel[1:]), "thinned")
    level = otsu(np.log(thin.data))
    both = float(np.exp(level))
    return Example(
        [thin],
        [thin],
        thin,
        isotropic(full).data,
        isotropic(thin).data,
        {"saliency.alpha": both, "saliency.beta": both, "sampling.patch": 48},
        "isotropic",
        np.s_[:, 80],
    )


def stain(data: Path) -> Example:
    """Fluorescent nuclei of a culture to stained nuclei of a tissue."""
    frames = np.stack(
        [tifffile.imread(p) for p in sorted(data.rglob("mitocheck_T*.tif"))]
    )
    section = tifffile.imread(found(data, "skin_HE.tif"))[150:]
    return Example(
        [Stack(frames[:5], "TYX", name="nuclei")],
        [Stack(section, "YXS", name="section")],
        Stack(frames[5], "YX", name="test"),
        None,
        None,
        {
            "saliency.alpha": 25.0,
            "saliency.beta": 130.0,
            "saliency.bright_background_b": True,
        },
    )


EXAMPLES = {"denoise": denoise, "isotropic": isotropy, "stain": stain}


def scores(image: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return PSNR and SSIM over the range of the truth, no fit of intensities."""
    span = float(np.percentile(truth, 99.9) - truth.min())
    error = float(np.square(image - truth).mean())
    return {"psnr": 10 * np.log10(span**2 / error), "ssim": ssim(image, truth, span)}


def run(name: str, data: Path, steps: int, seed: int) -> list[dict[str, Any]]:
    """Train both arms on a task; return a row for each, and for no training at all."""
    example = EXAMPLES[name](data)
    pictures = {"input": example.test.data}
    rows = []
    if example.baseline is not None and example.truth is not None:
        label = "linear" if name == "isotropic" else "input"
        pictures[label] = example.baseline
        rows.append({"arm": label} | scores(example.baseline, example.truth))
    for arm, changes in ARMS.items():
        recipe = preset(example.recipe).updated(example.changes | changes)
        start = time.process_time()
        model = train(
            recipe, example.a, example.b, steps=steps, seed=seed, device="cpu"
        )
        spent = time.process_time() - start
        image = np.asarray(restore(model, example.test, device="cpu").data)
        pictures[arm] = image
        row = {"arm": arm, "cpu_s": spent, "content": model.provenance["content"]}
        rows.append(
            row | ({} if example.truth is None else scores(image, example.truth))
        )
    for row in rows:
        print(
            json.dumps({"task": name, "seed": seed, "steps": steps} | row), flush=True
        )
    if example.truth is not None:
        pictures["truth"] = example.truth
    draw(name, pictures, example.seen)
    return rows


def reported(rows: list[dict[str, Any]], arm: str) -> str:
    """Return a cell of the table: fidelity, or where there is no truth, the content."""
    row = next((r for r in rows if r["arm"] == arm), None)
    if row is None:
        return ""
    if "psnr" in row:
        return f"{row['psnr']:.1f} dB, {row['ssim']:.2f}"
    return f"content IoU {row['content']['iou']:.2f}"


def table(found: dict[str, list[dict[str, Any]]]) -> None:
    """Put the table into docs/utom.md."""
    before = {"denoise": "input", "isotropic": "linear", "stain": ""}
    write_table(
        "utom.md",
        "real",
        "| task | before | constraint | plain cycleGAN |",
        [
            [name, *(reported(rows, arm) for arm in (before[name], *ARMS))]
            for name, rows in found.items()
        ],
    )


def draw(name: str, pictures: dict[str, np.ndarray], seen: Any) -> None:
    """Draw images beside each other, all grey ones of a task on one scale."""
    if name == "isotropic":
        del pictures["input"]
    figure, axes = plt.subplots(1, len(pictures), figsize=(3.2 * len(pictures), 3.4))
    last = list(pictures.values())[-1]
    top = np.percentile(last, 99.8)
    for axis, (label, image) in zip(axes, pictures.items(), strict=True):
        plane = image[seen]
        if plane.ndim == 3:
            axis.imshow(plane)
        else:
            high = top if plane.dtype == last.dtype else plane.max()
            axis.imshow(plane, cmap="gray", vmin=plane.min(), vmax=high)
        axis.set_title(label, fontsize=10)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(
        IMAGES / f"utom-real-{name}.png", dpi=80, bbox_inches="tight", pad_inches=0.05
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", default=list(EXAMPLES), choices=EXAMPLES)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    for name in options.tasks:
        found[name] = run(name, options.data, options.steps, options.seed)
        FOUND.write_text(json.dumps(found, indent=1))
    table(found)


if __name__ == "__main__":
    main()
