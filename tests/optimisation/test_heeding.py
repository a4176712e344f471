"""A pass through a network ends between two layers, on the way back, too."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from torch import nn

from napari_blurgan.errors import CancelledError
from napari_blurgan.interruption import interruptible
from napari_blurgan.optimisation.heeding import heeding

LAYERS = 4


def network() -> nn.Sequential:
    parts = [nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(inplace=True))] * 2
    return nn.Sequential(*(part for pair in parts for part in pair))


@pytest.mark.parametrize("asked", [1, LAYERS, LAYERS + 1, 2 * LAYERS - 1])
def test_a_pass_ends_at_any_layer_in_either_direction(asked: int) -> None:
    net, questions = network(), count(1)
    with (
        pytest.raises(CancelledError),
        heeding(net),
        interruptible(lambda: next(questions) == asked),
    ):
        net(torch.ones(1, 2)).sum().backward()
    assert next(questions) == asked + 1


def test_it_changes_nothing_and_leaves_nothing_behind() -> None:
    net = network()
    net(torch.ones(1, 2)).sum().backward()
    usual = [parameter.grad.clone() for parameter in net.parameters()]
    net.zero_grad()
    with heeding(net), interruptible(lambda: False):
        net(torch.ones(1, 2)).sum().backward()
    for parameter, gradient in zip(net.parameters(), usual, strict=True):
        assert torch.equal(parameter.grad, gradient)
    with interruptible(lambda: True):
        net(torch.ones(1, 2)).sum().backward()
