"""Memory that was freed, back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

__all__ = ["release_memory"]


def release_memory() -> None:
    """Let the C library return what it keeps of freed memory.

    glibc returns only the top of its heap by itself: one small allocation above the
    buffers of a blur holds all of them for minutes. It takes a few milliseconds; with
    another C library nothing happens.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
