"""Where to compute: a device by its name, or the best there is."""

from __future__ import annotations

import os
import textwrap

import torch

from napari_blurgan.errors import RecipeError

__all__ = ["choose_device"]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; ``"auto"`` takes the best there is.

    Raises
    ------
    RecipeError
        If there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:
        reason = textwrap.shorten(str(error), 90, placeholder="…")
        raise RecipeError(
            f"no device {name!r} here ({reason}): use 'cpu' or 'auto'"
        ) from None
    if device.type == "meta":
        raise RecipeError("the device 'meta' computes nothing: use 'cpu' or 'auto'")
    return device
