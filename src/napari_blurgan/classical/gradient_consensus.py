"""Gradient Consensus: Richardson–Lucy updates confirmed by both halves of the photons.

After the idea of J. Manton and A. York (Richardson–Lucy Gradient Consensus, described
at doi.org/10.5281/zenodo.10278919): split the counts at random, compute the update for
each half, and apply it only where both agree.
"""

from __future__ import annotations

from typing import Unpack

from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.classical.keywords import checked
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, run
from napari_blurgan.inverse.stopping import HeldOut

__all__ = ["gradient_consensus"]


class ConsensusSteps(AcceleratedSteps):
    """Accelerated updates of two halves, applied only where the halves agree."""

    kept = 0.0  # such updates hardly overshoot

    def correct(self, expected: Tensor) -> None:
        """Update both halves from the extrapolated points; overwrites `expected`."""
        factor = self.observation.correction(expected)
        disagree = self._agreement(factor) <= 0
        self.step(factor.masked_fill_(disagree, 1.0))

    def _agreement(self, factor: Tensor) -> Tensor:
        """Return the product of the relative gradients of the halves, seen through HᵀH.

        Single voxels agree by chance half of the time; a neighbourhood of the size of
        the PSF, in which brighter voxels have more weight, does not.
        """
        gradients = factor - 1
        product = gradients[0].mul_(gradients[1]).mul_(self.extrapolated.sum(0))
        blur = self.observation.blur
        return blur.adjoint(blur.forward(product))


@checked
def gradient_consensus(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 200,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve by Gradient Consensus, which stops by itself.

    The photons are split at random into two halves with independent noise. Each half is
    deconvolved with momentum, and a voxel is updated only where the updates of both
    have the same sign. It ends when a half no longer predicts the other one better
    (`HeldOut`), and the sum of both at the best iteration is returned.

    The split is made once, and each half has its own estimate. Splitting again in each
    iteration, as first described, would eventually show every photon to the estimate:
    nothing would then be held out, and the likelihood of a half would vary more by
    chance than by the fit (docs/classical.md has the comparison).

    Parameters
    ----------
    iterations : int
        The most updates to make; the rule stops earlier.
    **options
        `camera` is needed: the split is of photons. `stop` may be a `HeldOut` with
        another seed or patience.

    Raises
    ------
    DataError
        Also if `camera` is missing, or `stop` is another rule.

    Other parameters and errors are those of `richardson_lucy`.
    """
    rule = options.get("stop") or HeldOut()
    if not isinstance(rule, HeldOut):
        raise DataError("Gradient Consensus has its own stopping rule, HeldOut")
    options["stop"] = rule
    return run(ConsensusSteps, image, psf, iterations, options)
