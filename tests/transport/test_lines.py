"""SSDU: measured lines in two parts."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan import Trainer, preset
from napari_blurgan.data.kspace import measured_lines
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.methods.references import references_of
from napari_blurgan.optics.phantoms import heads
from napari_blurgan.sources.lines import DividedLines, LinesSource, divided
from tests.transport.test_kspace import SMALL, slices, stack, tensor, undersampled


def parts(**settings: float) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    y = KSpaceMask(KSpaceForward())(tensor(heads((64, 64), 1, seed=0)))[0]
    return (y, *divided(y, LinesSource(**settings), torch.Generator().manual_seed(0)))


def lines(y: torch.Tensor) -> torch.Tensor:
    return measured_lines(y[None]).flatten()


def test_the_parts_have_no_line_in_common_and_are_all_together() -> None:
    y, seen, hidden = parts(hidden=0.4)
    assert torch.allclose(seen + hidden, y, atol=1e-6)
    assert not (lines(seen) & lines(hidden)).any()
    assert (lines(seen) | lines(hidden)).sum() == 16
    assert lines(hidden).sum() == round(0.4 * 16)


def test_the_middle_is_always_seen() -> None:
    _, seen, hidden = parts(hidden=0.9, middle=3)
    assert lines(seen)[[0, 1, 63]].all()
    assert lines(hidden).sum() == 13


def test_with_nothing_hidden_both_are_the_measurement() -> None:
    y, seen, hidden = parts(hidden=0.0)
    assert seen is y
    assert hidden is y


def test_draws_divide_anew_and_are_the_same_after_resuming() -> None:
    y = stack(undersampled(slices(1)), "y")
    trainer = Trainer(preset("ssdu").updated(SMALL), [y], [], steps=1, device="cpu")
    list(trainer)
    source = trainer._parts.prepared.source
    assert isinstance(source, DividedLines)
    state = source.state_dict()
    first = [source.draw() for _ in range(4)]
    masks = {tuple(lines(draw.hidden).tolist()) for draw in first}
    assert len(masks) > 1
    source.load_state_dict(state, trainer._parts.engine.transport.forward_model)
    for old in first:
        np.testing.assert_array_equal(old.y, source.draw().y)


def test_its_papers_are_cited() -> None:
    found = references_of(preset("ssdu"))
    assert "Yaman" in (found[0]["text"] or "")
