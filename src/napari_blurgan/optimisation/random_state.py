"""All randomness of a training from one seed, without touching anybody else's."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import torch

__all__ = ["RandomState"]


class RandomState(AbstractContextManager["RandomState"]):
    """torch's global generators, lent to the training while it computes.

    Networks, crops and noise draw from the global generators; whoever else uses them
    between two steps neither disturbs the training nor is disturbed.

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
        """Put our state in place."""
        self._outside = _read(self.device)
        _write(self.device, self._inside)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put theirs back."""
        self._inside = _read(self.device)
        _write(self.device, self._outside)

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on later."""
        return dict(self._inside)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
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
