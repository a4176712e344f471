"""The extent of a learned blur, chosen by how well it predicts held-out photons.

The cone of light of a widefield microscope has no end, but that of a simulation or of
a truncated kernel has one. A blur that extends too far takes structure for haze.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.heldout.comparison import Comparison, worse
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["best_reach"]

Size = tuple[int, ...]

BETWEEN = 3
"""Number of steps from the smallest support to the whole."""


def best_reach(
    region: NDArray[np.float32],
    blur: BlurKernel,
    noise: NoiseModel,
    core: Sequence[int],
) -> Size:
    """Return the support with which a blur predicts held-out photons best.

    Parameters
    ----------
    region : ndarray
        (z, y, x), in normalised intensities, in which zero is the background.
    blur : BlurKernel
        H with all its light.
    noise : NoiseModel
        Of the image.
    core : sequence of int
        Least (z, y, x) support, odd.

    Returns
    -------
    tuple of int
        (z, y, x), odd; that of `blur` unless a smaller one is better beyond chance.
    """
    tried = Reaches(region, blur, noise)
    whole = tuple(blur.kernel().shape)
    sizes = [_between(core, whole, step / BETWEEN) for step in range(BETWEEN + 1)]
    number = int(np.argmin([tried.error(size) for size in sizes]))
    best = sizes[number]
    # The best extent may differ between z and the plane.
    for other in (sizes[max(number - 1, 0)], sizes[min(number + 1, BETWEEN)]):
        around = [_mean(best, other, axes) for axes in ((0,), (1, 2))]
        best = min([best, *around], key=tried.error)
    return best if tried.worse(whole, best) else whole


class Reaches:
    """Errors of the prediction of photons for each support of a blur.

    Parameters
    ----------
    region, blur, noise
        As in `best_reach`.
    """

    def __init__(
        self, region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
    ) -> None:
        self.blur = blur
        self.comparison = Comparison(region, blur, noise)
        self.squares: dict[Size, Tensor] = {}

    def error(self, size: Size) -> float:
        """Return the error at the best number of iterations."""
        return float(self._squares(size).mean())

    def worse(self, size: Size, best: Size) -> bool:
        """Whether the prediction is worse than with the best, beyond chance."""
        return worse(self._squares(size), self._squares(best))

    def _squares(self, size: Size) -> Tensor:
        if size not in self.squares:
            values = self.blur.kernel().detach()
            starts = [(n - k) // 2 for n, k in zip(values.shape, size, strict=True)]
            window = [slice(s, s + k) for s, k in zip(starts, size, strict=True)]
            blur = self.blur.holding(values[tuple(window)])
            self.squares[size] = self.comparison.squares(blur)
        return self.squares[size]


def _between(core: Sequence[int], whole: Sequence[int], share: float) -> Size:
    """Return a support between two others; `share` 0 is the core, 1 the whole."""
    pairs = zip(core, whole, strict=True)
    return tuple(_odd(min(c, w) * (w / min(c, w)) ** share) for c, w in pairs)


def _mean(size: Size, other: Size, axes: Sequence[int]) -> Size:
    pairs = enumerate(zip(size, other, strict=True))
    return tuple(_odd((a + b) / 2) if n in axes else a for n, (a, b) in pairs)


def _odd(size: float) -> int:
    return 2 * round((size - 1) / 2) + 1
