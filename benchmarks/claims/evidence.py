"""Evidence maps: filaments added to restorations, or taken away, are found.

    python -m benchmarks.claims.evidence [--seeds N ...] [--na-error E] [--write]
    python -m benchmarks.claims.evidence --calibrate
    python -m benchmarks.claims.evidence --hallucinations [--steps N] [--keep MODEL]
        [--write]

Widefield stacks of 24 x 72 x 72 voxels are restored by accelerated Richardson-Lucy.
Then filaments that nobody imaged are added, or imaged ones are taken away. Contrast 1
is the median brightness of the structure in the restoration. Positive are the voxels of
these filaments, negative those of all other restored light, beyond their reach.
The logistic curve was fitted with `--calibrate` on seeds 100 and 101; the tables are of
seeds 0 and up, and of structures that the curve has not seen (sheets).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata, spearmanr

from benchmarks.helpers.tables import write_table
from napari_blurgan import Model, Optics, Psf, Stack
from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import gibson_lanni
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur
from napari_blurgan.tasks.evidence import Evidence, evidence
from napari_blurgan.trust import support

SHAPE, VOXELS, TAPS = (24, 72, 72), (0.16, 0.08, 0.08), (31, 31, 31)
NA, READ_NOISE, OFFSET = 1.3, 1.5, 100.0
STRUCTURES = {
    "filaments": ("microtubules", {"density": 0.4}),
    "shells": ("vesicles", {}),
    "sheets": ("membranes", {}),
}
ITERATIONS = {120.0: 30, 30.0: 20, 10.0: 12}
"""Of Richardson-Lucy, at so many photons: more would build structure out of noise."""

SHARP = (0.4, 0.8, 0.8)
"""Standard deviations of the detail in a restoration, in voxels."""

REACH = (1.5, 3.0, 3.0)
CALIBRATION = (100, 101)
Image = NDArray[np.float32]


@dataclass
class Case:
    """A measured stack, its restoration, and a restoration that was tampered with."""

    measured: Image
    good: Image
    bad: Image
    planted: Image
    true: Image
    kernel: Psf


def psf(na: float = NA) -> Psf:
    return gibson_lanni(Optics(na, 1.515, 525.0), TAPS, VOXELS)


def camera(photons: float) -> Camera:
    return Camera(photons=photons, read_noise=READ_NOISE, gain=1.0, offset=OFFSET)


def case(
    structure: str,
    photons: float,
    seed: int,
    contrast: float,
    added: bool,
    na_error: float = 0.0,
) -> Case:
    kind, options = STRUCTURES[structure]
    drawn = phantom(kind, SHAPE, VOXELS, seed, **options).astype(np.float32)
    lines = phantom("microtubules", SHAPE, VOXELS, seed + 500, density=0.06)
    soft, soft_lines = gaussian_filter(drawn, SHARP), gaussian_filter(lines, SHARP)
    usual = np.median(soft[drawn > 0.3 * drawn.max()])
    lines *= contrast * usual / np.median(soft_lines[lines > 0.3 * lines.max()])
    imaged = drawn if added else drawn + lines
    sharp = psf()
    light = blur(imaged, sharp.data)
    scale = photons / float(np.percentile(blur(drawn, sharp.data), 99.95))
    measured = camera(scale).expose(light, seed + 7)
    kernel = psf(NA * (1 - na_error))
    known = camera(scale)
    good = accelerated_richardson_lucy(
        measured, kernel, ITERATIONS[photons], camera=known
    ).image
    if added:
        bad = good + scale * gaussian_filter(lines, SHARP)
    else:
        width = (1.0, 1.5, 1.5)
        theirs, ours = gaussian_filter(lines, width), gaussian_filter(drawn, width)
        bad = good * ours / np.maximum(ours + theirs, 1e-6)
    return Case(measured, good, bad, lines, scale * imaged, kernel)


def judged(measured: Image, restored: Image, kernel: Psf) -> Evidence:
    stacks = [Stack(image, "ZYX", VOXELS) for image in (measured, restored)]
    return evidence(*stacks, psf=kernel, device="cpu")


def maps(found: Evidence) -> Image:
    return np.asarray(found.maps.data)


def auroc(positive: Image, negative: Image) -> float:
    ranks = rankdata(np.concatenate([positive, negative]))
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def found_again(made: Case, doubt: Image) -> float:
    """Return the AUROC of a map that is high where a restoration is to be doubted."""
    positive = made.planted > 0.3 * made.planted.max()
    far = gaussian_filter(made.planted / made.planted.max(), REACH) < 1e-3
    light = made.good > 0.1 * np.percentile(made.good, 99.9)
    return auroc(doubt[positive], doubt[far & light])


def row(structure: str, photons: float, seeds: list[int], na_error: float) -> tuple:
    cells = []
    alarms, coverage = [], []
    for contrast in (1.0, 0.5):
        for added in (True, False):
            scores = []
            for seed in seeds:
                made = case(structure, photons, seed, contrast, added, na_error)
                found = judged(made.measured, made.bad, made.kernel)
                scores.append(found_again(made, -maps(found)[0]))
                if contrast == 1.0:
                    good = judged(made.measured, made.good, made.kernel)
                    alarms.append(good.report.unsupported)
                    coverage.append(good.report.calibration_error)
            cells.append(f"{np.mean(scores):.3f} ({min(scores):.3f})")
    return (
        *(structure, f"{photons:g}", *cells),
        *(f"{max(alarms):.1%}", f"{max(coverage):.1%}"),
    )


def supported(made: Case, restored: Image) -> tuple[Image, Image]:
    """Return where there is light, true or restored, and where they agree to a half."""
    width = (1.5, 1.0, 1.0)
    here, there = gaussian_filter(restored, width), gaussian_filter(made.true, width)
    faint = 0.05 * float(np.percentile(there, 99.9))
    light = np.maximum(here, there) > faint
    agree = (here < 2 * there + faint) & (there < 2 * here + faint)
    return light, agree


def margins_and_truth(
    structures: list[str], seeds: list[int]
) -> tuple[Image, NDArray[np.bool_]]:
    """Return evidence and truth of every voxel with light, of all light levels."""
    found, truth = [], []
    for structure in structures:
        for photons in ITERATIONS:
            for n, seed in enumerate(seeds):
                made = case(structure, photons, seed, 0.75, added=n % 2 == 0)
                value = maps(judged(made.measured, made.bad, made.kernel))[0]
                light, agree = supported(made, made.bad)
                found.append(value[light])
                truth.append(agree[light])
    return np.concatenate(found), np.concatenate(truth)


def calibrate() -> None:
    """Print the logistic curve from margins to how often the light is there."""
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    support.SLOPE, support.INTERCEPT = 1.0, 0.0
    found, truth = margins_and_truth(["filaments", "shells"], list(CALIBRATION))
    margin = logit(np.clip(found.astype(np.float64), 1e-6, 1 - 1e-6))

    def loss(curve: NDArray[np.float64]) -> float:
        share = np.clip(expit(curve[0] * margin + curve[1]), 1e-6, 1 - 1e-6)
        return -float(np.where(truth, np.log(share), np.log(1 - share)).mean())

    slope, intercept = minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    print(f"SLOPE, INTERCEPT = {slope:.2f}, {intercept:.2f}  ({truth.mean():.1%} true)")


def reliability() -> list[tuple]:
    """Return evidence against how often it was right, on a structure and seeds anew."""
    found, truth = margins_and_truth(["sheets", "filaments"], [0, 1])
    edges = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
    bins = np.clip(np.digitize(found, edges) - 1, 0, len(edges) - 2)
    rows, error = [], 0.0
    for n in range(len(edges) - 1):
        chosen = bins == n
        said, was = found[chosen].mean(), truth[chosen].mean()
        error += chosen.mean() * abs(said - was)
        span = f"{edges[n]:g} to {edges[n + 1]:g}"
        rows.append((span, f"{chosen.mean():.1%}", f"{said:.2f}", f"{was:.2f}"))
    return [*rows, ("calibration error", "", "", f"{error:.3f}")]


def hallucinated(steps: int, seeds: list[int], keep: Path | None) -> list[tuple]:
    """Train on vesicles alone, restore microtubules, compare doubt and true error."""
    from napari_blurgan import restore

    rows = []
    model = taught(steps, keep)
    for structure in STRUCTURES:
        for seed in seeds:
            y, x = trained_on(structure, seed)
            measured = Stack(y, "ZYX", VOXELS)
            restored = restore(model, measured, device="cpu")
            found = evidence(measured, restored, psf=psf(), model=model, device="cpu")
            rows.append((structure, seed, *correlations(found, restored, x)))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    return rows


def taught(steps: int, keep: Path | None) -> Model:
    """Return a model of vesicles; that of an earlier run if it was kept."""
    from napari_blurgan import load_model, preset, train

    if keep is not None and keep.is_dir():
        return load_model(keep)
    pairs = [trained_on("shells", seed) for seed in range(200, 204)]
    recipe = preset("supervised").updated({"steps": steps, "precision": "float32"})
    stacks = (
        [Stack(image, "ZYX", VOXELS) for image in set_]
        for set_ in zip(*pairs, strict=True)
    )
    return train(recipe, *stacks, device="cpu", out=keep)


def trained_on(structure: str, seed: int, photons: float = 120.0) -> tuple:
    """Return a measured and a true image, both in photo-electrons."""
    made = case(structure, photons, seed, 1e-6, added=True)
    return made.measured, made.true


def correlations(found: Evidence, restored: Stack, true: Image) -> tuple:
    """Return rank correlations with the true error, at the scale of the PSF."""
    width = (1.5, 1.0, 1.0)
    made = gaussian_filter(np.asarray(restored.data, np.float32), width)
    there = gaussian_filter(true, width)
    light = np.maximum(made, there) > 0.05 * np.percentile(there, 99.9)
    error = np.abs(made - there)[light]
    value, residual, _, guess = (channel[light] for channel in maps(found))
    relative = error / np.maximum(np.maximum(made, there)[light], 1e-6)
    return (
        f"{spearmanr(guess, error).statistic:.2f}",
        f"{spearmanr(np.abs(residual), error).statistic:.2f}",
        f"{spearmanr(1 - value, error).statistic:.2f}",
        f"{spearmanr(1 - value, relative).statistic:.2f}",
        f"{found.report.unsupported:.1%}",
    )


TABLES = {
    "planted": "| structure | photons | 1 ×, added | 1 ×, taken away | 0.5 ×, added "
    "| 0.5 ×, taken away | false alarms | calibration error |",
    "reliability": "| evidence | of the light | mean evidence | supported in truth |",
    "hallucinations": "| restored | seed | expected error | size of residual "
    "| 1 − evidence | 1 − evidence, relative error | not supported |",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=list(STRUCTURES), choices=STRUCTURES)
    add("--photons", nargs="+", type=float, default=list(ITERATIONS))
    add("--seeds", nargs="+", type=int, default=[0, 1])
    add("--na-error", type=float, default=0.0, help="share by which NA is too small")
    add("--calibrate", action="store_true")
    add("--reliability", action="store_true")
    add("--hallucinations", action="store_true")
    add("--steps", type=int, default=300)
    add("--keep", type=Path, help="model of --hallucinations, for another run")
    add("--write", action="store_true", help="into docs/trust.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.calibrate:
        calibrate()
        return
    name, rows = tabled(options)
    for line in rows:
        print(*line, sep=" | ", flush=True)
    if options.write:
        header = TABLES[name.removesuffix("-wrong-psf")]
        write_table("trust.md", name, header, rows)


def tabled(options: argparse.Namespace) -> tuple[str, list[tuple]]:
    """Return the name and the rows of the table that was asked for."""
    if options.reliability:
        return "reliability", reliability()
    if options.hallucinations:
        made = hallucinated(options.steps, options.seeds, options.keep)
        return "hallucinations", made
    rows = []
    for structure in options.structures:
        for photons in options.photons:
            rows.append(row(structure, photons, options.seeds, options.na_error))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    return "planted-wrong-psf" if options.na_error else "planted", rows


if __name__ == "__main__":
    main()
