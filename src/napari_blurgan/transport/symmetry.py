"""Which mirror images and turns of a patch the blur cannot tell from the patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_blurgan.optics.forward import BlurKernel, ForwardModel
from napari_blurgan.optics.kernel import FixedKernel, Kernel
from napari_blurgan.optics.pupil import PupilKernel

__all__ = ["Symmetry", "symmetry_of"]

ALIKE = 0.1
"""Relative difference up to which two kernels pass for one: measured PSFs are noisy."""


@dataclass(frozen=True)
class Symmetry:
    """What may be done to y and x alike without changing the blur between them.

    Parameters
    ----------
    mirrors : str
        Axes along which a mirror image is blurred like the image.
    quarter_turns : bool
        Whether an image turned by 90 degrees in the plane is.
    """

    mirrors: str = "zyx"
    quarter_turns: bool = True


def symmetry_of(
    forward: ForwardModel | None, views: Sequence[str] = ("xy",)
) -> Symmetry:
    """Return the symmetry of a forward model, as it is or as it may become.

    A kernel whose voxels are learned one by one is taken to be symmetric, as Lim et
    al. (2020) do by mirroring their patches, and so becomes it.

    Parameters
    ----------
    forward : ForwardModel or None
        H.
    views : sequence of str
        Sections that planes are drawn from. Along z, which is the Y of a section, the
        blur is another than across, and light comes from one side: no turns, and
        mirrors along X alone.
    """
    if tuple(views) != ("xy",):
        return Symmetry("x", quarter_turns=False)
    kernel = forward.parametrisation if isinstance(forward, BlurKernel) else None
    if isinstance(kernel, FixedKernel):
        return _measured(kernel.values)
    return _learnable(kernel)


def _measured(kernel: Tensor) -> Symmetry:
    mirrors = (axis for n, axis in enumerate("zyx") if _alike(kernel, kernel.flip(n)))
    turned = kernel.shape[1] == kernel.shape[2] and _alike(
        kernel, kernel.rot90(1, (1, 2))
    )
    return Symmetry("".join(mirrors), turned)


def _learnable(kernel: Kernel | None) -> Symmetry:
    learned = set(kernel.aberrations) if isinstance(kernel, PupilKernel) else set()
    if learned - {"spherical"}:
        return Symmetry("", quarter_turns=False)
    return Symmetry("yx" if learned else "zyx")


def _alike(kernel: Tensor, other: Tensor) -> bool:
    return bool(torch.linalg.norm(kernel - other) < ALIKE * torch.linalg.norm(kernel))
