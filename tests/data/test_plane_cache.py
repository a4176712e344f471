from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_blurgan.reading import planewise
from napari_blurgan.reading.images import read_stack
from napari_blurgan.reading.plane_cache import PlaneCache


def plane(number: int) -> np.ndarray:
    return np.full(10, number, "uint8")


def test_the_planes_used_latest_are_kept_within_the_budget() -> None:
    cache, made = PlaneCache(30), []

    def make(number: int) -> Any:
        made.append(number)
        return plane(number)

    for number in (0, 1, 2, 0, 3, 0, 1):
        assert cache.get("a", number, make)[0] == number
        assert cache.nbytes <= 30
    # 3 pushed 1 out, which had not been used for longest.
    assert made == [0, 1, 2, 3, 1]


def test_owners_do_not_mix_and_can_be_forgotten() -> None:
    cache = PlaneCache(100)
    cache.get("a", 0, plane)
    assert cache.get("b", 0, lambda n: plane(7))[0] == 7
    cache.forget("a")
    assert cache.nbytes == 10
    assert cache.get("b", 0, plane)[0] == 7


def test_a_plane_beyond_the_budget_is_handed_out() -> None:
    cache = PlaneCache(5)
    assert cache.get("a", 3, plane)[0] == 3
    assert cache.nbytes == 0


def test_threads_agree_on_the_bytes() -> None:
    cache = PlaneCache(1000)
    barrier = threading.Barrier(8)

    def work(_: Any) -> Any:
        barrier.wait()
        return [cache.get("a", n % 5, plane)[0] for n in range(50)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(r == results[0] for r in results)
    assert cache.nbytes == 50


def test_a_file_that_is_gone_holds_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PlaneCache(10_000)
    monkeypatch.setattr(planewise, "shared_planes", cache)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 10, 10), "uint8"))
    stack = read_stack(tmp_path / "a.tif")
    np.asarray(stack.data)
    assert cache.nbytes == 500
    del stack
    assert cache.nbytes == 0
