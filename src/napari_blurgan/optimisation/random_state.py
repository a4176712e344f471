"""All random numbers of a training from one seed, isolated from other users."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import torch

__all__ = ["RandomState"]


class RandomState(AbstractContextManager["RandomState"]):
    """The global generators of torch, used by the training while it computes.

    Networks, crops and noise draw from the global generators. The training neither
    disturbs other users of them between two steps nor is disturbed by them.

    Parameters
    ----------
    seed : int
        Where it starts.
    device : torch.device
        Whose generator is lent beside that of the CPU.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        outside = _read(device)
        torch.manual_seed(seed)
        self._inside = _read(device)
        _write(device, outside)
        self._outside = outside

    def __enter__(self) -> RandomState:
        """Install the state of the training."""
        self._outside = _read(self.device)
        _write(self.device, self._inside)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the state of the others."""
        self._inside = _read(self.device)
        _write(self.device, self._outside)

    def state_dict(self) -> dict[str, Any]:
        """Return the state needed to resume."""
        return dict(self._inside)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._inside = _read(self.device) | state


def _read(device: torch.device) -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _write(device: torch.device, state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
