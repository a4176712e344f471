"""A network alone."""

from __future__ import annotations

import torch

from napari_blurgan.methods.reconstructors import PlainReconstructor
from napari_blurgan.reconstructors.plain import build_plain


def test_an_estimate_has_no_part_in_it() -> None:
    network = build_plain(
        PlainReconstructor(base=2, levels=2), 2, (2, 3), (2, 2)
    ).eval()
    y = torch.rand(1, 2, 16, 16)
    alone = network(y)
    assert alone.shape == (1, 3, 16, 16)
    assert torch.equal(alone, network(y, torch.rand(1, 1, 16, 16)))
