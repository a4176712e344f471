"""How commands end after signals and internal failures."""

from __future__ import annotations

import os
import platform
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType

__all__ = ["Terminated", "failure", "terminable"]

TOO_LITTLE = "not enough memory; close other programs, or crop the image"


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends the command like Ctrl-C, with a clean-up."""


@contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM raise `Terminated`, so that open files are closed or kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def failure(error: Exception) -> str:
    """Return a line about an internal error; its traceback goes to a file."""
    if isinstance(error, MemoryError):
        return TOO_LITTLE
    first = (str(error).strip().splitlines() or [""])[0]
    return (
        f"failed with {type(error).__name__}: {first[:120]} (a bug in the program; "
        f"please report it with the file {_logged(error)})"
    )


def _logged(error: Exception) -> Path:
    """Write what is needed to find the bug, and return the path."""
    name = f"blurgan-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    lines = [
        f"napari-blurgan {version('napari-blurgan')}, Python {sys.version}",
        platform.platform(),
        " ".join(sys.argv),
        "",
        *traceback.format_exception(error),
    ]
    path = Path(tempfile.gettempdir()) / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
