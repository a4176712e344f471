"""A cache of decoded planes, with one memory budget for all files."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import psutil
from numpy.typing import NDArray

__all__ = ["PlaneCache", "shared_planes"]

RAM_SHARE = 1 / 8
Key = tuple[Hashable, int]


class PlaneCache:
    """Keeps the most recently used planes, up to a number of bytes.

    Parameters
    ----------
    budget : int
        Bytes; a single plane larger than that is still handed out, but not kept.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._planes: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, owner: Hashable, number: int, make: Callable[[int], NDArray[Any]]
    ) -> NDArray[Any]:
        """Return plane `number` of `owner`, from ``make(number)`` if necessary."""
        key = (owner, number)
        with self._lock:
            if key in self._planes:
                self._planes.move_to_end(key)
                return self._planes[key]
        plane = make(number)
        with self._lock:
            if key not in self._planes:
                self._planes[key] = plane
                self.nbytes += plane.nbytes
            while self.nbytes > self.budget:
                self.nbytes -= self._planes.popitem(last=False)[1].nbytes
        return plane

    def forget(self, owner: Hashable) -> None:
        """Drop all planes of `owner`."""
        with self._lock:
            for key in [key for key in self._planes if key[0] == owner]:
                self.nbytes -= self._planes.pop(key).nbytes


shared_planes = PlaneCache(int(RAM_SHARE * psutil.virtual_memory().total))
