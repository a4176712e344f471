"""Random numbers that depend on the image alone, so that tiles agree.

A generator of random numbers would give every tile its own, and a restoration in one
piece others again. Here each number is a hash of the measured values around its voxel,
which differ from place to place by their noise. In a region of one single value, as
where a camera is saturated, the numbers are all equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_blurgan.networks.ladder import Dice

__all__ = ["image_dice"]

MASK = 0xFFFFFFFF
FACTOR = 0x45D9F3B
"""Of the mixing function; its products with 32 bits fit into 64."""
STEPS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
"""Large odd numbers that keep draw, level and channel apart."""
BITS = 23
"""Of a uniform number, so that it is never rounded to one."""


def image_dice(image: Tensor, number: int, pool: Sequence[int]) -> Dice:
    """Return dice for one draw of the latent images of an image.

    Parameters
    ----------
    image : Tensor
        (n, c, [z,] y, x), float32.
    number : int
        Of the draw, from 0.
    pool : sequence of int
        Voxels of the image along each axis for one of the first reduced level.
    """
    keys = _keys(image)

    def dice(level: int, like: Tensor) -> Tensor:
        here = _reduced(keys, [factor**level for factor in pool], like)
        channels = torch.arange(like.shape[1], device=like.device)
        apart = (STEPS[0] * number + STEPS[1] * level + STEPS[2] * channels) & MASK
        shape = (1, -1, *(1,) * (like.dim() - 2))
        return _normal(_mixed(here ^ _mixed(apart).reshape(shape)))

    return dice


def _keys(image: Tensor) -> Tensor:
    """Return a hash of each voxel and its next neighbours, (n, 1, …), of 32 bits."""
    bits = image.contiguous().view(torch.int32).to(torch.int64) & MASK
    key = torch.zeros_like(bits[:, :1])
    for channel in range(bits.shape[1]):
        key = _mixed(key ^ bits[:, channel : channel + 1])
    for axis in range(2, image.dim()):
        before, after = (_shifted(key, axis, step) for step in (-1, 1))
        key = _mixed((key + 3 * before + 5 * after) & MASK)
    return key


def _shifted(key: Tensor, axis: int, step: int) -> Tensor:
    """Return the key of a neighbour; beyond the border that of the last voxel."""
    size = key.shape[axis]
    chosen = torch.arange(size, device=key.device) + step
    return key.index_select(axis, chosen.clamp(0, size - 1))


def _reduced(keys: Tensor, factors: Sequence[int], like: Tensor) -> Tensor:
    """Return the key of the first voxel of each that a level has."""
    for axis, factor in enumerate(factors, start=2):
        chosen = torch.arange(like.shape[axis], device=keys.device) * factor
        keys = keys.index_select(axis, chosen)
    return keys


def _mixed(key: Tensor) -> Tensor:
    """Return 32 bits that each depend on all of those given."""
    key = ((key >> 16) ^ key) * FACTOR & MASK
    key = ((key >> 16) ^ key) * FACTOR & MASK
    return (key >> 16) ^ key


def _normal(key: Tensor) -> Tensor:
    """Turn uniform bits into normal numbers."""
    uniform = ((key >> (32 - BITS)).float() + 0.5) / 2**BITS
    return torch.erfinv(2 * uniform - 1) * 2**0.5
