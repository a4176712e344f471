"""A network that refines an estimate starts as the estimate."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.methods.reconstructors import RefiningReconstructor
from napari_blurgan.reconstructors.refining import Refining, build_refining


def refining(depths: int) -> Refining:
    settings = RefiningReconstructor(base=2, levels=2, depths=depths)
    return build_refining(settings, 2, (1, 1), (2, 2))


@pytest.mark.parametrize("depths", [1, 3])
def test_it_starts_by_changing_nothing(depths: int) -> None:
    y, estimate = torch.rand(1, 1, 16, 16), torch.rand(1, depths, 16, 16)
    network = refining(depths).eval()
    assert torch.equal(network(y, estimate), estimate[:, -1:])
    y, estimate = network.blank((16, 16), 1)
    assert (y.shape, estimate.shape) == ((1, 1, 16, 16), (1, depths, 16, 16))


def test_without_an_estimate_there_is_nothing_to_refine() -> None:
    with pytest.raises(ValueError, match="needs an estimate"):
        refining(1)(torch.rand(1, 1, 16, 16))
