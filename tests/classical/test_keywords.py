"""No keyword is swallowed, no value out of range is worked with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.keywords import accepted
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.errors import BlurGANError, DataError, RecipeError
from napari_blurgan.optics.camera import Camera

RNG = np.random.default_rng(0)
IMAGE = RNG.poisson(50, (5, 12, 12)).astype(np.float32)
PSF = np.ones((3, 3, 3), np.float32) / 27
CAMERA = Camera(1000, 1, 1, 0)
ODD = (math.nan, math.inf, -math.inf, -1, 1e300, "3", None, [1], 1j)


def small(method: str) -> dict[str, object]:
    """Return what makes a method quick and whole."""
    return ({"iterations": 1} if METHODS[method].iterative else {}) | (
        {"camera": CAMERA} if METHODS[method].counts else {}
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("word", "nearest"),
    [("backgound", "background"), ("volxel_size", "voxel_size"), ("zebra", "")],
)
def test_a_misspelt_keyword_is_refused_with_the_nearest(
    method: str, word: str, nearest: str
) -> None:
    hint = f"did you mean {nearest}" if nearest else "it takes"
    with pytest.raises(RecipeError, match=f"takes no '{word}'.*{hint}"):
        deconvolve(IMAGE, PSF, method, **{word: 3})


@pytest.mark.parametrize("method", METHODS)
def test_every_keyword_of_a_form_is_taken_by_the_function(method: str) -> None:
    names = {parameter.name for parameter in METHODS[method].parameters}
    assert names <= set(accepted(METHODS[method].function))


@pytest.mark.parametrize("method", [m for m in METHODS if METHODS[m].iterative])
def test_the_name_of_scikit_image_is_an_alias(method: str) -> None:
    options: dict[str, Any] = small(method) | {"iterations": 2}
    ours = deconvolve(IMAGE, PSF, method, **options)
    del options["iterations"]
    theirs = deconvolve(IMAGE, PSF, method, num_iter=2, **options)
    np.testing.assert_array_equal(theirs.image, ours.image)
    assert theirs.iterations == ours.iterations
    with pytest.raises(RecipeError, match="given twice"):
        deconvolve(IMAGE, PSF, method, num_iter=2, iterations=2)


def test_a_rule_to_stop_can_be_named() -> None:
    by_name = deconvolve(IMAGE, PSF, iterations=500, stop="change")
    assert by_name.criterion == "relative change"
    with pytest.raises(RecipeError, match="no rule 'never'"):
        deconvolve(IMAGE, PSF, stop="never")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", ODD)
def test_parameters_out_of_range_are_refused_with_the_range(
    method: str, value: Any
) -> None:
    for parameter in METHODS[method].parameters:
        with pytest.raises(DataError, match=f"{parameter.name} must be .* to "):
            deconvolve(IMAGE, PSF, method, **small(method) | {parameter.name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300, "3", [1], 1j])
@pytest.mark.parametrize("option", ["background", "start", "voxel_size", "edges"])
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    with pytest.raises(BlurGANError):
        deconvolve(IMAGE, PSF, iterations=1, **{option: value})


@pytest.mark.parametrize(
    "value", [(0, 1, 1), (-1, 1, 1), (math.nan, 1, 1), (1,), (1e300, 1, 1), "zyx"]
)
def test_impossible_voxels_are_refused(value: Any) -> None:
    with pytest.raises(BlurGANError, match="voxel"):
        deconvolve(IMAGE, PSF, iterations=1, voxel_size=value)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "meta", 3])
def test_a_device_that_is_not_there_is_refused(device: object) -> None:
    with pytest.raises(RecipeError, match=r"'cpu' or 'auto'|are auto, cpu"):
        deconvolve(IMAGE, PSF, iterations=1, device=device)


def test_the_best_device_can_be_asked_for() -> None:
    asked = deconvolve(IMAGE, PSF, iterations=1, device="auto")
    np.testing.assert_array_equal(
        asked.image, deconvolve(IMAGE, PSF, iterations=1).image
    )
