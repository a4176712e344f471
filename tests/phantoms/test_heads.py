"""Slices of heads, complex."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.phantoms import heads, shepp_logan


def test_the_same_seed_draws_the_same_heads_and_another_one_others() -> None:
    first, again, other = (heads((32, 32), 3, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (3, 32, 32)
    assert first.dtype == np.complex64
    assert not np.allclose(np.abs(first), np.abs(other), atol=0.1)
    assert not np.allclose(np.abs(first[0]), np.abs(first[1]), atol=0.1)


def test_a_head_lies_in_the_dark_and_has_a_smooth_phase() -> None:
    head = heads((64, 48), 1, seed=0)[0]
    border = np.concatenate([head[0], head[-1], head[:, 0], head[:, -1]])
    assert not border.any()
    assert 0.8 < np.abs(head).max() < 1.3
    inside = np.abs(head) > 0.3
    pairs = inside[:, 1:] & inside[:, :-1]
    steps = np.angle(head[:, 1:] * head[:, :-1].conj())[pairs]
    assert np.abs(steps).max() < 0.5
    assert np.ptp(np.angle(head[inside])) > 0.5


def test_the_phantom_of_shepp_and_logan_has_its_grey_levels() -> None:
    image = np.abs(shepp_logan((128, 128)))
    assert image.max() == pytest.approx(1.0)
    assert image[64, 64] == pytest.approx(0.2)
    assert image[2, 2] == 0


@pytest.mark.parametrize("shape", [(8, 64), (4, 64, 64)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OpticsError, match="16 or more"):
        heads(shape, 1, seed=0)
