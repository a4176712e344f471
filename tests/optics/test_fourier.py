"""Convolution by FFT."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.optics.fourier import (
    convolve,
    correlate,
    fast_shape,
    transfer_function,
)

SHAPE = (6, 8, 10)


def test_fast_sizes_are_no_smaller() -> None:
    for n in (7, 11, 97):
        (found,) = fast_shape((n,))
        assert n <= found < 1.2 * n + 2


def test_a_kernel_at_the_centre_moves_nothing() -> None:
    kernel = torch.zeros(3, 4, 5)
    kernel[1, 2, 2] = 1
    image = torch.rand(1, 1, *SHAPE)
    otf = transfer_function(kernel, SHAPE)
    torch.testing.assert_close(convolve(image, otf, SHAPE), image, atol=1e-6, rtol=0)


def test_correlation_is_the_adjoint() -> None:
    kernel, x, y = torch.rand(3, 3, 3), torch.rand(*SHAPE), torch.rand(*SHAPE)
    otf = transfer_function(kernel, SHAPE)
    left = float((convolve(x, otf, SHAPE) * y).sum())
    right = float((x * correlate(y, otf, SHAPE)).sum())
    assert left == pytest.approx(right, rel=1e-5)


def test_a_kernel_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        transfer_function(torch.rand(7, 3, 3), SHAPE)
