"""The intensity of a model on the voxels of an array."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.diffraction.integrals import (
    Intensity,
    born_wolf_intensity,
    gaussian_intensity,
    gibson_lanni_intensity,
    vectorial_intensity,
)
from napari_blurgan.optics.diffraction.modality import best_focus, detected, radial_grid
from napari_blurgan.optics.diffraction.parameters import Optics, OpticsWarning
from napari_blurgan.optics.diffraction.voxels import fill_voxels
from napari_blurgan.optics.geometry import (
    MOST_VOXELS,
    checked_shape,
    checked_voxel_size,
)

__all__ = ["Volume", "computed"]

COARSEST = 200
"""Largest voxel relative to Nyquist sampling; a PSF fits into one of them."""
HIGH_APERTURE = 0.8  # NA / n above which the paraxial model is a poor description

INTENSITIES: dict[str, Intensity] = {
    "gaussian": gaussian_intensity,
    "born-wolf": born_wolf_intensity,
    "gibson-lanni": gibson_lanni_intensity,
    "vectorial": vectorial_intensity,
}
WITHOUT_DEPTH = {"gaussian": "Gaussian", "born-wolf": "Born–Wolf"}
"""Models without the depth of the point, with their names for users."""


class Volume(NamedTuple):
    """A computed intensity and its parameters.

    Attributes
    ----------
    data : ndarray
        (z, y, x), its centre at ``n // 2``.
    voxel_size : tuple of float
        (z, y, x) in micrometres.
    provenance : dict
        Model, travel of the focus and optics.
    """

    data: NDArray[np.float32]
    voxel_size: tuple[float, float, float]
    provenance: dict[str, Any]


def computed(
    optics: Optics, shape: Sequence[int], voxel_size: Sequence[float], model: str
) -> Volume:
    """Return the intensity predicted by a model.

    Parameters
    ----------
    optics : Optics
        The microscope.
    shape : sequence of int
        (z, y, x) of the array.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    model : str
        One of `INTENSITIES`, or ``"auto"``: vectorial, which holds for every aperture.

    Raises
    ------
    OpticsError
        If there is no such model, or shape or voxel size are none.
    """
    name = "vectorial" if isinstance(model, str) and model == "auto" else model
    if not isinstance(name, str) or name not in INTENSITIES:
        raise OpticsError(f"no PSF model {model!r}; there are {', '.join(INTENSITIES)}")
    _warn(name, optics)
    intensity = INTENSITIES[name]
    focus = 0.0 if name in WITHOUT_DEPTH else best_focus(intensity, optics)
    sizes, size = checked_shape(shape), checked_voxel_size(voxel_size)
    _check_extent(optics, sizes, size)
    corner = math.hypot(
        *((n / 2 + 1) * v for n, v in zip(sizes[1:], size[1:], strict=True))
    )
    axial, lateral = optics.nyquist
    values = fill_voxels(
        lambda z, r: detected(intensity, optics, focus, z, r),
        radial_grid(optics, corner),
        sizes,
        size,
        (axial / 2, lateral / 2),
    )
    origin = {"model": name, "focus": focus, "optics": asdict(optics)}
    return Volume(values.astype(np.float32), size, origin)


def _check_extent(
    optics: Optics, sizes: Sequence[int], voxel_size: Sequence[float]
) -> None:
    """Refuse sizes that would take unreasonable memory or time."""
    if math.prod(sizes) > MOST_VOXELS:
        given = " × ".join(f"{v:.3g}" for v in voxel_size)
        raise OpticsError(
            f"a PSF of {' × '.join(map(str, sizes))} voxels is too large to be "
            f"computed, at most {MOST_VOXELS / 1e6:.0f} million in all: are voxels of "
            f"{given} µm right, or in another unit?"
        )
    axial, lateral = optics.nyquist
    for axis, length, finest in zip(
        "zyx", voxel_size, (axial, lateral, lateral), strict=True
    ):
        if length > COARSEST * finest:
            raise OpticsError(
                f"voxels {length:g} µm long in {axis} are too coarse for a PSF: at "
                f"most {COARSEST * finest:.3g} µm"
            )


def _warn(model: str, optics: Optics) -> None:
    """Warn if a model is not valid for the optics."""
    if model == "born-wolf" and optics.na / optics.ni > HIGH_APERTURE:
        _say(
            f"Born–Wolf is a model for small apertures; at NA / n = "
            f"{optics.na / optics.ni:.2f} its PSF is too long along z. Use the "
            f"vectorial or the Gibson–Lanni model"
        )
    if model in WITHOUT_DEPTH and optics.depth > 0 and optics.sample_index != optics.ni:
        _say(
            f"the {WITHOUT_DEPTH[model]} model does not include depth: the aberration "
            f"{optics.depth:g} µm deep in n = {optics.sample_index} is left out. Use "
            "vectorial or Gibson–Lanni"
        )


def _say(words: str) -> None:
    warnings.warn(words, OpticsWarning, stacklevel=5)
