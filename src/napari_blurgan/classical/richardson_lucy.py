"""Richardson–Lucy deconvolution: maximum likelihood for Poisson noise."""

from __future__ import annotations

from typing import Unpack

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.keywords import checked
from napari_blurgan.inverse.blur import Blur, Edges
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, run

__all__ = ["RichardsonLucy", "richardson_lucy", "richardson_lucy_tensor"]

WARM_SHAPES = 4


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


class RichardsonLucy:
    """Richardson–Lucy on tensors, with cached transfer functions.

    Transfer functions and weights are kept for the most recent shapes, so that further
    patches or time points cost only their iterations. Nothing is recorded for
    differentiation.

    Parameters
    ----------
    psf : Tensor
        ``(z, y, x)`` or ``(y, x)``, non-negative, centred at ``n // 2``.
    background : float
        What the camera reads without light; part of the model, never of the result.
    edges : {"extend", "periodic"}
        Whether the object may go on beyond the field of view (see `Blur`).
    """

    def __init__(
        self, psf: Tensor, *, background: float = 0.0, edges: Edges = "extend"
    ) -> None:
        self.psf = psf
        self.background = background
        self.edges: Edges = edges
        self._blurs: dict[tuple[int, ...], Blur] = {}

    @torch.no_grad()
    def __call__(
        self, image: Tensor, iterations: int, start: Tensor | None = None
    ) -> Tensor:
        """Return the estimate after `iterations`, in the shape of `image`.

        Parameters
        ----------
        image : Tensor
            ``(…, z, y, x)`` or ``(…, y, x)``; negative values count as zero.
        iterations : int
            How many updates.
        start : Tensor, optional
            First estimate, non-negative, in the shape of `image`; flat by default.
        """
        blur = self.blur(tuple(image.shape[-self.psf.ndim :]))
        counts = image.to(torch.float32).clamp(min=0)
        steps = RichardsonLucySteps(Observation(counts, blur, self.background), start)
        for _ in range(iterations):
            steps.correct(steps.predict())
        return blur.crop(steps.estimate).contiguous()

    def blur(self, shape: tuple[int, ...]) -> Blur:
        """Return the blur of images of this shape, made once."""
        if shape not in self._blurs:
            while len(self._blurs) >= WARM_SHAPES:
                self._blurs.pop(next(iter(self._blurs)))
            self._blurs[shape] = Blur(self.psf, shape, self.edges)
        return self._blurs[shape]


def richardson_lucy_tensor(
    image: Tensor,
    psf: Tensor,
    iterations: int = 40,
    *,
    background: float = 0.0,
    edges: Edges = "extend",
    start: Tensor | None = None,
) -> Tensor:
    """Return the Richardson–Lucy estimate of a tensor; see `RichardsonLucy`."""
    plan = RichardsonLucy(psf, background=background, edges=edges)
    return plan(image, iterations, start)


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
