"""The layers shared by networks in two and three dimensions."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.layers import (
    convolution,
    crop_to,
    cut,
    output_layer,
    pad_to_multiple,
    part_of,
    per_axis,
    steps_up,
)


def test_a_number_stands_for_every_axis() -> None:
    assert per_axis(2, 3) == (2, 2, 2)
    assert per_axis((1, 2), 2) == (1, 2)
    for wrong in ((1, 2, 3), 0, (0, 1)):
        with pytest.raises(RecipeError, match="numbers"):
            per_axis(wrong, 2)


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_a_convolution_keeps_the_size(kernel: int) -> None:
    layer = convolution(3, 1, 2, kernel)
    assert layer(torch.rand(1, 1, 5, 6, 7)).shape == (1, 2, 5, 6, 7)


def test_padding_and_cropping_are_inverse() -> None:
    image = torch.rand(1, 1, 5, 7)
    padded = pad_to_multiple(image, (4, 4))
    assert padded.shape[-2:] == (8, 8)
    torch.testing.assert_close(crop_to(padded, image.shape[2:]), image)
    torch.testing.assert_close(padded[..., 5:, 0], image[..., 4:, 0].expand(-1, -1, 3))


@pytest.mark.parametrize("kind", ["nearest", "transposed"])
def test_up_sampling_multiplies_the_size(kind: str) -> None:
    layers = torch.nn.Sequential(*steps_up(2, 3, 2, (2, 2), "none", 0.1, kind))
    assert layers(torch.rand(1, 3, 4, 5)).shape == (1, 2, 8, 10)


def test_parts_and_cuts() -> None:
    image = torch.arange(20.0).reshape(1, 1, 4, 5)
    part = part_of(image, (slice(1, 3), slice(2, 4)))
    torch.testing.assert_close(part, image[..., 1:3, 2:4])
    found = cut(image, [(11, 12), (20, 22)], [(10, 13), (20, 24)])
    torch.testing.assert_close(found, image[..., 1:3, 0:3])


def test_an_output_can_start_at_zero() -> None:
    layer = output_layer(2, 3, 1, zero=True)
    assert not layer(torch.rand(1, 3, 4, 4)).any()
