"""Which samples of a pixel are intensities."""

from __future__ import annotations

import numpy as np

from napari_blurgan import Stack
from napari_blurgan.data.colour import ChannelMean, without_alpha

RGBA = np.random.default_rng(0).integers(0, 255, (5, 6, 4)).astype(np.uint8)


def test_alpha_is_left_out() -> None:
    found = without_alpha(Stack(RGBA, "YXS"))
    np.testing.assert_array_equal(found.data[:], RGBA[..., :3])
    plain = Stack(RGBA[..., :3], "YXS")
    assert without_alpha(plain) is plain


def test_the_mean_is_that_of_the_channels_without_alpha() -> None:
    mean = ChannelMean(Stack(RGBA, "YXS"))
    np.testing.assert_allclose(mean[:], RGBA[..., :3].mean(axis=-1))
    np.testing.assert_allclose(mean[2], RGBA[2, :, :3].mean(axis=-1))


def test_one_channel_is_unchanged() -> None:
    mean = ChannelMean(Stack(RGBA[..., 0], "YX"))
    assert mean[:].dtype == np.uint8
    np.testing.assert_array_equal(mean[:], RGBA[..., 0])
