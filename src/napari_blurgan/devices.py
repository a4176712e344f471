"""Devices by name, their free memory, and their fast precision."""

from __future__ import annotations

import os
import textwrap

import torch

from napari_blurgan.errors import RecipeError
from napari_blurgan.memory import available_memory

__all__ = [
    "all_devices",
    "choose_device",
    "fast_bfloat16",
    "free_bytes",
    "is_out_of_memory",
]

KINDS = ("cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; ``"auto"`` selects the best available.

    Raises
    ------
    RecipeError
        If there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind = name.partition(":")[0]
    if kind not in KINDS:
        raise RecipeError(
            f"no device {name!r} here (there are cpu, cuda for NVIDIA, cuda:1 for the "
            "second of them, and mps for Apple): use 'cpu' or 'auto'"
        )
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:
        reason = _absence(kind) or textwrap.shorten(str(error), 90, placeholder="…")
        raise RecipeError(
            f"no device {name!r} here ({reason}): use 'cpu' or 'auto'"
        ) from None
    return device


def _absence(kind: str) -> str | None:
    """Return why there are no devices of a kind here; None if there are."""
    if kind == "cuda" and torch.version.cuda is None and torch.version.hip is None:
        return (
            "this PyTorch is built without CUDA; see docs/install.md for other builds"
        )
    if kind == "cuda" and not torch.cuda.is_available():
        return "no NVIDIA GPU, or no driver for it, was found"
    if kind == "mps" and not torch.backends.mps.is_available():
        return "it is for Apple GPUs with macOS 14 or newer"
    return None


def all_devices(name: str = "auto") -> list[torch.device]:
    """Return the devices called `name`; ``"auto"`` is every GPU, otherwise the CPU."""
    first = choose_device(name)
    if name == "auto" and first.type == "cuda":
        return [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    return [first]


def free_bytes(device: torch.device) -> int:
    """Return the free memory of `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory()


def fast_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; without them it is slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(supported and supported())
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error reports that the memory of a device ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "memory" in str(error).lower()
