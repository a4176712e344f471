"""Memory of a deconvolution, and tiles for images that need more."""

from __future__ import annotations

import pytest

from napari_blurgan import Optics, Psf
from napari_blurgan.classical.memory import peak_bytes, tile_for
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.errors import OutOfMemoryError

PSF = Psf.from_optics(Optics(1.2, 1.33, 520), (0.3, 0.1, 0.1), (9, 11, 11))
RL = METHODS["rl"]
SHAPE = (64, 256, 256)


def test_larger_images_need_more() -> None:
    small, large = (peak_bytes(RL, (n, 64, 64), PSF) for n in (16, 64))
    assert 4 * 16 * 64 * 64 < small < large


def test_an_image_that_fits_needs_no_tiles() -> None:
    assert tile_for(RL, (8, 16, 16), [PSF], "cpu") is None


def test_tiles_fit_the_limit_and_keep_thin_axes() -> None:
    tile = tile_for(RL, SHAPE, [PSF], "cpu", limit=30_000_000)
    assert tile is not None
    assert tile[0] > 8
    assert max(tile) < 256


def test_a_method_without_tiles_says_what_it_needs() -> None:
    with pytest.raises(OutOfMemoryError, match="GB"):
        tile_for(RL, SHAPE, [PSF], "cpu", may_tile=False, limit=30_000_000)


def test_a_limit_below_all_tiles_is_an_error() -> None:
    with pytest.raises(OutOfMemoryError, match="tiles"):
        tile_for(RL, SHAPE, [PSF], "cpu", limit=1000)
