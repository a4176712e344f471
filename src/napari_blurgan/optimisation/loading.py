"""What torch loads late, loaded while the user is shown that it is loading."""

from __future__ import annotations

from importlib import import_module

from napari_blurgan.interruption import heed_stop

__all__ = ["load_optimisers"]

LATE = (
    "sympy",
    "torch.fx.experimental.symbolic_shapes",
    "torch._dynamo.utils",
    "torch._dynamo",
)
"""The first optimiser imports the last of them, and so all. In parts, which take less
than a second each, the loading can be stopped in between."""


def load_optimisers() -> None:
    """Import what the first optimiser would import: 800 modules, which take seconds.

    Raises
    ------
    CancelledError
        If the work is stopped meanwhile.
    """
    for name in LATE:
        heed_stop()
        import_module(name)
