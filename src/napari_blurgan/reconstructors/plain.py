"""A plain network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from napari_blurgan.methods.reconstructors import PlainReconstructor
from napari_blurgan.reconstructors.network import make_network
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["Plain", "build_plain"]


class Plain(Reconstructor):
    """G(y) = f(y)."""

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Return f(y); estimates are ignored."""
        return self._run(y, region)


def build_plain(
    settings: PlainReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Plain:
    """Return a network with random weights."""
    return Plain(make_network(settings, dims, *channels, pool))
