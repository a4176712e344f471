from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_blurgan.networks.patchgan import MultiScaleDiscriminator
from napari_blurgan.objective.adversarial_losses import (
    ADVERSARIAL_LOSSES,
    gradient_penalty,
)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_a_potential_that_tells_them_apart_pays_less_and_fools_nobody(
    name: str,
) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    good, bad = [torch.ones(4)], [torch.zeros(4)]
    if name in ("bce", "hinge", "wgan-gp"):
        bad = [-torch.ones(4)]
    assert loss.discriminator_loss(good, bad) < loss.discriminator_loss(bad, good)
    assert loss.generator_loss(good) < loss.generator_loss(bad)


def test_the_scales_are_averaged() -> None:
    scores = [torch.ones(2), torch.zeros(5)]
    assert float(ADVERSARIAL_LOSSES["lsgan"].generator_loss(scores)) == pytest.approx(
        0.5
    )


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_penalty_is_that_of_the_slope(slope: float) -> None:
    class Linear(nn.Module):
        def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
            return [slope * image.flatten(1)[:, 0]]

    real, fake = torch.rand(2, 3, 1, 4, 4)
    assert float(gradient_penalty(Linear(), real, fake)) == pytest.approx(
        (slope - 1) ** 2, abs=1e-5
    )


class Everywhere(nn.Module):
    """Scores every voxel of an image, and of its first half."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [self.slope * image, self.slope * image[..., :8]]


def test_the_slope_is_that_of_the_mean_score_of_each_scale() -> None:
    real, fake = torch.rand(2, 3, 1, 16, 16)
    # The mean of n voxels has the gradient 1 / n in each: a norm of n ** -0.5.
    expected = ((3 / 16 - 1) ** 2 + (3 / 128**0.5 - 1) ** 2) / 2
    assert float(gradient_penalty(Everywhere(3.0), real, fake)) == pytest.approx(
        expected, abs=1e-5
    )


def test_a_wasserstein_potential_learns_to_tell_bright_from_dark() -> None:
    torch.manual_seed(0)
    loss = ADVERSARIAL_LOSSES["wgan-gp"]
    discriminator = MultiScaleDiscriminator(2, 1, 8)
    adam = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.9))
    for _ in range(250):
        bright, dark = torch.rand(4, 1, 32, 32), 0.5 * torch.rand(4, 1, 32, 32)
        gap = -loss.discriminator_loss(discriminator(bright), discriminator(dark))
        adam.zero_grad()
        (10 * gradient_penalty(discriminator, bright, dark) - gap).backward()
        adam.step()
    assert float(gap.detach()) >= 5
