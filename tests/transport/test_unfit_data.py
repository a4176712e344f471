"""Data that do not fit a recipe are refused before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training.trainer import Trainer
from tests.support.trainings import Domains


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda y, x: ([], x), "no blurred images"),
        (lambda y, x: (y, []), "no sharp images"),
        (lambda y, x: (y, y), "same image"),
        (lambda y, x: ([_cut(y[0], 12)], x), "smaller than a patch"),
        (lambda y, x: ([_filled(y[0], np.nan)], x), r"NaN|finite"),
        (lambda y, x: ([_filled(y[0], 5.0)], x), "all sampled voxels are 5"),
        (
            lambda y, x: ([y[0], dataclasses.replace(y[1], voxel_size=(1, 1, 1))], x),
            "resample",
        ),
        (lambda y, x: ([_plane(y[0])], x), "is a plane"),
        (lambda y, x: ([_two_channels(y[0])], x), "one channel"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_plain_words(
    break_it: Callable[[list[Stack], list[Stack]], Domains],
    message: str,
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    y, x = break_it(*domains("nonblind"))
    out = tmp_path / "a.blurgan"
    with pytest.raises(BlurGANError, match=message):
        list(Trainer(tiny("nonblind"), y, x, out, psf=psf, steps=2))
    assert not out.exists()


def test_a_known_blur_that_nobody_gave_is_asked_for(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains]
) -> None:
    with pytest.raises(BlurGANError, match="give a PSF file, or the optics"):
        list(Trainer(tiny("nonblind"), *domains("nonblind"), steps=2))


def _cut(stack: Stack, size: int) -> Stack:
    return dataclasses.replace(stack, data=np.asarray(stack.data)[:, :size, :size])


def _filled(stack: Stack, value: float) -> Stack:
    return dataclasses.replace(stack, data=np.full(stack.data.shape, value, np.float32))


def _plane(stack: Stack) -> Stack:
    return dataclasses.replace(stack, data=np.asarray(stack.data)[0], axes="YX")


def _two_channels(stack: Stack) -> Stack:
    both = np.stack([np.asarray(stack.data)] * 2)
    return dataclasses.replace(stack, data=both, axes="CZYX")
