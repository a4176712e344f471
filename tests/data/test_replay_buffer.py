"""The buffer of generated patches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_blurgan.errors import DataError
from napari_blurgan.sampling.replay_buffer import ReplayBuffer


def patch(value: float) -> torch.Tensor:
    return torch.full((1, 1, 2, 2), float(value))


def run(buffer: ReplayBuffer, values: range) -> list[float]:
    return [float(buffer.query(patch(v)).mean()) for v in values]


def seeded(size: int = 5, seed: int = 0) -> ReplayBuffer:
    return ReplayBuffer(size, torch.Generator().manual_seed(seed))


def test_it_fills_first_and_then_mixes_in_the_past() -> None:
    buffer = seeded()
    assert run(buffer, range(5)) == [0, 1, 2, 3, 4]
    returned = run(buffer, range(5, 1005))
    new = sum(r == v for r, v in zip(returned, range(5, 1005), strict=True))
    assert 430 < new < 570
    assert all(r <= v for r, v in zip(returned, range(5, 1005), strict=True))
    # An older patch is handed out once: nothing comes twice, nothing is lost.
    kept = [float(p.mean()) for p in buffer.patches]
    assert sorted(returned + kept) == list(range(1005))


def test_all_places_are_exchanged() -> None:
    buffer = seeded()
    run(buffer, range(100))
    assert min(float(p.mean()) for p in buffer.patches) > 50


def test_it_is_deterministic_and_resumes_exactly(tmp_path: Path) -> None:
    first, second = seeded(), seeded()
    assert run(first, range(30)) == run(second, range(30))
    save_file(first.state_dict(), tmp_path / "history.safetensors")
    resumed = ReplayBuffer(5, torch.Generator())
    resumed.load_state_dict(load_file(tmp_path / "history.safetensors"))
    assert first.generator is not None
    assert resumed.generator is not None
    resumed.generator.set_state(first.generator.get_state())
    assert run(resumed, range(30, 60)) == run(first, range(30, 60))


def test_an_empty_history_is_saved_and_loaded() -> None:
    buffer = seeded()
    buffer.load_state_dict(ReplayBuffer(5).state_dict())
    assert len(buffer) == 0


def test_batches_keep_their_shape_and_no_gradient() -> None:
    batch = torch.rand(3, 2, 4, 4, 4, requires_grad=True)
    returned = seeded(2).query(batch)
    assert returned.shape == batch.shape
    assert not returned.requires_grad


def test_what_is_kept_does_not_change_with_the_batch() -> None:
    buffer = seeded(2)
    for value in range(50):
        batch = patch(value)
        buffer.query(batch)
        batch.fill_(-1)
    assert all(float(kept.mean()) >= 0 for kept in buffer.patches)


def test_size_0_is_no_history() -> None:
    buffer = ReplayBuffer(0)
    assert run(buffer, range(20)) == list(range(20))
    assert buffer.state_dict() == {}


def test_the_global_generator_serves_where_none_is_given() -> None:
    runs = []
    for _ in range(2):
        torch.manual_seed(4)
        runs.append(run(ReplayBuffer(3), range(20)))
    assert runs[0] == runs[1]


def test_a_history_that_does_not_fit_is_refused() -> None:
    full = seeded()
    run(full, range(5))
    with pytest.raises(
        DataError, match="5 patches were stored, but the buffer holds 3"
    ):
        ReplayBuffer(3).load_state_dict(full.state_dict())
    with pytest.raises(ValueError, match="not -1"):
        ReplayBuffer(-1)
