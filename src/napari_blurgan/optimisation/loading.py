"""Modules that torch loads late, loaded in a stage of their own."""

from __future__ import annotations

import threading
from importlib import import_module

from napari_blurgan.interruption import heed_stop

__all__ = ["load_optimisers"]

LATE = "torch._dynamo"
"""Imported by the first optimiser; it imports 800 modules."""
LOOK = 0.05
"""Seconds between two checks whether the work is stopped."""


def load_optimisers() -> None:
    """Import what the first optimiser imports, which takes seconds.

    An import cannot be interrupted: a thread does it, which continues by itself if
    the work is stopped, so that it need not be repeated.

    Raises
    ------
    CancelledError
        If the work is stopped meanwhile.
    """
    thread = threading.Thread(target=import_module, args=(LATE,), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK)
        heed_stop()
