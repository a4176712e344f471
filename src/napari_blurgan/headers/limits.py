"""Checks of the claims of a header, before anything is allocated."""

from __future__ import annotations

from napari_blurgan.errors import DataError
from napari_blurgan.memory import available_memory

__all__ = ["refuse_beyond_memory", "refuse_beyond_ratio"]


def refuse_beyond_memory(nbytes: int, what: str) -> None:
    """Raise unless `nbytes` fit into the free memory.

    Raises
    ------
    DataError
        With both numbers.
    """
    free = available_memory()
    if nbytes > free:
        raise DataError(
            f"{what} would take {_size(nbytes)} of memory, {_size(free)} are free"
        )


def refuse_beyond_ratio(claimed: int, stored: int, ratio: int, what: str) -> None:
    """Raise if `stored` bytes cannot hold the `claimed` bytes of pixels.

    Parameters
    ----------
    claimed, stored : int
        Bytes of pixels that a header declares; bytes that the file has for them.
    ratio : int
        The most that the compression makes of a byte.
    what : str
        What claims it, for the message.

    Raises
    ------
    DataError
        With both numbers.
    """
    if claimed > ratio * stored:
        raise DataError(
            f"{what} declares {_size(claimed)} of pixels, but contains only "
            f"{_size(stored)} of data; it is damaged, copy it again from where it "
            "came from"
        )


def _size(nbytes: int) -> str:
    value, unit = float(nbytes), "bytes"
    for larger in ("kB", "MB", "GB", "TB", "PB", "EB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
