from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import Warned
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import membranes, microtubules, vesicles
from napari_blurgan.optics.simulation import simulate
from napari_blurgan.preparation.likeness import ODD, difference
from napari_blurgan.training.trainer import Trainer

VOXEL = (0.2, 0.1, 0.1)
SHAPE = (32, 128, 128)
PSF = theoretical_psf(Optics(0.9, 1.33, 520), (9, 9, 9), VOXEL)
# Of several resolutions; smaller ones are grains that look like crossing threads.
LARGE = partial(vesicles, radius=1.0)
DRAW = {"threads": microtubules, "shells": LARGE, "sheets": membranes}


@cache
def measured(kind: str, seed: int) -> Any:
    return simulate(DRAW[kind](SHAPE, VOXEL, seed=seed), PSF.data, seed=seed)[1]


def apart(ours: Any, theirs: Any) -> Any:
    blurred, sharp = ([measured(k, s) for s in (n, n + 1)] for k, n in (ours, theirs))
    return difference(blurred, sharp, 2.0)


@pytest.mark.parametrize("kind", DRAW)
def test_sets_of_one_kind_are_alike(kind: str) -> None:
    assert apart((kind, 1), (kind, 11)) < ODD / 2


@pytest.mark.parametrize("other", ["shells", "sheets"])
def test_threads_are_neither_shells_nor_sheets(other: str) -> None:
    assert apart(("threads", 1), (other, 11)) > ODD
    assert apart((other, 1), ("threads", 11)) > ODD


def test_brightness_does_not_matter() -> None:
    a, b = [measured("threads", 1)], [measured("sheets", 2)]
    brighter = [1000 * image for image in b]
    assert difference(a, b, 2.0) == pytest.approx(
        difference(a, brighter, 2.0), rel=0.01
    )


def test_too_little_says_nothing() -> None:
    plane = np.zeros((32, 32), np.float32)
    assert difference([plane], [plane], 1.0) == 0.0
    assert difference([plane] * 5, [plane] * 5, 1.0) == 0.0


@pytest.mark.parametrize(("kind", "told"), [("threads", False), ("sheets", True)])
def test_a_training_says_so(kind: str, told: bool) -> None:
    sharp = DRAW[kind](SHAPE, VOXEL, seed=11)
    small = {
        "sampling.patch": 16,
        "reconstructor.base": 2,
        "reconstructor.iterations": 2,
    }
    recipe = preset("nonblind").updated(small)
    trainer = Trainer(
        recipe,
        [Stack(measured("threads", 1), "ZYX", VOXEL)],
        [Stack(sharp, "ZYX", VOXEL)],
        psf=PSF,
        steps=1,
    )
    codes = [event.code for event in trainer if isinstance(event, Warned)]
    assert ("other-structures" in codes) == told
