"""The same image in both domains is found by its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.sampling.shared_images import check_no_shared_images

RNG = np.random.default_rng(0)


def stack(name: str, pixels: np.ndarray | None = None) -> Stack:
    values = RNG.random((4, 16, 16)) if pixels is None else pixels
    return Stack(values, "ZYX", name=name)


def test_a_copy_of_an_image_is_named() -> None:
    one = stack("measured")
    copy = stack("a copy", np.array(one.data))
    with pytest.raises(DataError, match="measured and a copy"):
        check_no_shared_images([stack("other"), one], [stack("sharp"), copy])


def test_different_images_and_empty_ones_are_not_shared() -> None:
    empty = np.zeros((4, 16, 16))
    check_no_shared_images(
        [stack("a"), stack("black", empty)], [stack("b"), stack("dark", empty.copy())]
    )
