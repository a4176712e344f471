"""Networks that are built only if they fit into memory and match their weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from napari_blurgan.errors import DataError
from napari_blurgan.headers.limits import refuse_beyond_memory

__all__ = ["build_for", "within_memory"]

M = TypeVar("M", bound=nn.Module)


def within_memory(build: Callable[[], M]) -> M:
    """Build a network after checking that it fits into memory.

    Raises
    ------
    DataError
        With the number of its weights, and of the bytes that they take.
    """
    _outline(build)
    return build()


def build_for(build: Callable[[], M], weights: Mapping[str, Tensor]) -> M:
    """Build a network and load its weights, after checking that they match.

    Raises
    ------
    DataError
        If weights are missing, left over or of other shapes than the network's, or
        the network is larger than the memory.
    """
    wanted = {k: tuple(v.shape) for k, v in _outline(build).items()}
    found = {k: tuple(v.shape) for k, v in weights.items()}
    for name in wanted.keys() | found.keys():
        if wanted.get(name) != found.get(name):
            raise DataError(
                f"the weights do not fit the recipe's network: {name:.80} is "
                f"{found.get(name, 'missing')}, expected {wanted.get(name, 'nothing')}"
            )
    network = build()
    network.load_state_dict(weights)
    return network


def _outline(build: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """Return the shapes of the weights of a network."""
    try:
        with torch.device("meta"):
            outline = build().state_dict()
    except (RuntimeError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"the recipe's network cannot be built ({said})") from None
    count = sum(math.prod(tensor.shape) for tensor in outline.values())
    refuse_beyond_memory(4 * count, f"the recipe's network of {count:.3g} weights")
    return outline
