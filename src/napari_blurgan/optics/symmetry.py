"""Mirror images and rotations of a patch under which a blur is symmetric."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Symmetry", "measured_symmetry"]

ALIKE = 0.1
"""Relative difference below which two kernels count as equal: measured PSFs are
noisy."""


@dataclass(frozen=True)
class Symmetry:
    """Transformations of y and x that do not change the blur between them.

    Parameters
    ----------
    mirrors : str
        Axes along which a mirror image is blurred like the image.
    quarter_turns : bool
        Whether an image turned by 90 degrees in the plane is.
    """

    mirrors: str = "zyx"
    quarter_turns: bool = True


def measured_symmetry(kernel: Tensor) -> Symmetry:
    """Return the symmetry of a kernel, (z, y, x), up to its noise."""
    mirrors = (axis for n, axis in enumerate("zyx") if _alike(kernel, kernel.flip(n)))
    turned = kernel.shape[1] == kernel.shape[2] and _alike(
        kernel, kernel.rot90(1, (1, 2))
    )
    return Symmetry("".join(mirrors), turned)


def _alike(kernel: Tensor, other: Tensor) -> bool:
    return bool(torch.linalg.norm(kernel - other) < ALIKE * torch.linalg.norm(kernel))
