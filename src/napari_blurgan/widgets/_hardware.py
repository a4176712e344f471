"""Hardware for a training, found without torch, which takes seconds to import."""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import psutil

from napari_blurgan.memory import available_memory

__all__ = ["hardware"]

DRIVERS = {"Linux": "libcuda.so.1", "Windows": "nvcuda.dll"}
GB = 1e9


def hardware(device: str) -> str:
    """Return the processor for a device of the preferences, and its memory.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    """
    gpu = None if device == "cpu" else _cuda() or _mps()
    if gpu is not None:
        return gpu
    if device in ("cuda", "mps"):
        return f"no GPU of type {device} was found: choose auto or cpu"
    free = available_memory() / GB
    return f"CPU, {os.cpu_count()} cores, {free:.0f} GB of memory free"


def _cuda() -> str | None:
    """Return the first CUDA GPU; None without one, or without torch for it."""
    name = DRIVERS.get(platform.system())
    if name is None or _torch_without_cuda():
        return None
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return None
    text, memory = ctypes.create_string_buffer(128), ctypes.c_size_t()
    count = ctypes.c_int()
    found = (
        driver.cuInit(0) == 0
        and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        and count.value > 0
        and driver.cuDeviceGetName(text, len(text), 0) == 0
        and driver.cuDeviceTotalMem_v2(ctypes.byref(memory), 0) == 0
    )
    if not found:
        return None
    return f"{text.value.decode()}, {memory.value / GB:.0f} GB of memory"


def _torch_without_cuda() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True


def _mps() -> str | None:
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return None
    total = psutil.virtual_memory().total / GB
    return f"Apple GPU (mps), {total:.0f} GB of shared memory"
