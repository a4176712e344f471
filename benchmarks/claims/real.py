"""Real stacks, restored blind: against Richardson-Lucy, nonblind training and theory.

    python -m benchmarks.claims.real --data FOLDER [--steps N] [--only NAME] [--seed 0]

FOLDER holds dna_confocal_widefield_pair.tif, yeast_mitochondria_t00-02.ome.tif and
llsm_raw_crop.ome.tif beside llsm_deskewed_crop.ome.tif. Every row is measured in the
same region, which no training has seen (real_data.py). The Fourier ring correlation is
of two halves of the photons, each restored by itself. What has been trained is kept in
benchmarks/results/real.json and build/real and not trained again (--again measures it
again); the tables and the figures of docs/real-data.md are made of it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from benchmarks.helpers.cameras import halves_of
from benchmarks.helpers.places import RESULTS, ROOT
from benchmarks.helpers.real_data import CASES, Case
from benchmarks.helpers.real_report import report
from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.data.stack import Stack
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.measure.decorrelation import decorrelation
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.measure.resolution import frc
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import Model, load_model
from napari_blurgan.monitoring.events import Warned
from napari_blurgan.optics.psf import Psf
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer

Array = NDArray[np.float32]
Row = dict[str, Any]

FOUND = RESULTS / "real.json"
KEPT = ROOT / "build/real"
PLANES = 5
"""Planes, those with most structure, of whose resolutions the median is given."""

SAID = ("steps", "seed", "cpu_minutes", "notes")
REACH = 6
"""Voxels by which a result may be shifted to meet the confocal image best."""


@dataclass(frozen=True)
class Outcome:
    """What a row made of a stack and of its two halves."""

    image: Array
    halves: tuple[Array, Array]
    said: Row
    psf: Psf | None = None


def split(case: Case) -> tuple[Array, Array]:
    """Return two images that share the photons of the case."""
    return halves_of(case.pixels, case.camera, seed=0)


def untouched(case: Case) -> Outcome:
    return Outcome(case.pixels, split(case), {})


def richardson_lucy(case: Case) -> Outcome:
    """Deconvolve; the halves with as many iterations as the whole."""
    plan = Plan(case.cone, case.pixels.shape, device="cpu")

    def run(image: Array, iterations: int, **options: Any) -> Any:
        return accelerated_richardson_lucy(
            image, plan, iterations, camera=case.camera, **options
        )

    whole = run(case.pixels, case.iterations, stop=case.stop)
    first, second = (run(half, whole.iterations).image for half in split(case))
    said = {"iterations": whole.iterations, "stopped": whole.reason}
    return Outcome(whole.image, (first, second), said, plan.psf)


def trained(case: Case, row: str, recipe: Recipe, steps: int, seed: int) -> Outcome:
    """Restore with a model that was trained before, or is now."""
    folder = picture(case.name, row).with_suffix(".blurgan")
    if folder.exists() and fits(case.name, row, steps, seed):
        model, found = load_model(folder), read()[case.name][row]
        said = {key: found[key] for key in SAID}
    else:
        model, said = train(case, row, recipe, steps, seed)
        model.save(folder, overwrite=True)
    first, second = (restored(model, case, half) for half in split(case))
    whole = restored(model, case, case.pixels)
    return Outcome(whole, (first, second), said, model.psf)


def train(
    case: Case, row: str, recipe: Recipe, steps: int, seed: int
) -> tuple[Model, Row]:
    """Train, given the optics if blind, otherwise the theoretical PSF."""
    blind = recipe.forward.learned
    start, notes = time.process_time(), []
    trainer = Trainer(
        recipe,
        case.blurred,
        case.sharp,
        psf=None if blind else case.theory,
        optics=case.optics if blind else None,
        steps=steps,
        seed=seed,
        device="cpu",
    )
    for event in trainer:
        if isinstance(event, Warned):
            notes.append([event.step, event.code, event.message, numbers(event)])
            print(case.name, row, *notes[-1], sep=" | ", flush=True)
    minutes = (time.process_time() - start) / 60
    said = dict(zip(SAID, (steps, seed, minutes, notes), strict=True))
    return trainer.model(), said


def numbers(event: Warned) -> dict[str, float]:
    plain = {k: v for k, v in event.figures.items() if isinstance(v, (int, float))}
    return {k: round(float(v), 4) for k, v in plain.items()}


def restored(model: Model, case: Case, image: Array) -> Array:
    """Restore, and take the background out again, as Richardson-Lucy does."""
    stack = Stack(image, "ZYX", case.voxel, case.name)
    result = np.asarray(restore(model, stack, device="cpu").data, dtype=np.float32)
    return result - np.float32(model.calibration.output.offset)


def measured(case: Case, outcome: Outcome) -> Row:
    """Return the figures of the measured region."""
    region = case.region
    found = outcome.said | resolutions(case, outcome)
    found["predicts"] = prediction(case, outcome)
    if case.confocal is not None:
        found |= agreement(outcome.image, case.confocal, region)
    if outcome.psf is not None:
        found["psf"] = psf_figures(outcome.psf, case.theory)
    return found


def resolutions(case: Case, outcome: Outcome) -> Row:
    """Return two resolutions in the plane, µm, medians over the same planes."""
    pixel = case.voxel[1:]
    structure = case.pixels[case.region].std(axis=(1, 2))
    planes = np.argsort(structure)[-PLANES:]
    first, second, image = (
        volume[case.region][planes] for volume in (*outcome.halves, outcome.image)
    )
    rings = [frc(a, b, pixel) for a, b in zip(first, second, strict=True)]
    finest = 2 * max(pixel)
    # Two halves that agree up to the end of the band resolve that or finer detail.
    values = [
        ring.value or (finest if ring.note.startswith("no crossing") else np.nan)
        for ring in rings
    ]
    single = [decorrelation(plane, pixel).value or np.nan for plane in image]
    return {
        "frc_um": rounded(float(np.median(values))),
        "decorrelation_um": rounded(float(np.median(single))),
        "finest_um": rounded(finest),
    }


def prediction(case: Case, outcome: Outcome) -> float:
    """Correlate each half, restored and blurred by theory, with the other as taken.

    Two restorations may agree on what is not there; the other half's photons do not.
    """
    unseen = split(case)[::-1]
    blurred = outcome.halves
    if outcome.said:  # the input has its blur already
        psf = case.theory.data
        blurred = tuple(fftconvolve(half, psf, mode="same") for half in blurred)
    pairs = zip(blurred, unseen, strict=True)
    found = [correlation(a[case.region], b[case.region]) for a, b in pairs]
    return round(float(np.mean(found)), 4)


def rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def agreement(image: Array, confocal: Array, region: Sequence[slice]) -> Row:
    """Correlate with the confocal image: as it is, and at the best shift."""
    truth = confocal[tuple(region)]
    found = {}
    for shift in product(range(-REACH, REACH + 1), repeat=3):
        moved = tuple(
            slice(max(r.start + s, 0), r.stop + s)
            for r, s in zip(region, shift, strict=True)
        )
        found[shift] = correlation(image[moved], truth)
    best = max(found, key=lambda shift: found[shift])
    return {
        "correlation": round(found[0, 0, 0], 4),
        "correlation_shifted": round(found[best], 4),
        "shift": list(best),
    }


def psf_figures(psf: Psf, theory: Psf) -> Row:
    """Compare with theory on the support of the PSF."""
    z, y, x = psf.fwhm()
    centred = theory.cropped(psf.shape)
    return {
        "shape": list(psf.shape),
        "fwhm_z_um": rounded(z),
        "fwhm_xy_um": rounded((y + x) / 2),
        "ncc": round(psf.cropped(centred.shape).ncc(centred), 4),
        "theory_inside": round(float(centred.provenance["cropped"]["kept"]), 4),
    }


def rows_of(case: Case, steps: int, seed: int) -> dict[str, Any]:
    """Return what makes each row, by its name."""
    classical = {
        "input": lambda: untouched(case),
        "Richardson–Lucy": lambda: richardson_lucy(case),
    }
    learned = {
        name: lambda name=name, recipe=recipe: trained(case, name, recipe, steps, seed)
        for name, recipe in case.recipes.items()
    }
    return classical | learned


def keep(case: Case, row: str, outcome: Outcome, found: Row) -> None:
    """Write the figures down, and what the pictures need."""
    results = read()
    results.setdefault(case.name, {})[row] = found
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    KEPT.mkdir(parents=True, exist_ok=True)
    psf = np.zeros(0) if outcome.psf is None else outcome.psf.data
    np.savez(picture(case.name, row), image=outcome.image[case.region], psf=psf)


def picture(case: str, row: str) -> Path:
    return KEPT / f"{case}-{row.replace(' ', '-')}.npz"


def read() -> dict[str, dict[str, Row]]:
    """Return what has been measured so far."""
    return json.loads(FOUND.read_text()) if FOUND.exists() else {}


def fits(case: str, row: str, steps: int, seed: int) -> bool:
    """Whether a row has been measured with so many steps and this seed, if any."""
    found = read().get(case, {}).get(row)
    if found is None or not picture(case, row).exists():
        return False
    return found.get("steps", steps) == steps and found.get("seed", seed) == seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--rows", nargs="+", help="the other rows are left as they are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.only:
        case = CASES[name](options.data)
        for row, make in rows_of(case, options.steps, options.seed).items():
            if options.rows is not None and row not in options.rows:
                continue
            ready = fits(name, row, options.steps, options.seed)
            if ready and not options.again:
                continue
            outcome = make()
            found = measured(case, outcome)
            keep(case, row, outcome, found)
            print(name, row, found, sep=" | ", flush=True)
        report(case, read(), picture)


if __name__ == "__main__":
    main()
