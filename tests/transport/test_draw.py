"""One training draw, and a batch of them."""

from __future__ import annotations

import torch

from napari_blurgan.transport.draw import Draw, named


def test_a_batch_has_what_its_draws_have() -> None:
    draws = [Draw(torch.full((1, 4), float(n)), x=torch.ones(2, 4)) for n in range(3)]
    batch = Draw.batch(draws, torch.device("cpu"))
    assert batch.y[:, 0, 0].tolist() == [0, 1, 2]
    assert batch.x is not None
    assert batch.x.shape == (3, 2, 4)
    assert batch.estimate is None


def test_channels_are_known_by_name() -> None:
    patch = torch.arange(4.0)[:, None]
    found = named(patch, ["y", "estimate", "spare", "estimate"])
    assert {k: v.flatten().tolist() for k, v in found.items()} == {
        "y": [0],
        "estimate": [1, 3],
    }
