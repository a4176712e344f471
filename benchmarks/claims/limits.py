"""What becomes of a blind kernel when the sharp set is not what was blurred.

Microtubules blurred by a vectorial PSF (tests hold out other volumes), and sharp sets
that are denser, thicker, of other structures, or made by Richardson-Lucy of other
blurred volumes under the right optics or an NA 10 % wrong. For each: whether a training
says that the sets do not match, with and without knowing the optics; the kernel that is
identified without them, and what Richardson-Lucy makes of a held-out volume with that
kernel, stopped at its best.

    python -m benchmarks.claims.limits [--train 1000]   # all but the first: one seed

Training with a sharp set that Richardson-Lucy made is in ``no_sharp.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

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
    Trained,
    best,
    kernel_figures,
    richardson_lucy,
    tested,
    train,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.identification.identify import SpectralFit, identify_psf
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.psf import Psf

SETTING = Setting(SCALES["cpu"], "vectorial")
KNOWN = Optics(1.4, 1.5, 500.0)
RL_ITERATIONS = 100
UNLIKE = {
    "mismatched-sets",
    "other-structures",
    "other-optics",
    "sharper-than-optics",
}
"""What a training may say of its sets."""


@dataclass(frozen=True)
class Case:
    """A sharp set, and how it came about."""

    name: str
    images: list[Volume]
    home_made: bool = False


def deconvolved(data: Experiment, seed: int, optics: Optics) -> list[Volume]:
    """Return other blurred volumes, deconvolved as people without a sharp set do."""
    psf = vectorial(optics, data.psf.shape, VOXEL)
    truths = volumes(SETTING, "microtubules", 200 * seed + 100, SETTING.scale.volumes)
    blurred = [data.expose(x, 500.0, 700 + n) for n, x in enumerate(truths)]
    return [deconvolve(y, psf, "rl", iterations=RL_ITERATIONS).image for y in blurred]


def cases(data: Experiment, seed: int) -> Iterator[Case]:
    first, count = 200 * seed + 100, SETTING.scale.volumes

    def drawn(structure: str, **options: float) -> list[Volume]:
        return volumes(SETTING, structure, first, count, **options)

    yield Case("the same kind", drawn("microtubules"))
    yield Case("density × 3", drawn("microtubules", density=3.0))
    yield Case("thickness × 1.5", drawn("microtubules", thickness=1.5 * 2 * VOXEL[-1]))
    for other in ("vesicles", "membranes", "nuclei"):
        yield Case(other, drawn(other))
    yield Case("Richardson–Lucy, right optics", deconvolved(data, seed, KNOWN), True)
    wrong = replace(KNOWN, na=0.9 * KNOWN.na)
    yield Case("Richardson–Lucy, NA 10 % wrong", deconvolved(data, seed, wrong), True)


def identify(data: Experiment, images: Sequence[Volume]) -> SpectralFit:
    blurred = [stack.data for stack in data.blurred]
    return identify_psf(blurred, images, VOXEL, shape=data.psf.shape)


def restored(data: Experiment, psf: Psf, truth: Volume) -> float:
    """Return the fitted PSNR of Richardson-Lucy with this PSF."""
    y = data.expose(truth, 500.0, 9000)
    return best(richardson_lucy(y, psf, data.gain), truth)["psnr_fitted"]


def says_so(trained: Trained) -> bool:
    return any(warning.code in UNLIKE for warning in trained.warnings)


def measure(
    data: Experiment, case: Case, truth: Volume, steps: int, seed: int
) -> dict[str, float]:
    fit = identify(data, case.images)
    whole = steps > 0 and not case.home_made
    unpaired = replace(data, sharp=stacks(case.images, "x"))
    trained = train(Row("blind"), unpaired, steps if whole else 1, seed, "cpu")
    knowing = train(Row("blind"), unpaired, 1, seed, "cpu", given={"optics": KNOWN})
    found = kernel_figures(fit.psf, data.psf) | {
        "reported": says_so(trained),
        "reported, optics known": says_so(knowing),
        "residual": fit.residual,
        "rl": restored(data, fit.psf, truth),
    }
    if whole:
        [image] = tested(trained.model, data, [truth], 500.0)
        found["blind"] = image["psnr_fitted"]
    return found


def table(found: dict[str, list[dict[str, float]]]) -> Iterator[list[str]]:
    for name, seeds in found.items():
        ncc, z, xy, rl = (
            median(f[k] for f in seeds) for k in ("ncc", "fwhm_z", "fwhm_xy", "rl")
        )
        reported = [
            f"{sum(f[k] for f in seeds):.0f} of {len(seeds)}"
            for k in ("reported", "reported, optics known")
        ]
        residual = f"{median(f['residual'] for f in seeds):.3f}"
        blind = [f["blind"] for f in seeds if "blind" in f]
        image = f"{median(blind):.2f}" if blind else "not run"
        yield [
            name,
            *reported,
            residual,
            f"{ncc:.4f}",
            f"{z:+.0%}",
            f"{xy:+.0%}",
            f"{rl:.2f}",
            image,
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", type=int, default=0, metavar="STEPS")
    options = parser.parse_args()
    torch.set_num_threads(1)
    [truth] = held_out(SETTING, 1)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in options.seeds:
        data = experiment(SETTING, seed)
        rl = restored(data, data.psf, truth)
        print(f"seed {seed}: Richardson-Lucy with the true PSF {rl:.2f} dB", flush=True)
        for case in cases(data, seed):
            steps = options.train if seed == options.seeds[0] else 0
            figures = measure(data, case, truth, steps, seed)
            found.setdefault(case.name, []).append(figures)
            print(case.name, figures, flush=True)
    write_table(
        "how-blind-works.md",
        "limits",
        "| sharp set | reported | reported, optics known | residual | NCC | ΔFWHM z "
        "| ΔFWHM xy | RL with it, dB | blind, dB |",
        table(found),
    )


if __name__ == "__main__":
    main()
