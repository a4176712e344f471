"""A buffer of generated patches that discriminators see again (Shrivastava 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_blurgan.errors import DataError

__all__ = ["ReplayBuffer"]


class ReplayBuffer:
    """Mixes current generated patches with earlier ones.

    Until it is full it stores and returns each patch. Afterwards, with equal
    probability, it returns either the new patch or a random older one, which the new
    one replaces (Shrivastava et al. 2017, section 2.3, in the form of Zhu et al.).

    Parameters
    ----------
    size : int
        Number of patches kept; 0 for no history.
    generator : torch.Generator, optional
        Where the coins come from; torch's global one by default. Its state is the
        caller's to save.
    """

    def __init__(self, size: int = 50, generator: torch.Generator | None = None):
        if size < 0:
            raise ValueError(f"a replay buffer holds 0 or more patches, not {size}")
        self.size = size
        self.generator = generator
        self.patches: list[Tensor] = []

    def __len__(self) -> int:
        return len(self.patches)

    def query(self, batch: Tensor) -> Tensor:
        """Return as many patches as `batch` has, detached, some of them older.

        Parameters
        ----------
        batch : Tensor, (n, c, …)
            Newly generated patches, all of one size.
        """
        if self.size == 0:
            return batch.detach()
        return torch.stack([self._exchange(patch) for patch in batch.detach()])

    def state_dict(self) -> dict[str, Tensor]:
        """Return the patches as one tensor (k, c, …), or nothing if there are none."""
        return {"patches": torch.stack(self.patches)} if self.patches else {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore a state from `state_dict`.

        Raises
        ------
        DataError
            If there are more patches than the buffer may hold.
        """
        patches = state.get("patches", torch.empty(0))
        if len(patches) > self.size:
            raise DataError(
                f"{len(patches)} patches were stored, but the buffer holds "
                f"{self.size}; resume with the recipe that was trained"
            )
        self.patches = list(patches.clone())

    def _exchange(self, patch: Tensor) -> Tensor:
        if len(self.patches) < self.size:
            self.patches.append(patch.clone())
            return patch
        # The upper half of the numbers stands for the other outcome.
        draw = int(torch.randint(2 * self.size, (), generator=self.generator))
        if draw >= self.size:
            return patch
        older = self.patches[draw].to(patch)
        self.patches[draw] = patch.clone()
        return older
