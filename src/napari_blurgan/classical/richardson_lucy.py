"""Richardson–Lucy deconvolution: maximum likelihood for Poisson noise."""

from __future__ import annotations

from typing import Unpack

from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.keywords import checked
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, run

__all__ = ["RichardsonLucySteps", "richardson_lucy"]


class RichardsonLucySteps:
    """x ← x · Hᵀ(y / (Hx + b)) / Hᵀ1, in place."""

    def __init__(self, observation: Observation, start: Tensor | None = None) -> None:
        self.observation = observation
        self.estimate = observation.start(start)

    def predict(self) -> Tensor:
        """Return Hx + b."""
        return self.observation.expected(self.estimate)

    def correct(self, expected: Tensor) -> None:
        """Make one update; overwrites `expected`."""
        self.estimate *= self.observation.correction(expected)


@checked
def richardson_lucy(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 50,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve by Richardson–Lucy.

    x ← x · Hᵀ(y / (Hx + b)) / Hᵀ1 converges to the most likely object for Poisson noise
    (Richardson, JOSA 62, 55, 1972; Lucy, Astron. J. 79, 745, 1974). It starts flat,
    never becomes negative and conserves the flux. If it runs too long, it turns noise
    into structure: `iterations`, or a stopping rule, is its only regularisation.

    Parameters
    ----------
    image : array-like
        (z, y, x) or (y, x), of any real type.
    psf : Psf, ndarray or Plan
        Made to fit, see `fit_psf`; a `Plan` to keep for further images of that shape.
    iterations : int
        The most updates to make.
    **options
        See `napari_blurgan.inverse.run.Options`.

    Raises
    ------
    DataError
        If the pixels cannot be used, or an option does not fit them.
    OpticsError
        If the PSF is none.
    OutOfMemoryError
        If the device has too little memory.
    """
    return run(RichardsonLucySteps, image, psf, iterations, options)
