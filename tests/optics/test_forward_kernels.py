"""Parametrisations of the kernel, and what they start from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.kernel import (
    FixedKernel,
    FreeKernel,
    SoftmaxKernel,
    delta_kernel,
    gaussian_kernel,
    random_kernel,
    widened,
)
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.width import fwhm

ODD = st.sampled_from([1, 3, 5, 7])


@settings(max_examples=40, deadline=None)
@given(st.tuples(ODD, ODD, ODD), st.sampled_from(["axes", "rotational"]), st.integers())
def test_symmetric_softmax_stays_a_centred_psf(
    shape: tuple[int, ...], symmetry: str, seed: int
) -> None:
    kernel = SoftmaxKernel(np.ones(shape), symmetry)
    generator = torch.Generator().manual_seed(seed % 2**31)
    with torch.no_grad():
        kernel.logits.normal_(0, 2, generator=generator)
    values = kernel().detach()
    assert values.shape == shape
    assert (values >= 0).all()
    assert float(values.sum()) == pytest.approx(1, abs=1e-5)
    for axis in range(3):
        torch.testing.assert_close(values, values.flip(axis))
    if shape[1] == shape[2]:
        torch.testing.assert_close(values, values.mT)


@pytest.mark.parametrize("symmetry", ["none", "axes", "rotational"])
def test_softmax_starts_from_a_given_kernel(symmetry: str) -> None:
    start = gaussian_kernel((9, 7, 7), (4, 3, 3))
    values = SoftmaxKernel(start, symmetry)().detach().numpy()
    np.testing.assert_allclose(values, start, atol=2e-5)


def test_rotational_kernel_depends_on_the_radius() -> None:
    kernel = SoftmaxKernel(np.random.default_rng(0).random((3, 7, 7)), "rotational")()
    assert kernel[0, 3, 3 + 3] == kernel[2, 3 + 3, 3]
    assert kernel[0, 3 + 1, 3 + 2] != kernel[0, 3, 3 + 2]


def test_softmax_is_lifted_from_zero_by_its_gradient() -> None:
    kernel = SoftmaxKernel(delta_kernel((5, 5, 5)))
    kernel()[2, 2, 3].backward()
    assert kernel.logits.grad is not None
    assert float(kernel.logits.grad.abs().max()) > 0


def test_free_kernel_is_taken_literally() -> None:
    values = random_kernel((4, 5, 6), seed=3)
    assert (values < 0).any()
    torch.testing.assert_close(FreeKernel(values)().detach(), torch.tensor(values))


def test_random_kernel_is_what_a_convolution_starts_from() -> None:
    values = random_kernel((15, 15, 15), seed=0)
    layer = torch.nn.Conv3d(1, 1, 15, bias=False).weight.detach().numpy()
    assert values.std() == pytest.approx(layer.std(), rel=0.05)
    assert abs(values).max() == pytest.approx(abs(layer).max(), rel=0.05)
    np.testing.assert_array_equal(values, random_kernel((15, 15, 15), seed=0))


def test_gaussian_has_the_width_asked_for() -> None:
    widths = fwhm(gaussian_kernel((21, 21, 21), (6.0, 3.5, 4.0)))
    np.testing.assert_allclose(widths, (6.0, 3.5, 4.0), rtol=0.01)


def test_fixed_kernel_sums_to_one_and_has_nothing_to_learn() -> None:
    kernel = FixedKernel(np.full((3, 3, 3), 7.0))
    assert float(kernel().sum()) == pytest.approx(1)
    assert list(kernel.parameters()) == []


def test_kernels_that_cannot_be() -> None:
    with pytest.raises(OpticsError, match="odd sizes"):
        SoftmaxKernel(np.ones((4, 5, 5)), "axes")
    with pytest.raises(OpticsError, match="negative"):
        SoftmaxKernel(delta_kernel((3, 3, 3)) - 0.01, "none")
    with pytest.raises(OpticsError, match="sum above zero"):
        FixedKernel(np.zeros((3, 3, 3)))
    with pytest.raises(OpticsError, match="three sizes"):
        FixedKernel(np.ones((3, 3)))


def test_a_widened_psf_is_that_of_a_longer_wave() -> None:
    shape, voxel = (31, 41, 41), (0.08, 0.04, 0.04)
    short, long = (
        theoretical_psf(Optics(1.2, 1.33, nm), shape, voxel) for nm in (500, 600)
    )
    wide = widened(torch.tensor(short.data), 1.2).numpy()
    assert fwhm(wide) == pytest.approx(fwhm(long.data), rel=0.02)
    assert wide.sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(wide - long.data).max() < 0.1 * long.data.max()


def test_a_plane_is_widened_in_the_plane() -> None:
    plane = torch.tensor(gaussian_kernel((1, 21, 21), (1, 4, 4)))
    _, y, x = fwhm(widened(plane, 1.5).numpy())
    assert (y, x) == pytest.approx((6, 6), rel=0.02)
    torch.testing.assert_close(widened(plane, 1.0), plane)


def test_what_lies_beyond_a_kernel_is_not_made_up() -> None:
    with pytest.raises(OpticsError, match=r"1 or more, not by 0\.9"):
        widened(torch.ones(3, 3, 3), 0.9)
