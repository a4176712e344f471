"""Adaptive histogram equalisation, plane by plane."""

from __future__ import annotations

import numpy as np

from napari_blurgan.measure.equalization import equalized


def test_planes_span_the_range_and_flat_ones_stay() -> None:
    rng = np.random.default_rng(0)
    image = np.stack([0.2 * rng.random((32, 32)), np.full((32, 32), 0.3)])
    kept = image.copy()
    found = equalized(image)
    assert (found[0].min(), found[0].max()) == (0, 1)
    np.testing.assert_array_equal(found[1], image[1])
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(found[0], equalized(image[0]))
