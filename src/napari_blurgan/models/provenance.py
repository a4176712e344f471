"""Provenance of a model: versions, data, seed, hardware."""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.content import content_digest
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.provenance import command, created

__all__ = ["fingerprint", "new_id", "provenance"]


def new_id() -> str:
    """Return a unique name."""
    return uuid.uuid4().hex[:12]


def provenance(
    recipe: Recipe,
    device: torch.device,
    precision: torch.dtype,
    data: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the facts that document how a model was made."""
    return {
        "created": created(),
        **command(),
        "napari-blurgan": version("napari-blurgan"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "device": _device_name(device),
        "precision": str(precision).removeprefix("torch."),
        "seed": recipe.seed,
        "data": data,
    }


def fingerprint(stack: Stack) -> dict[str, Any]:
    """Return a fingerprint of an image; large ones are sampled."""
    middle = [n // 2 for n in stack.spatial_shape]
    corner = [max(0, m - 32) for m in middle]
    size = [min(64, n) for n in stack.spatial_shape]
    corner = [
        min(c, n - s) for c, n, s in zip(corner, stack.spatial_shape, size, strict=True)
    ]
    region = np.ascontiguousarray(
        read_region(stack, 0, corner, size, range(stack.channels))
    )
    return {
        "name": stack.name,
        "axes": stack.axes,
        "shape": list(stack.data.shape),
        "dtype": str(np.dtype(stack.data.dtype)),
        "sha256": hashlib.sha256(region.data).hexdigest(),
        "content": content_digest(stack),
    }


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or str(device)
