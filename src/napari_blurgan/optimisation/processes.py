"""Processes that train one model together, started by torchrun; usually one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

__all__ = ["Processes"]

Item = TypeVar("Item")


class Processes:
    """The rank of this process; gradients and statistics are shared with the others.

    N processes with batch size b take the same steps as one process with batch size N
    b. All draw the same random numbers, and so the same patches; each works on its own
    share of them.

    Parameters
    ----------
    rank : int
        Our number; 0 leads: it writes files and says when to stop.
    size : int
        Number of processes.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @classmethod
    def of(cls, device: torch.device) -> Processes:
        """Join the processes that torchrun started, if it did."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(dist.get_rank(), size)

    def share(self, items: Sequence[Item]) -> list[Item]:
        """Return the share of this process in a common batch."""
        each = len(items) // self.size
        return list(items[self.rank * each : (self.rank + 1) * each])

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.size

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values / self.size

    def agree(self, value: float) -> float:
        """Return the value of the leading process."""
        if self.size == 1:
            return value
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        said = torch.tensor(value, dtype=torch.float64, device=device)
        dist.broadcast(said, src=0)
        return float(said)

    def share_statistics(self, network: nn.Module) -> None:
        """Make batch norms use the patches of all processes; torch can on GPUs only."""
        if self.size == 1:
            return
        for name, child in network.named_children():
            if isinstance(child, nn.BatchNorm2d | nn.BatchNorm3d):
                setattr(network, name, SharedBatchNorm(child))
            else:
                self.share_statistics(child)


class SharedBatchNorm(nn.Module):
    """Batch norm over the patches of all processes, with the parameters of `own`."""

    def __init__(self, own: nn.BatchNorm2d | nn.BatchNorm3d) -> None:
        super().__init__()
        self.own = own
        # The state has the same names as in a single process.
        self.register_state_dict_post_hook(_without_own)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_with_own)  # type: ignore[no-untyped-call]

    def forward(self, image: Tensor) -> Tensor:
        """Normalise (n, c, ...) and update the running statistics."""
        if not self.training:
            return self.own(image)
        axes = [0, *range(2, image.ndim)]
        moments = torch.stack(
            [image.float().mean(axes), image.float().square().mean(axes)]
        )
        mean, square = all_reduce(moments) / dist.get_world_size()  # type: ignore[no-untyped-call]
        variance = square - mean.square()
        self._remember(mean, variance, image[:, 0].numel() * dist.get_world_size())
        shape = (1, -1, *[1] * (image.ndim - 2))
        scale = self.own.weight * torch.rsqrt(variance + self.own.eps)
        shift = self.own.bias - mean * scale
        return image * scale.reshape(shape) + shift.reshape(shape)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        own, unbiased = self.own, variance * count / max(count - 1, 1)
        momentum = 0.1 if own.momentum is None else own.momentum
        for running, new in ((own.running_mean, mean), (own.running_var, unbiased)):
            if running is not None:
                running.lerp_(new, momentum)
        if own.num_batches_tracked is not None:
            own.num_batches_tracked += 1


def _without_own(
    module: nn.Module, state: dict[str, Tensor], prefix: str, _: object
) -> None:
    for key in [k for k in state if k.startswith(f"{prefix}own.")]:
        state[prefix + key.removeprefix(f"{prefix}own.")] = state.pop(key)


def _with_own(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    for key in [k for k in state if k.startswith(prefix)]:
        state[f"{prefix}own.{key.removeprefix(prefix)}"] = state.pop(key)
