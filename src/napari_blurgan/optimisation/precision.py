"""Choice of the precision for training, by measurement."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from napari_blurgan.interruption import heed_stop
from napari_blurgan.optimisation.heeding import heeding
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["choose_precision"]

WORTH = 1.2
"""Minimum speed-up for which a lower precision is chosen."""

HOPELESS = 0.8
"""A lower precision that is slower than this on parts of a patch is not tried on whole
patches, where a CPU that emulates it takes ten times as long as in float32."""


def choose_precision(
    wanted: str, generator: Reconstructor, blank: Sequence[Tensor]
) -> torch.dtype:
    """Return the precision for training.

    Parameters
    ----------
    wanted : str
        ``"float32"``, ``"bfloat16"``, ``"float16"``, or ``"auto"``: the time of a few
        forward and backward passes decides between float32 and bfloat16, or float16 on
        a GPU that only emulates bfloat16.
    generator : Reconstructor
        On the device that is to compute; its weights stay as they are.
    blank : sequence of Tensor
        Its arguments for one training patch.
    """
    if wanted != "auto":
        dtype: torch.dtype = getattr(torch, wanted)
        return dtype
    device = next(generator.parameters()).device
    image = [part.to(device) for part in blank]
    # float32 first: the layout that suits the lower precision stays.
    lower = _half_precision(device)
    if device.type == "cpu" and _gain(generator, _parts(image), lower) < HOPELESS:
        return torch.float32
    return lower if _gain(generator, image, lower) > WORTH else torch.float32


def _gain(
    generator: Reconstructor, image: Sequence[Tensor], lower: torch.dtype
) -> float:
    """Return the speed-up of the lower precision."""
    full, half = (_seconds(generator, image, d) for d in (torch.float32, lower))
    return full / half


def _parts(image: Sequence[Tensor]) -> list[Tensor]:
    """Return zeros of half the size along each axis that is long enough."""
    halves = [n // 2 if n >= 32 else n for n in image[0].shape[2:]]
    return [torch.zeros(*part.shape[:2], *halves, device=part.device) for part in image]


def _half_precision(device: torch.device) -> torch.dtype:
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return torch.float16 if old else torch.bfloat16


def _seconds(
    generator: Reconstructor, image: Sequence[Tensor], dtype: torch.dtype
) -> float:
    """Return the shortest of three passes; the first is a warm-up."""
    generator.set_precision(dtype)
    times = []
    for _ in range(3):
        heed_stop()
        start = time.perf_counter()
        # Evaluation mode keeps the zeros out of the running statistics.
        with heeding(generator):
            generator.eval()(*image).mean().backward()
        if image[0].device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    generator.train().zero_grad(set_to_none=True)
    return min(times)
