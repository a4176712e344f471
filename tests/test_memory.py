"""Memory that is available, and its return to the system."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from napari_blurgan.memory import available_memory, in_bytes, release_memory


def test_what_is_available_is_less_than_what_there_is() -> None:
    assert 0 < available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0.0 kB"),
        (4096, "4.1 kB"),
        (262_144, "0.3 MB"),
        (99_000_000, "99.0 MB"),
        (16 * 10**9, "16.00 GB"),
    ],
)
def test_bytes_are_counted_in_units_that_fit(count: int, words: str) -> None:
    assert in_bytes(count) == words


def test_returning_memory_leaves_arrays_alone() -> None:
    kept = np.arange(2**20)
    release_memory()
    assert kept.sum() == 2**19 * (2**20 - 1)
