"""Networks that heed a stop between their layers, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from napari_blurgan.interruption import heed_stop

__all__ = ["heeding"]


@contextmanager
def heeding(*networks: nn.Module) -> Iterator[None]:
    """Let passes through networks end in the middle when the work is stopped.

    A pass through a large network takes seconds. What it leaves behind, such as
    gradients, is incomplete.

    Parameters
    ----------
    *networks : nn.Module
        All their layers ask, before the next one computes.
    """
    parts = [part for network in networks for part in network.modules()]
    layers = [part for part in parts if next(part.children(), None) is None]
    hooks = [layer.register_forward_hook(_after_layer) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _after_layer(layer: nn.Module, given: Any, found: Any) -> None:
    heed_stop()
    if isinstance(found, Tensor) and found.requires_grad:
        found.register_hook(_on_the_way_back)  # type: ignore[no-untyped-call]


def _on_the_way_back(gradient: Tensor) -> None:
    heed_stop()
