"""The normalisation between convolutions, which decides whether tiles agree."""

from __future__ import annotations

from typing import Literal

from torch import nn

from napari_blurgan.errors import RecipeError

__all__ = ["Norm", "make_norm"]

Norm = Literal["batch", "instance", "none"]


def make_norm(
    kind: Norm, dims: int, channels: int, momentum: float = 0.02
) -> nn.Module:
    """Return a normalisation layer with a learned gain and offset per channel.

    Parameters
    ----------
    kind : {"batch", "instance", "none"}
        ``"batch"`` takes the statistics of the batch in training and running ones at
        inference, so that a voxel depends on its neighbourhood only and tiles agree
        with the whole. ``"instance"`` always takes those of the image at hand, so
        that every tile is scaled by its own content.
    dims : int
        2 or 3.
    channels : int
        Number of channels.
    momentum : float
        Weight of the newest batch in the running statistics; small, since a batch
        may be a single patch.

    Raises
    ------
    RecipeError
        If there is no such normalisation.
    """
    if kind == "batch":
        batch = nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d
        return batch(channels, momentum=momentum)
    if kind == "instance":
        instance = nn.InstanceNorm2d if dims == 2 else nn.InstanceNorm3d
        return instance(channels, affine=True)
    if kind == "none":
        return nn.Identity()
    raise RecipeError(f"no normalisation {kind!r}; choose batch, instance or none")
