"""The properties of this computer that matter: devices, memory, versions."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from napari_blurgan.devices import all_devices, fast_bfloat16, free_bytes
from napari_blurgan.memory import available_memory

__all__ = ["system_facts"]

PACKAGES = (
    "napari-blurgan",
    "torch",
    "numpy",
    "scipy",
    "scikit-image",
    "tifffile",
    "zarr",
    "pydantic",
    "safetensors",
    "napari",
    "PyQt6",
    "PySide6-Essentials",
    "pyqtgraph",
    "dask",
    "imagecodecs",
)
GB = 1e9


def system_facts() -> dict[str, Any]:
    """Return the facts for a problem report, as JSON values.

    Returns
    -------
    dict
        ``devices`` (what ``--device auto`` takes, each with its memory in GB and the
        precision that it is fast in), ``cpu``, ``memory_gb``, ``system``, ``python``
        and ``packages``, those that are installed.
    """
    return {
        "devices": [_device(device) for device in all_devices()],
        "cpu": {"cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "memory_gb": round(available_memory() / GB, 1),
        "cuda_of_torch": torch.version.cuda,
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: v for name in PACKAGES if (v := _version(name))},
    }


def _device(device: torch.device) -> dict[str, Any]:
    return {
        "name": str(device),
        "model": _model(device),
        "free_gb": round(free_bytes(device) / GB, 1),
        "precision": "bfloat16" if fast_bfloat16(device) else "float32",
    }


def _model(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
