"""A picture of the preview, before and after, for people who open the model folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.writing.atomic import replacing

__all__ = ["write_snapshot"]

GAP = 4  # white pixels between the two


def write_snapshot(
    path: Path, before: NDArray[np.float32], after: NDArray[np.float32]
) -> None:
    """Write both images side by side as a PNG; volumes as maximum projections.

    Parameters
    ----------
    path : Path
        Of the file.
    before, after : ndarray
        (c, [z,] y, x) in any units; each is shown in its own range.
    """
    # matplotlib, which writes PNGs, takes seconds to load.
    from PIL import Image

    left, right = _shown(before), _shown(after)
    gap = np.ones((len(left), GAP, 3), np.float32)
    picture = np.concatenate([left, gap, right], 1)
    with replacing(path) as temporary:
        Image.fromarray(np.uint8(np.rint(255 * picture))).save(temporary, "PNG")


def _shown(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (y, x, 3) in [0, 1]; the first channel in grey unless there are three."""
    flat = image.max(axis=1) if image.ndim == 4 else image
    flat = flat if len(flat) == 3 else flat[:1]
    low, high = np.percentile(flat, (0.5, 99.8))
    scaled = ((flat - low) / max(high - low, 1e-12)).clip(0, 1)
    return np.moveaxis(np.broadcast_to(scaled, (3, *scaled.shape[1:])), 0, -1)
