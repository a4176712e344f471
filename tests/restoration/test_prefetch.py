"""The next things are done while the present one is used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from napari_blurgan.restoration.prefetch import prefetched


@pytest.mark.parametrize("depth", [0, 1, 5, 100])
def test_the_order_is_kept(depth: int) -> None:
    with ThreadPoolExecutor(4) as executor:
        found = list(prefetched(executor, lambda n: n * n, range(20), depth))
    assert found == [n * n for n in range(20)]


def test_no_more_than_the_depth_is_begun_in_advance() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(1) as executor:
        items = (begun.append(n) or n for n in range(20))
        results = prefetched(executor, lambda n: n, items, 3)
        assert next(results) == 0
        assert len(begun) == 4
        results.close()
    assert len(begun) == 4


def test_an_error_comes_where_its_result_would() -> None:
    def inverse(n: int) -> float:
        return 1 / n

    with ThreadPoolExecutor(1) as executor:
        results = prefetched(executor, inverse, [1, 0, 2], 1)
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)
