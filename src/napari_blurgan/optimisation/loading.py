"""What torch loads late, loaded while the user is shown that it is loading."""

from __future__ import annotations

import threading
from importlib import import_module

from napari_blurgan.interruption import heed_stop

__all__ = ["load_optimisers"]

LATE = "torch._dynamo"
"""Imported by the first optimiser; it imports 800 modules."""
LOOK = 0.05
"""Seconds between two looks at whether the work is stopped."""


def load_optimisers() -> None:
    """Import what the first optimiser would import, which takes seconds.

    An import cannot be ended in the middle: it is made by a thread that goes on by
    itself where the work is stopped, and need not be made again.

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
