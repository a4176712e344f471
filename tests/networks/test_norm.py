"""The normalisation between convolutions."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.norm import make_norm


@pytest.mark.parametrize("dims", [2, 3])
def test_batch_norm_depends_on_nothing_else_when_it_restores(dims: int) -> None:
    norm = make_norm("batch", dims, 2).eval()
    image = torch.rand(1, 2, *[6] * dims)
    part = image[..., :3]
    torch.testing.assert_close(norm(part), norm(image)[..., :3])


def test_instance_norm_depends_on_the_whole_tile() -> None:
    norm = make_norm("instance", 3, 2).eval()
    image = torch.rand(1, 2, 6, 6, 6)
    assert not torch.allclose(norm(image[..., :3]), norm(image)[..., :3])


def test_without_a_norm_nothing_changes() -> None:
    image = torch.rand(1, 2, 4, 4)
    torch.testing.assert_close(make_norm("none", 2, 2)(image), image)


def test_an_unknown_norm_is_refused() -> None:
    with pytest.raises((RecipeError, ValueError)):
        make_norm("layer", 2, 2)
