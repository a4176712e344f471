"""The term that asks G for lines it has not seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.methods.presets import preset
from napari_blurgan.networks.unet import UNet
from napari_blurgan.objective.predicted import Predicted, PredictedTerm
from napari_blurgan.preparation.site import Site
from napari_blurgan.reconstructors.reconstructor import Reconstructor
from napari_blurgan.sources.lines import LinesSource, divided
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported
from tests.transport.test_kspace import slices, tensor


class Knows(Reconstructor):
    """A reconstructor that gives the same answer to everything."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__(UNet(2, 1, 1, base=1))
        self.answer = answer

    def forward(self, *images: object) -> torch.Tensor:
        return self.answer


def loss(answer: torch.Tensor, draw: Draw, site: Any) -> float:
    transport = Transport(Knows(answer), KSpaceMask(KSpaceForward()))
    term = Predicted(PredictedTerm(weight=1.0), site)
    return float(term(Transported(transport, draw, None)))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site.__new__(Site)  # the term asks nothing of it


def test_only_what_is_hidden_counts(site: Site) -> None:
    torch.manual_seed(0)
    sharp = tensor(slices(1))[:1]
    measured = KSpaceMask(KSpaceForward())(sharp)
    generator = torch.Generator().manual_seed(0)
    seen, hidden = divided(measured[0], LinesSource(), generator)
    draw = Draw(y=seen[None], hidden=hidden[None])
    assert loss(sharp, draw, site) < 1e-6
    # What G says of the lines that it sees, or that nobody measured, is not asked.
    assert loss(measured, draw, site) < 1e-6
    assert loss(hidden[None], draw, site) < 1e-6
    assert loss(seen[None], draw, site) > 1e-3


def test_a_source_without_hidden_parts_is_refused() -> None:
    with pytest.raises(RecipeError, match="a part of each measurement"):
        preset("ssdu").updated({"source.kind": "single"})
