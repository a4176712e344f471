"""The exported estimate of the object is that of the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.export.estimate import ScriptedEstimate
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel

SHAPES = {2: (80, 96), 3: (8, 40, 48)}


def blur(dims: int, haze: float) -> BlurKernel:
    """Return a spot with a share of its light in a halo."""
    depth = 1 if dims == 2 else 5
    point = np.zeros((depth, 25, 25))
    point[depth // 2, 12, 12] = 1
    width = (0 if dims == 2 else 0.8, 1.2, 1.2)
    halo = gaussian_filter(point, [4 * w for w in width])
    kernel = (1 - haze) * gaussian_filter(point, width) + haze * halo
    return BlurKernel(FixedKernel(torch.from_numpy(kernel).float()), dims=dims)


def image(shape: tuple[int, ...]) -> Tensor:
    """Return spots in one half, and very little light in the other."""
    rng = torch.Generator().manual_seed(0)
    spots = (torch.rand(shape, generator=rng) > 0.97) * 20_000.0
    spots[..., : shape[-1] // 2] = 0
    smooth = gaussian_filter(spots.numpy(), (0,) * (len(shape) - 2) + (2, 2))
    return torch.from_numpy(smooth + 20)[None, None].float()


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("haze", "grain"), [(0, 0), (0.5, 0), (0, 0.8)])
def test_the_exported_estimate_is_that_of_the_engine(
    dims: int, haze: float, grain: float
) -> None:
    y = image(SHAPES[dims])
    estimator = Estimator(iterations=8, pedestal=2.0, depths=3, grain=grain)
    kernel = blur(dims, haze)
    exported = torch.jit.script(ScriptedEstimate(estimator, kernel))(y)
    torch.testing.assert_close(exported, estimator(y, kernel), rtol=1e-3, atol=1e-2)
