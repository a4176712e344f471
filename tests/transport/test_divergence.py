"""The divergence of a distribution of images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from napari_blurgan.objective.divergence import Divergence, DivergenceTerm

PARTS = torch.tensor([0.01, 0.2])


def value(**settings: float) -> float:
    site: Any = None  # the term asks nothing of it
    images: Any = SimpleNamespace(divergence=PARTS)
    return float(Divergence(DivergenceTerm(weight=1.0, **settings), site)(images))


def test_it_is_the_sum_of_all_latent_images() -> None:
    assert value() == pytest.approx(0.21)


def test_what_is_free_costs_the_same_whether_it_is_used_or_not() -> None:
    assert value(free=0.1) == pytest.approx(0.3)


def test_its_weight_rises_from_zero() -> None:
    term = DivergenceTerm(weight=2.0, warm_up=9)
    assert [term.at(step) for step in (0, 4, 9, 100)] == [0.2, 1.0, 2.0, 2.0]
    assert DivergenceTerm(weight=2.0).at(0) == 2.0
