"""No sharp data at all: which home-made sharp set, and which method, does best.

Somebody has blurred volumes, and optics whose aperture is 10 % wrong. The choices: stay
with Richardson-Lucy; or train against a sharp set that is made, of other blurred
volumes deconvolved under those optics, or of synthetic structures of the right or of a
wrong kind; with the theoretical kernel held (nonblind) or learned (blind). The last
sharp set is the true one, which that person has not got.

    python -m benchmarks.claims.no_sharp [--structures NAME ...] [--steps N]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch

from benchmarks.helpers.papers_data import (
    SCALES,
    VOXEL,
    Experiment,
    Setting,
    Volume,
    experiment,
    held_out,
    stacks,
    volumes,
)
from benchmarks.helpers.papers_rows import (
    Row,
    best,
    kernel_figures,
    richardson_lucy,
    tested,
    train,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf

WRONG = Optics(0.9 * 1.4, 1.5, 500.0)
OTHER = {"microtubules": "vesicles", "vesicles": "microtubules"}
RL_ITERATIONS = 100
TESTS = 2


@dataclass(frozen=True)
class Person:
    """Somebody with blurred volumes and optics that are not quite right.

    Parameters
    ----------
    data : Experiment
        What the microscope sees.
    theory : Psf
        Of the optics that this person believes in.
    seed : int
        Of everything.
    """

    data: Experiment
    theory: Psf
    seed: int

    def sharp_sets(self) -> Iterator[tuple[str, list[Volume]]]:
        """Yield the sets to train against, by name."""
        setting, first = self.data.setting, 200 * self.seed + 100
        count, kind = setting.scale.volumes, setting.structure
        hidden = volumes(setting, kind, first, count)
        blurred = [self.data.expose(x, 500.0, 700 + n) for n, x in enumerate(hidden)]
        yield (
            "deconvolved, wrong optics",
            [
                deconvolve(y, self.theory, "rl", iterations=RL_ITERATIONS).image
                for y in blurred
            ],
        )
        yield "synthetic, wrong kind", volumes(setting, OTHER[kind], first, count)
        yield "the true one", hidden


def tests(person: Person) -> Iterator[tuple[Volume, Volume]]:
    """Yield measured and true volumes that no training saw."""
    for n, truth in enumerate(held_out(person.data.setting, TESTS)):
        yield person.data.expose(truth, 500.0, 9000 + n), truth


def deconvolved(person: Person, psf: Psf) -> list[dict[str, float]]:
    """Return the figures of Richardson-Lucy, stopped where the truth says."""
    gain = person.data.gain
    return [best(richardson_lucy(y, psf, gain), truth) for y, truth in tests(person)]


def trained(
    person: Person, preset: str, sharp: list[Volume], steps: int
) -> dict[str, Any]:
    """Train as this person would, and test."""
    data = replace(person.data, sharp=stacks(sharp, "x"))
    given = {"optics": WRONG} if preset == "blind" else {"psf": person.theory}
    found = train(Row(preset), data, steps, person.seed, "cpu", given=given)
    truths = held_out(data.setting, TESTS)
    psf = found.model.psf
    assert psf is not None
    return {
        "images": tested(found.model, data, truths, 500.0),
        "kernel": kernel_figures(psf, data.psf),
        "warnings": [w.code for w in found.warnings],
    }


def row(structure: str, sharp: str, method: str, found: dict[str, Any]) -> list[str]:
    fitted, ssim = (
        median(f[k] for f in found["images"]) for k in ("psnr_fitted", "ssim")
    )
    k = found["kernel"]
    return [
        structure,
        sharp,
        method,
        f"{fitted:.2f}",
        f"{ssim:.4f}",
        f"{k['ncc']:.4f}",
        f"{k['fwhm_z']:+.0%} / {k['fwhm_xy']:+.0%}",
        ", ".join(found.get("warnings", [])) or "–",
    ]


def study(structure: str, steps: int, seed: int) -> Iterator[list[str]]:
    setting = Setting(
        SCALES["cpu"], "gibson-lanni", structure=structure, other=structure
    )
    data = experiment(setting, seed)
    theory = theoretical_psf(WRONG, data.psf.shape, VOXEL)
    person = Person(data, theory, seed)
    for name, psf in (("true PSF", data.psf), ("wrong optics", theory)):
        found = {
            "images": deconvolved(person, psf),
            "kernel": kernel_figures(psf, data.psf),
        }
        yield row(structure, "–", f"Richardson–Lucy, {name}", found)
    for name, sharp in person.sharp_sets():
        for preset in ("nonblind", "blind"):
            yield row(structure, name, preset, trained(person, preset, sharp, steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--structures", nargs="+", choices=OTHER, default=list(OTHER))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for structure in options.structures:
        for found in study(structure, options.steps, options.seed):
            print(*found, sep=" | ", flush=True)
            rows.append(found)
    write_table(
        "how-blind-works.md",
        "no-sharp",
        "| structure | sharp set | method | fitted PSNR | SSIM | NCC of the kernel "
        "| ΔFWHM z / xy | the program says |",
        rows,
    )


if __name__ == "__main__":
    main()
