"""The estimate that a generator starts from."""

from __future__ import annotations

import torch

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel


def test_noise_below_the_offset_does_not_explode() -> None:
    # A dark corner: the background was taken off, and half the voxels are negative.
    noise = torch.randn(1, 1, 8, 40, 40, generator=torch.Generator().manual_seed(0))
    dark = 0.01 * (noise - noise.mean() - 0.05)
    blur = BlurKernel(FixedKernel(torch.ones(5, 5, 5).numpy() / 125), 1.0, 3)
    for pedestal in (0.0, 0.01):
        estimate = Estimator(20, pedestal)(dark, blur)
        assert estimate.shape == dark.shape
        # No more light comes out than went in, and no voxel gets much of it.
        assert estimate.min() >= 0
        assert estimate.mean() < 1.2 * dark.clamp(min=0).mean()
        assert estimate.max() < 1
