"""Memory that is available, and its return to the system."""

from __future__ import annotations

import numpy as np
import psutil

from napari_blurgan.memory import available_memory, release_memory


def test_what_is_available_is_less_than_what_there_is() -> None:
    assert 0 < available_memory() <= psutil.virtual_memory().total


def test_returning_memory_leaves_arrays_alone() -> None:
    kept = np.arange(2**20)
    release_memory()
    assert kept.sum() == 2**19 * (2**20 - 1)
