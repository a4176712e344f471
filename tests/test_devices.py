"""Where to compute: by name, and what memory there is."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.devices import (
    all_devices,
    choose_device,
    fast_bfloat16,
    free_bytes,
    is_out_of_memory,
)
from napari_blurgan.errors import RecipeError

CPU = torch.device("cpu")


def test_the_best_there_is_and_one_by_name() -> None:
    assert choose_device("cpu") == CPU
    best = choose_device()
    assert best in all_devices()
    torch.empty(1, device=best)


@pytest.mark.parametrize("name", ["gpu", "", "meta", "cuda:99", "cpu:x"])
def test_what_is_not_here_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(RecipeError, match="use 'cpu' or 'auto'"):
        choose_device(name)


def test_memory_is_free_and_its_end_is_recognised() -> None:
    assert free_bytes(CPU) > 2**20
    assert isinstance(fast_bfloat16(CPU), bool)
    for error in (
        MemoryError(),
        torch.OutOfMemoryError(),
        RuntimeError("out of Memory"),
    ):
        assert is_out_of_memory(error)
    for other in (RuntimeError("shapes differ"), ValueError("memory")):
        assert not is_out_of_memory(other)
