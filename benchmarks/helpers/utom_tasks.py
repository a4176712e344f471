"""The tasks of UTOM's Table 1: two unpaired domains each, pairs, and a test with truth.

``cells``, noisy to clean, and ``isotropic`` are simulated; the others are real pairs,
trained on unpaired: of each pair one image, at random, goes to its domain, and the
other is left out (Li et al. 2021). The files are named by the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from benchmarks.helpers.stained import ALPHA, FEW, IMAGES, MANY, TASKS, images
from napari_blurgan.content.histogram import otsu
from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.kernel import gaussian_kernel
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur

Images = NDArray[np.float32]

TILE = 96
TESTED = 6
"""One tile in so many is held out: 5 to 1, as in the paper."""

WIDER = 3.0
"""The axial over the lateral width of the PSF."""


@dataclass(frozen=True)
class Task:
    """What is trained on, and what it is tested on.

    Parameters
    ----------
    a, b : list of Stack
        The two domains, unpaired.
    pairs : tuple of list of Stack
        The same number of pairs, for the supervised row; empty where there are none.
    test, truth : list of ndarray
        Images of A, and what G should make of them.
    before : list of ndarray
        What no training would give.
    changes : dict
        Of the recipe.
    preset : str
        The recipe.
    """

    a: list[Stack]
    b: list[Stack]
    pairs: tuple[list[Stack], list[Stack]]
    test: list[Stack]
    truth: list[Images]
    before: list[Images]
    changes: dict[str, Any] = field(default_factory=dict)
    preset: str = "utom"


def cells(data: Path, seed: int, count: int = IMAGES) -> Task:
    """Noisy cells, 2 to 4 a field, to clean ones, 4 to 7 a field."""
    task = TASKS["denoise"]
    a, matched = images(task, count, FEW, 1)
    _, b = images(task, count, MANY, 2)
    test, truth = images(task, 40, FEW, 3)
    noisy = Stack(a, "TYX", name="noisy")
    return Task(
        [noisy],
        [Stack(b, "TYX", name="clean")],
        ([noisy], [Stack(matched, "TYX", name="clean, matched")]),
        [Stack(image, "YX", name="test") for image in test],
        list(truth),
        list(test),
        {"saliency.alpha": ALPHA, "saliency.beta": ALPHA},
    )


def isotropy(data: Path, seed: int, count: int = 3) -> Task:
    """Nuclei under a PSF three times as wide along z, every third plane taken.

    What no training would give is cubic interpolation along z.
    """
    voxel, shape, lateral = (0.9, 0.3, 0.3), (72, 96, 96), 2.0
    psf = gaussian_kernel((25, 9, 9), (WIDER * lateral, lateral, lateral))
    round_psf = gaussian_kernel((9, 9, 9), (lateral,) * 3)
    stacks, truths = [], []
    for n in range(count + 1):
        drawn = phantom("nuclei", shape, (0.3,) * 3, 40 + n)
        noise = np.random.default_rng(n).normal(0, 0.01, shape)
        seen = (blur(drawn, psf) + noise).astype(np.float32)[::3]
        stacks.append(Stack(seen, "ZYX", voxel, name=f"nuclei {n}"))
        truths.append(blur(drawn, round_psf))
    planes = np.asarray(stacks[-1].data)
    truth = truths[-1][: 3 * (len(planes) - 1) + 1]
    spline = CubicSpline(3 * np.arange(len(planes)), planes)
    before = spline(np.arange(len(truth))).astype(np.float32)
    level = otsu(np.concatenate([s.data.ravel() for s in stacks[:-1]]))
    return Task(
        stacks[:-1],
        stacks[:-1],
        ([], []),
        stacks[-1:],
        [truth],
        [before],
        {"saliency.alpha": level, "saliency.beta": level, "sampling.patch": 48},
        "isotropic",
    )


def labelling(data: Path, seed: int, count: int = 0) -> Task:
    """Bacteria in a mother machine, phase contrast to fluorescence."""
    name = "phase_bacteria_mothermachine_{}.tif"
    a, b = (_read(data, name.format(kind)) for kind in ("phase", "fluo"))
    dark = {"saliency.bright_background_a": True}
    return _of_tiles(a, b, seed, count, dark)


def frames(data: Path, seed: int, count: int = 0) -> Task:
    """One noisy frame of a cell to the mean of fifty, its third stain."""
    noisy, clean = _read(data, "fmd_bpae_widefield_raw_mean50.ome.tif")[:, 2]
    return _of_tiles(noisy, clean, seed, count, {})


def actin(data: Path, seed: int, count: int = 0) -> Task:
    """Actin, widefield to confocal, of the same frames."""
    widefield, confocal = _read(data, "actin_widefield_confocal_a.ome.tif")
    return _of_tiles(widefield, confocal, seed, count, {})


TASKS_OF_TABLE_1: dict[str, Callable[..., Task]] = {
    "cells": cells,
    "isotropic": isotropy,
    "labelling": labelling,
    "frames": frames,
    "actin": actin,
}


def _read(data: Path, name: str) -> Images:
    return tifffile.imread(next(data.rglob(name))).astype(np.float32)


def _of_tiles(
    a: Images, b: Images, seed: int, count: int, changes: dict[str, Any]
) -> Task:
    """Cut two registered images into tiles; every sixth is tested, `count` trained."""
    corners = [
        (y, x)
        for y in range(0, a.shape[0] - TILE + 1, TILE)
        for x in range(0, a.shape[1] - TILE + 1, TILE)
    ]
    tested = corners[TESTED // 2 :: TESTED]
    trained = [c for c in corners if c not in tested]
    # Which pairs give their A is drawn for each seed, as which are trained on.
    order = np.random.default_rng(seed).permutation(len(trained))
    chosen = [trained[n] for n in order[: count or None]]
    to_a, to_b = chosen[::2], chosen[1::2]
    return Task(
        _stacks(a, to_a),
        _stacks(b, to_b),
        (_stacks(a, chosen), _stacks(b, chosen)),
        _stacks(a, tested),
        [s.data for s in _stacks(b, tested)],
        [s.data for s in _stacks(a, tested)],
        {"saliency.alpha": otsu(a), "saliency.beta": otsu(b)} | changes,
    )


def _stacks(image: Images, corners: Sequence[tuple[int, int]]) -> list[Stack]:
    return [
        Stack(image[y : y + TILE, x : x + TILE].copy(), "YX", name=f"{y}, {x}")
        for y, x in corners
    ]
