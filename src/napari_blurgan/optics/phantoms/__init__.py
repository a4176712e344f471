"""Synthetic structures with exact ground truth, in micrometres, from a seed.

Every family is a function ``family(shape, voxel_size, *, seed, **options)`` that
returns the density of the label in [0, 1] as float32. Volumes are (z, y, x); a shape of
two numbers, or with one plane, gives a planar structure. Bodies may extend across the
border of the field; where two overlap the brighter one counts, so that brightness means
the same in every volume of a set, whatever the seed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.phantoms._beads import bead_positions, beads
from napari_blurgan.optics.phantoms._filaments import microtubules, worm_like_chains
from napari_blurgan.optics.phantoms._heads import heads, shepp_logan
from napari_blurgan.optics.phantoms._nuclei import nuclei
from napari_blurgan.optics.phantoms._sheets import membranes
from napari_blurgan.optics.phantoms._shells import vesicles
from napari_blurgan.optics.phantoms._stain import StainedCells, stained_cells

__all__ = [
    "STRUCTURES",
    "StainedCells",
    "bead_positions",
    "beads",
    "heads",
    "membranes",
    "microtubules",
    "nuclei",
    "phantom",
    "shepp_logan",
    "stained_cells",
    "vesicles",
    "worm_like_chains",
]

STRUCTURES: dict[str, Callable[..., NDArray[np.float32]]] = {
    "microtubules": microtubules,
    "vesicles": vesicles,
    "membranes": membranes,
    "nuclei": nuclei,
    "beads": beads,
}


def phantom(
    structure: str,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    seed: int,
    **options: Any,
) -> NDArray[np.float32]:
    """Generate a structure by its name.

    Parameters
    ----------
    structure : str
        One of `STRUCTURES`.
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres; (y, x) will do for a plane.
    seed : int
        The same seed draws the same structure.
    **options
        Of that family: see its function.

    Returns
    -------
    ndarray of float32
        Of the shape asked for, values in [0, 1].

    Raises
    ------
    OpticsError
        If there is no such structure, option, shape or voxel size.
    """
    if structure not in STRUCTURES:
        raise OpticsError(
            f"no structure {structure!r}; there are {', '.join(STRUCTURES)}"
        )
    draw = STRUCTURES[structure]
    allowed = list(inspect.signature(draw).parameters)[3:]
    for name in options:
        if name not in allowed:
            raise OpticsError(
                f"{structure} have no option {name!r}; there are {', '.join(allowed)}"
            )
    return draw(shape, voxel_size, seed=seed, **options)
