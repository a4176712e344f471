"""What each term of the loss contributes, also in ways that PSNR does not show.

With a known PSF the cycle x -> Hx -> G(Hx) is supervised training on simulated pairs.
So the terms are left out one by one, also where the simulation is wrong (a sharp set of
thicker structures, the PSF of another wavelength), and G(y) of volumes held out is
compared with the truth, and with the sharp set as a discriminator sees it:

- invented: the light of G(y) where the truth is empty, of all its light;
- lost: the light of the truth that G(y) lacks, of all of it;
- spectrum: mean |log ratio| of the power of patches of G(y) and of the sharp set, in
  bands of frequency;
- histogram: Wasserstein distance of their intensities, of the sharp set's mean;
- energy: energy distance of the patches' descriptions (log powers in bands, mean and
  spread), with the p value of a permutation test. The first row is the truth itself:
  no restoration should do better.

    python -m benchmarks.claims.loss_terms [--steps 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from benchmarks.helpers.papers_data import (
    EDGE,
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
from benchmarks.helpers.papers_rows import Row, figures, restored, train
from benchmarks.helpers.tables import write_table

SETTING = Setting(SCALES["cpu"], "gibson-lanni")
EMPTY = 0.02  # density below which there is nothing, two voxels away from anything
PATCH = 16
BANDS = 6
PERMUTATIONS = 999
THICK = {"thickness": 1.5 * 2 * VOXEL[-1]}
NO_DISCRIMINATOR = {"terms.adversarial_x": 0.0}


@dataclass(frozen=True)
class Arm:
    """A training: what is wrong about its data, and which term is left out."""

    case: str
    terms: str
    changes: dict[str, Any] = field(default_factory=dict)
    sharp: dict[str, float] = field(default_factory=dict)
    wavelength: float = 500.0


ARMS = (
    Arm("all is right", "all"),
    Arm("all is right", "no discriminator", NO_DISCRIMINATOR),
    Arm("all is right", "no cycle y → x → y", {"terms.cycle_y": 0.0}),
    Arm("all is right", "no cycle x → y → x", {"terms.cycle_x": 0.0}),
    Arm("sharp set 1.5 × thicker", "all", sharp=THICK),
    Arm("sharp set 1.5 × thicker", "no discriminator", NO_DISCRIMINATOR, THICK),
    Arm("PSF of 610 nm", "all", wavelength=610.0),
    Arm("PSF of 610 nm", "no discriminator", NO_DISCRIMINATOR, wavelength=610.0),
)


def inside(volume: Volume) -> Volume:
    """Cut the border off, where objects that nobody sees shine in."""
    return volume[(slice(EDGE, -EDGE),) * 3]


def light(result: Volume, truth: Volume) -> tuple[float, float]:
    """Return the share of light that was invented, and the share that was lost."""
    result, truth = inside(result).clip(0), inside(truth)
    empty = ~binary_dilation(truth > EMPTY, iterations=2)
    scale = truth.sum() / max(float(result.sum()), 1e-9)
    missing = np.clip(truth - scale * result, 0, None).sum() / truth.sum()
    return float(result[empty].sum() / result.sum()), float(missing)


def patches(images: Sequence[Volume]) -> NDArray[np.float64]:
    """Cut (n, z, y, x) patches with something in them."""
    found = []
    for image in map(inside, images):
        sizes = [n // PATCH for n in image.shape]
        for corner in np.ndindex(*sizes):
            start = [c * PATCH for c in corner]
            patch = image[tuple(slice(s, s + PATCH) for s in start)]
            found.append(patch.astype(np.float64))
    filled = [p for p in found if p.mean() > 0.25 * np.mean([q.mean() for q in found])]
    return np.stack(filled)


def band_powers(cut: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log power of each patch in bands of frequency, (n, bands)."""
    window = np.hanning(PATCH)
    shape = window[:, None, None] * window[:, None] * window
    power = np.abs(np.fft.rfftn(cut * shape, axes=(1, 2, 3))) ** 2
    lines = [np.fft.fftfreq(PATCH)] * 2 + [np.fft.rfftfreq(PATCH)]
    radius = np.sqrt(sum(f**2 for f in np.ix_(*lines)))
    edges = np.linspace(0, 0.5, BANDS + 1)
    bands = [(a <= radius) & (radius < b) for a, b in itertools.pairwise(edges)]
    return np.log(np.stack([power[:, band].mean(1) for band in bands], 1) + 1e-8)


def energy(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return the energy distance of two samples, and how often chance exceeds it."""
    both = np.concatenate([a, b])
    distances = cdist(both, both)
    rng = np.random.default_rng(0)

    def statistic(order: NDArray[np.int64]) -> float:
        first, second = order[: len(a)], order[len(a) :]
        within = (distances[np.ix_(part, part)].mean() for part in (first, second))
        return float(2 * distances[np.ix_(first, second)].mean() - sum(within))

    seen = statistic(np.arange(len(both)))
    chance = [statistic(rng.permutation(len(both))) for _ in range(PERMUTATIONS)]
    return seen, (1 + sum(c >= seen for c in chance)) / (1 + PERMUTATIONS)


def described(cut: NDArray[np.float64]) -> NDArray[np.float64]:
    means, spreads = cut.mean((1, 2, 3)), cut.std((1, 2, 3))
    return np.column_stack([band_powers(cut), np.log(means), np.log(spreads)])


def statistics(made: Sequence[Volume], sharp: Sequence[Volume]) -> list[str]:
    """Compare what was made with the sharp set, unpaired."""
    ours, theirs = patches(made), patches(sharp)
    powers = [band_powers(cut).mean(0) for cut in (ours, theirs)]
    spectrum = np.abs(powers[0] - powers[1]).mean()
    histogram = wasserstein_distance(ours.ravel(), theirs.ravel()) / theirs.mean()
    first, second = described(ours), described(theirs)
    scale = second.std(0)
    distance, p = energy(first / scale, second / scale)
    return [f"{spectrum:.2f}", f"{histogram:.3f}", f"{distance:.3f}", f"{p:.3f}"]


def row(
    case: str, terms: str, made: list[Volume], truths: list[Volume], sharp: list[Volume]
) -> list[str]:
    pairs = list(zip(made, truths, strict=True))
    fitted = np.mean([figures(m, x)["psnr_fitted"] for m, x in pairs])
    invented, lost = np.mean([light(m, x) for m, x in pairs], axis=0)
    shares = [f"{invented:.1%}", f"{lost:.1%}"]
    return [case, terms, f"{fitted:.2f}", *shares, *statistics(made, sharp)]


def made_by(arm: Arm, data: Experiment, steps: int, seed: int) -> list[Volume]:
    """Train, and restore the volumes held out."""
    given = {"psf": data.setting.psf(arm.wavelength)}
    row = Row("nonblind", changes=arm.changes)
    model = train(row, data, steps, seed, "cpu", given=given).model
    return restored(model, data, held_out(SETTING, 3))


def rows(steps: int, seed: int) -> Iterator[list[str]]:
    data, truths = experiment(SETTING, seed), held_out(SETTING, 3)
    first, count = 200 * seed + 100, SETTING.scale.volumes
    sharp = volumes(SETTING, "microtubules", first, count)
    yield row("", "the truth itself", truths, truths, sharp)
    for arm in ARMS:
        sharp = volumes(SETTING, "microtubules", first, count, **arm.sharp)
        seen = replace(data, sharp=stacks(sharp, "x"))
        made = made_by(arm, seen, steps, seed)
        yield row(arm.case, arm.terms, made, truths, sharp)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = []
    for cells in rows(options.steps, options.seed):
        print(*cells, sep=" | ", flush=True)
        found.append(cells)
    write_table(
        "benchmarks.md",
        "terms",
        "| what is wrong | terms | fitted PSNR | invented | lost | spectrum "
        "| histogram | energy | p |",
        found,
    )


if __name__ == "__main__":
    main()
