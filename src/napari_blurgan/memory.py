"""How much memory there is to be had."""

from __future__ import annotations

import psutil

__all__ = ["available_memory"]


def available_memory() -> int:
    """Return the bytes of RAM that programs can have now."""
    return int(psutil.virtual_memory().available)
