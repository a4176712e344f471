"""Networks are built where they fit into the memory, and to their weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_blurgan.errors import DataError
from napari_blurgan.headers import limits
from napari_blurgan.reconstructors.building import build_for, within_memory


def small() -> nn.Linear:
    return nn.Linear(3, 2)


def test_a_network_larger_than_the_memory_is_never_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 10**9)
    assert within_memory(small).weight.device.type == "cpu"
    with pytest.raises(DataError, match=r"network of 1e\+10 weights"):
        within_memory(lambda: nn.Linear(10**5, 10**5, bias=False))


def test_weights_must_be_those_of_the_network() -> None:
    weights = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    assert torch.equal(build_for(small, weights).weight, weights["weight"])
    for wrong, message in (
        ({"weight": torch.ones(2, 3)}, "bias is missing"),
        (weights | {"more": torch.ones(1)}, "more is"),
        (weights | {"bias": torch.zeros(3)}, r"bias is \(3,\), expected \(2,\)"),
    ):
        with pytest.raises(DataError, match=message):
            build_for(small, wrong)
