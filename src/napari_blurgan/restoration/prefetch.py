"""Do the next things while the present one is being used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

__all__ = ["prefetched"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetched(
    executor: Executor,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    depth: int,
) -> Iterator[Result]:
    """Yield ``function(item)`` in order, at most `depth` of them begun in advance.

    `items` is drawn from in the calling thread. Closing the iterator cancels what
    has not begun.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
