from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_blurgan.transport.adversary import GAMES, gradient_penalty


@pytest.mark.parametrize("name", GAMES)
def test_a_potential_that_tells_them_apart_pays_less_and_fools_nobody(
    name: str,
) -> None:
    game = GAMES[name]
    good, bad = [torch.ones(4)], [torch.zeros(4)]
    if name in ("bce", "hinge", "wgan-gp"):
        bad = [-torch.ones(4)]
    assert game.potential_loss(good, bad) < game.potential_loss(bad, good)
    assert game.generator_loss(good) < game.generator_loss(bad)


def test_the_scales_are_averaged() -> None:
    scores = [torch.ones(2), torch.zeros(5)]
    assert float(GAMES["lsgan"].generator_loss(scores)) == pytest.approx(0.5)


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_penalty_is_that_of_the_slope(slope: float) -> None:
    class Linear(nn.Module):
        def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
            return [slope * image.flatten(1)[:, 0]]

    real, fake = torch.rand(2, 3, 1, 4, 4)
    assert float(gradient_penalty(Linear(), real, fake)) == pytest.approx(
        (slope - 1) ** 2, abs=1e-5
    )
