"""A sharp set if there is none: deconvolved parts, or synthetic structures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.interruption import heed_stop
from napari_blurgan.monitoring.events import Preparing, Warned
from napari_blurgan.optics.psf import Psf

__all__ = ["SHARP_SETS", "Cut", "deconvolved_parts", "synthetic"]

SHARP_SETS = {
    "layers": "ticked below",
    "richardson-lucy": "deconvolved parts",
    "microtubules": "synthetic microtubules",
    "vesicles": "synthetic vesicles",
    "membranes": "synthetic membranes",
    "nuclei": "synthetic nuclei",
}
PHANTOMS = 3
"""Number of simulated volumes of synthetic structures."""
ITERATIONS = 20
"""Iterations of accelerated Richardson-Lucy for sharp sets, equivalent to 100 plain
ones. With fewer, blur remains, and the PSF learned against such a set is too narrow."""

ASSUMED = (0.2, 0.1, 0.1)
"""Voxel size along z, y and x in micrometres that is assumed if it is unknown."""


@dataclass(frozen=True)
class Cut:
    """Training uses only a part of each stack, which begins at this voxel."""

    starts: tuple[tuple[int, ...], ...]


def deconvolved_parts(
    stacks: Sequence[Stack], psf: Psf, report: Callable[[Any], None]
) -> tuple[list[Stack], list[Stack]]:
    """Deconvolve one part of every stack; the other part is for training.

    Parameters
    ----------
    stacks : sequence of Stack
        Blurred images.
    psf : Psf
        Their blur.
    report : callable
        Called with `Preparing` before each stack, and with `Cut` at the end.

    Returns
    -------
    blurred, sharp : list of Stack
        The parts to train on, and the deconvolved ones.
    """
    from napari_blurgan.classical.references import make_sharp_references

    references: list[Any] = []
    for number, stack in enumerate(stacks):
        stage = f"a part of {stack.name} is deconvolved for the sharp set"
        report(Preparing(0, stage, number / len(stacks)))
        references += make_sharp_references(
            [stack],
            psf,
            "rl-accelerated",
            last=number % 2 == 1,
            iterations=ITERATIONS,
            background=_dark(stack),
        )
    starts = [tuple(part.start or 0 for part in r.blurred_region) for r in references]
    report(Cut(tuple(starts)))
    return [r.blurred for r in references], [r.sharp for r in references]


def synthetic(
    structure: str,
    like: Stack,
    voxel_size: tuple[float, float, float] | None,
    report: Callable[[Any], None],
) -> list[Stack]:
    """Simulate volumes of a structure, of the size of an image.

    Parameters
    ----------
    structure : str
        Of `SHARP_SETS`.
    like : Stack
        The image.
    voxel_size : tuple of float or None
        (z, y, x) of its voxels in micrometres; where unknown, `ASSUMED`, which is said.
    report : callable
        Called with a `Warned` where the size is assumed.
    """
    if voxel_size is None:
        report(_assumed(structure))
    voxel = voxel_size or ASSUMED
    return [_phantom(structure, like, voxel, seed) for seed in range(PHANTOMS)]


def _phantom(
    structure: str, like: Stack, voxel: tuple[float, float, float], seed: int
) -> Stack:
    from napari_blurgan.optics.phantoms import phantom

    heed_stop()
    return replace(
        like,
        data=phantom(structure, like.spatial_shape, voxel, seed),
        axes=like.spatial_axes,
        name=f"{structure} {seed}",
        channel_names=(),
    )


def _assumed(structure: str) -> Warned:
    sizes = " × ".join(map(str, ASSUMED))
    return Warned(
        0,
        "voxels-assumed",
        f"The voxel size is unknown: {structure} are simulated for {sizes} µm.",
        "Enter it below the blurred images if structures look too coarse or too fine.",
        {},
    )


def _dark(stack: Stack) -> float:
    """Return the grey level of the background, including the camera offset."""
    from napari_blurgan.preparation.calibration import background_level

    return max(background_level([stack.frame(0, 0)[0].astype("float32")]), 0.0)
