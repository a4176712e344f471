"""Trained deconvolution against Richardson-Lucy, on simulations.

    python -m benchmarks.claims.self_supervised [--preset P] [--structures S ...]
        [--photons P ...] [--seeds N ...] [--steps N] [--na-error E]
        [--sharp true|deconvolved] [--set KEY=VALUE ...] [--write]

Two stacks of 48 x 96 x 96 are restored by what a preset learns: `self-supervised` from
them alone, others with a set of true images of other objects, or with parts of the two
stacks that Richardson-Lucy has deconvolved. A preset that learns the blur is given the
optics, others the PSF. "RL, best" is stopped where the truth says it is best, up to 130
accelerated iterations, with the true offset and noise, which nobody else is given.
Fitted PSNR, mean of the two stacks; minutes are those of one CPU core. Rows without a
grain are older than it. Nothing was chosen with meshwork, rings, walls and clouds.
Rows are kept in benchmarks/results/simulated.json; --write makes the tables of docs
from all of them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.drawings import PROOF, STRUCTURES
from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics, Psf, Stack, Trainer, preset, restore
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.methods.parts import LEARNED_KERNEL
from napari_blurgan.monitoring.events import Finished
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import gibson_lanni
from napari_blurgan.optics.simulation import blur
from napari_blurgan.tasks.sharp_set import deconvolved_parts

SHAPE, VOXELS, TAPS = (48, 96, 96), (0.16, 0.08, 0.08), (31, 31, 31)
NA, READ_NOISE, OFFSET = 1.3, 3.0, 100.0
DRAWN = STRUCTURES | PROOF
TRUE = "true"
FOUND = RESULTS / "simulated.json"
HEADER = (
    "| preset | structure | photons | NA too small by | steps | seeds | RL, best "
    "| trained | dB more, median | dB more, worst | CPU minutes |"
)
TRIED = (10, 15, 20, 30, 40, 50, 60, 80, 100, 130)


def optics(na: float) -> Optics:
    return Optics(na, 1.515, 525.0)


def psf(na: float) -> Psf:
    return gibson_lanni(optics(na), TAPS, VOXELS)


def stacks(structure: str, photons: float, seed: int) -> list[tuple[Stack, np.ndarray]]:
    """Return two measured stacks and their truths, in electrons."""
    draw, made = DRAWN[structure], []
    for n in (10 * seed, 10 * seed + 1):
        truth = draw(SHAPE, VOXELS, n).astype(np.float32)
        made.append((exposed(truth, photons, n, f"{structure} {n}"), truth))
    return made


def exposed(truth: np.ndarray, photons: float, seed: int, name: str) -> Stack:
    """Return what the microscope shows of a true image, in electrons."""
    image = blur(truth, psf(NA).data)
    scale = photons / float(np.percentile(image, 99.95))
    camera = Camera(photons=scale, read_noise=READ_NOISE, gain=1.0, offset=OFFSET)
    measured = camera.expose(image, seed + 7).astype(np.float32)
    return Stack(measured, "ZYX", VOXELS, name=name)


def sharp_set(structure: str, seed: int) -> list[Stack]:
    """Return two true images of the same kind, of other objects."""
    seeds = (1000 + 10 * seed, 1001 + 10 * seed)
    made = [DRAWN[structure](SHAPE, VOXELS, n).astype(np.float32) for n in seeds]
    return [Stack(image, "ZYX", VOXELS) for image in made]


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
) -> dict[str, Any]:
    """Train on one draw, and return its row of the table."""
    data = stacks(structure, photons, seed)
    na = NA * (1 - options.na_error)
    changes = dict(pair.split("=", 1) for pair in options.set)
    recipe = preset(options.preset).updated(
        changes | {"steps": options.steps, "seed": seed}
    )
    blind = LEARNED_KERNEL in recipe.offers
    known: dict[str, Any] = {"optics": optics(na)} if blind else {"psf": psf(na)}
    start = time.process_time()
    blurred, sharp = [s for s, _ in data], []
    if recipe.source.domains > 1 and options.sharp == "deconvolved":
        blurred, sharp = deconvolved_parts(blurred, psf(na), lambda event: None)
    elif recipe.source.domains > 1:
        sharp = sharp_set(structure, seed)
    trainer = Trainer(recipe, blurred, sharp, device="cpu", **known)
    *_, last = trainer
    minutes = (time.process_time() - start) / 60
    assert isinstance(last, Finished)
    made = [fitted(np.asarray(restore(last.model, s).data), t) for s, t in data]
    unseen = last.model.provenance.get("unseen")
    return {
        "preset": options.preset,
        "sharp": options.sharp,
        "structure": structure,
        "photons": photons,
        "seed": seed,
        "na_error": options.na_error,
        "changes": changes,
        "steps": options.steps,
        "best": richardson_lucy(data, psf(na)),
        "iterations": last.model.recipe.reconstructor.estimate_iterations,
        "grain": last.model.recipe.reconstructor.estimate_grain,
        "made": float(np.mean(made)),
        "unseen": unseen and 1 - unseen["error"] / unseen["of_estimate"],
        "minutes": minutes,
    }


def cells(found: dict[str, Any]) -> list[str]:
    """Return a row of a table."""
    grain = f"{found['grain']:.2f}" if "grain" in found else "–"
    unseen = "–" if found["unseen"] is None else f"{found['unseen']:.2%}"
    return [
        *(found["preset"], found["structure"], f"{found['photons']:g}"),
        *(f"{found['na_error']:g}", str(found["seed"]), str(found["steps"])),
        *(f"{found['best']:.2f}", str(found["iterations"]), grain),
        f"{found['made']:.2f}",
        *(f"{found['made'] - found['best']:+.2f}", unseen, f"{found['minutes']:.1f}"),
    ]


def kept() -> list[dict[str, Any]]:
    """Return the rows that have been measured."""
    return json.loads(FOUND.read_text()) if FOUND.exists() else []


def keep(found: dict[str, Any]) -> None:
    """Put a row beside the others, or in place of an older one of the same cell."""
    rows = {_cell(other): other for other in kept()} | {_cell(found): found}
    ordered = [rows[cell] for cell in sorted(rows)]
    FOUND.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


def _cell(found: dict[str, Any]) -> tuple[Any, ...]:
    names = ("preset", "structure", "na_error", "photons", "seed")
    changes = json.dumps(found["changes"])
    return (*(found[name] for name in names), _given(found), changes)


def _given(found: dict[str, Any]) -> str:
    """Return which sharp set a preset was given, if it takes one."""
    return str(found.get("sharp", TRUE))


def summed(rows: list[dict[str, Any]]) -> list[str]:
    """Return a row of the documents: the seeds of one cell, and as many steps."""
    first = rows[0]
    best, made, minutes = (
        float(np.median([found[name] for found in rows]))
        for name in ("best", "made", "minutes")
    )
    more = [found["made"] - found["best"] for found in rows]
    return [
        *(first["preset"], first["structure"], f"{first['photons']:g}"),
        *(f"{first['na_error']:g}", str(first["steps"]), str(len(rows))),
        *(f"{best:.2f}", f"{made:.2f}", f"{np.median(more):+.2f}", f"{min(more):+.2f}"),
        f"{minutes:.1f}",
    ]


def write() -> None:
    """Make the tables of the documents from the rows as the presets are."""
    rows = [found for found in kept() if not found["changes"]]
    parts = [r for r in rows if _given(r) != TRUE]
    alone = [r for r in rows if r["preset"] == "self-supervised"]
    others = [r for r in rows if r not in parts and r not in alone]
    tables = {
        "self-supervised": alone,
        "with-sharp": others,
        "deconvolved-parts": parts,
    }
    names = ("preset", "na_error", "photons", "structure", "steps")
    for name, chosen in tables.items():
        groups = defaultdict(list)
        for found in chosen:
            groups[tuple(found[key] for key in names)].append(found)
        made = (summed(groups[key]) for key in sorted(groups))
        write_table("no-sharp-data.md", name, HEADER, made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=["filaments", "shells"], choices=DRAWN)
    add("--photons", nargs="+", type=float, default=[120.0])
    add("--seeds", nargs="+", type=int, default=[0])
    add("--steps", type=int, default=500)
    add("--preset", default="self-supervised", help="others get a true sharp set")
    add("--sharp", default=TRUE, choices=[TRUE, "deconvolved"])
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the recipe")
    add(
        "--na-error", type=float, default=0.0, help="share by which the NA is too small"
    )
    add("--write", action="store_true", help="docs/no-sharp-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for structure in options.structures:
        for photons in options.photons:
            for seed in options.seeds:
                found = row(structure, photons, seed, options)
                keep(found)
                print(*cells(found), sep=" | ", flush=True)
    if options.write:
        write()


if __name__ == "__main__":
    main()
