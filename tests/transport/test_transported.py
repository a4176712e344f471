"""What is cut off images of different reach before they are compared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from napari_blurgan.reconstructors.reconstructor import Inferred
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported, crop_like, trim


def test_both_ends_of_the_last_axes_are_cut() -> None:
    image = torch.arange(2 * 5 * 6).reshape(1, 2, 5, 6)
    assert torch.equal(trim(image, (1, 2)), image[:, :, 1:4, 2:4])
    assert torch.equal(crop_like(image, torch.zeros(1, 1, 3, 4)), image[..., 1:4, 1:5])


def doubling(calls: list[torch.Tensor]) -> Any:
    def double(y: torch.Tensor, estimate: torch.Tensor | None = None) -> torch.Tensor:
        calls.append(y)
        return 2 * y

    return SimpleNamespace(
        to_x=double, infer=lambda y, estimate: Inferred(double(y, estimate))
    )


@pytest.mark.parametrize(("power", "expected"), [(1, 2.0), (2, 4.0)])
def test_the_distance_is_that_of_the_common_part(power: int, expected: float) -> None:
    images = Transported(doubling([]), Draw(torch.zeros(1, 1, 8, 8)), (8, 8), power)
    real = torch.full((1, 1, 8, 8), 100.0)
    real[..., 2:6, 2:6] = 3
    assert float(images.distance(real, torch.ones(1, 1, 4, 4))) == expected


def test_an_image_is_made_once_of_the_middle_of_the_draw() -> None:
    calls: list[torch.Tensor] = []
    y = torch.rand(1, 1, 8, 8)
    images = Transported(doubling(calls), Draw(y), (4, 4))
    assert not calls
    assert torch.equal(images.x_hat, 2 * y[..., 2:6, 2:6])
    assert images.x_hat is images.x_hat
    assert len(calls) == 1
    assert torch.equal(images.contribution, images.x_hat)
