"""The numbers of a training are its own, whatever others draw in between."""

from __future__ import annotations

import torch

from napari_blurgan.optimisation.random_state import RandomState

CPU = torch.device("cpu")


def drawn(state: RandomState) -> float:
    with state:
        return float(torch.rand(()))


def test_neither_disturbs_the_other() -> None:
    torch.manual_seed(5)
    alone = [float(torch.rand(())) for _ in range(3)]
    quiet = RandomState(1, CPU)
    expected = [drawn(quiet) for _ in range(3)]
    torch.manual_seed(5)
    state, ours, theirs = RandomState(1, CPU), [], []
    for _ in range(3):
        theirs.append(float(torch.rand(())))
        ours.append(drawn(state))
    assert ours == expected
    assert theirs == alone


def test_the_state_is_taken_up_again() -> None:
    state, other = RandomState(1, CPU), RandomState(2, CPU)
    drawn(state)
    other.load_state_dict(state.state_dict())
    assert drawn(other) == drawn(state)
