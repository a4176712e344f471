"""Memory that an operator needs, measured with a small image."""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from napari_blurgan.tiling.operator import Operator

__all__ = ["bytes_per_voxel"]

WORKSPACE = 1.5
"""Convolutions and FFTs use scratch memory outside tensors."""
PROBE_VOXELS = 2**15


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that an operator has created and still holds."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = 0
        self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._add(leaf.untyped_storage())
        return result

    def _add(self, storage: Any) -> None:
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._remove, key, storage.nbytes())

    def _remove(self, key: int, nbytes: int) -> None:
        self._seen.discard(key)
        self.live -= nbytes


def bytes_per_voxel(operator: Operator, channels: int) -> float:
    """Return the peak memory of `operator` per voxel of its input.

    A slow operator may have a `rehearsal`: another one that needs as much memory but
    less time.
    """
    operator = getattr(operator, "rehearsal", operator)
    dims = len(operator.stride)
    side = round(PROBE_VOXELS ** (1 / dims))
    shape = [-(-side // s) * s for s in operator.stride]
    image = torch.zeros(1, channels, *shape, device=operator.device)
    watch = _LiveBytes()
    with torch.inference_mode(), watch:
        operator(image)
    used = watch.peak + image.nbytes
    return WORKSPACE * used / math.prod(shape)
