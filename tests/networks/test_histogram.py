"""A discriminator of histograms sees what intensities there are, and not where."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.histogram import HistogramDiscriminator
from napari_blurgan.networks.patchgan import MultiScaleDiscriminator

pytestmark = pytest.mark.slow


def test_it_sees_the_intensities_and_not_where_they_are() -> None:
    torch.manual_seed(0)
    discriminator = HistogramDiscriminator(2, 16)
    image = torch.rand(3, 2, 8, 9)
    shuffled = image.flatten(2)[..., torch.randperm(72)].reshape(image.shape)
    torch.testing.assert_close(discriminator(shuffled), discriminator(image))
    assert discriminator(image).shape == (3, 1)
    assert not torch.allclose(discriminator(image**2), discriminator(image))


def test_every_pixel_has_a_gradient() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 1, 6, 7, 8, requires_grad=True)
    HistogramDiscriminator(1, 10)(image).sum().backward()
    assert image.grad is not None and bool((image.grad != 0).all())


def test_it_is_one_more_of_the_discriminators_of_a_patch() -> None:
    image = torch.rand(2, 1, 32, 32)
    scores = MultiScaleDiscriminator(2, 1, 4, scales=2, quantiles=8)(image)
    assert len(scores) == 3
    assert scores[-1].shape == (2, 1)
    assert len(MultiScaleDiscriminator(2, 1, 4, scales=2)(image)) == 2


def test_it_tells_two_histograms_apart() -> None:
    torch.manual_seed(0)
    discriminator = HistogramDiscriminator(1, 16)
    adam = torch.optim.Adam(discriminator.parameters(), 1e-2)

    def scores() -> tuple[torch.Tensor, torch.Tensor]:
        few, many = (torch.rand(8, 1, 16, 16) < share for share in (0.1, 0.3))
        return discriminator(few.float()), discriminator(many.float())

    for _ in range(60):
        one, other = scores()
        adam.zero_grad()
        ((one - 1).square().mean() + other.square().mean()).backward()
        adam.step()
    one, other = scores()
    assert float(one.min().detach()) > float(other.max().detach())


def test_what_has_too_few_pixels_is_refused() -> None:
    with pytest.raises(RecipeError, match="too few"):
        HistogramDiscriminator(1, 64)(torch.rand(1, 1, 7, 9))
    with pytest.raises(RecipeError, match="quantiles >= 1"):
        HistogramDiscriminator(1, 0)
