"""Blind Richardson–Lucy: the PSF is estimated along with the object."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.classical.keywords import checked
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike, centred
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, plan_for, run
from napari_blurgan.optics.psf import Psf

__all__ = ["blind_richardson_lucy"]

PSF_UPDATES = 5


class BlindSteps:
    """Accelerated rounds from a flat start, each with a better PSF than the last."""

    def __init__(
        self, observation: Observation, start: Tensor | None, plan: Plan, length: int
    ) -> None:
        self.observation = observation
        self.psf = plan.psf
        self.edges = plan.edges
        self.length = length
        self._updates = 0
        self._round = AcceleratedSteps(observation, start)

    @property
    def estimate(self) -> Tensor:
        """The object in the current round."""
        return self._round.estimate

    def predict(self) -> Tensor:
        """Return the expected image; between rounds, with an improved PSF."""
        if self._updates and self._updates % self.length == 0:
            self._improve_psf()
            self._round = AcceleratedSteps(self.observation)
        return self._round.predict()

    def correct(self, expected: Tensor) -> None:
        """Update the object; overwrites `expected`."""
        self._round.correct(expected)
        self._updates += 1

    def _improve_psf(self) -> None:
        for _ in range(PSF_UPDATES):
            kernel = self.observation.blur.psf * self._psf_factor()
            if kernel.sum() > 0:  # else the image is dark, and shows nothing
                self._use(kernel.cpu().numpy())
        self.psf, _ = centred(self.psf)
        self._use(self.psf.data)

    def _psf_factor(self) -> Tensor:
        """Return Xᵀ(y / (Xh + b)) / Xᵀ1: a Richardson–Lucy step for h with known x."""
        seen, blur = self.observation, self.observation.blur
        ratio = seen.image / seen.expected(self.estimate)
        light = blur.lags(self.estimate, torch.ones_like(ratio))
        light.clamp_(min=torch.finfo(light.dtype).tiny)
        return blur.lags(self.estimate, ratio).clamp_(min=0).div_(light)

    def _use(self, kernel: np.ndarray) -> None:
        size = self.psf.voxel_size
        data = kernel if kernel.ndim == 3 else kernel[None]
        self.psf = Psf(data, size, {**self.psf.provenance, "blind": True})
        like = self.observation.blur.psf
        fitted = torch.from_numpy(self.psf.data).reshape(like.shape).to(like.device)
        blur = Blur(fitted, self.observation.blur.image_shape, self.edges)
        self.observation = replace(self.observation, blur=blur)


@checked
def blind_richardson_lucy(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 15,
    *,
    rounds: int = 3,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve and improve the PSF alternately.

    Each round deconvolves from a flat start with the current PSF (accelerated
    Richardson–Lucy). Between rounds the PSF is updated by Richardson–Lucy with the
    roles of object and PSF exchanged (Fish et al., JOSA A 12, 58, 1995), and centred.
    It stays non-negative, sums to one and keeps its size.

    The likelihood does not distinguish a blurred object with a narrow PSF from a sharp
    one with a wide PSF, and blind deconvolution drifts to the former: start from a PSF
    that is slightly too wide rather than too narrow, and use few rounds.

    Parameters
    ----------
    iterations : int
        Updates of the object in each round.
    rounds : int
        Deconvolutions, with updates of the PSF in between.
    **options
        As for `richardson_lucy`, without `stop`; `start` serves the first round.

    Returns
    -------
    Deconvolution
        Its `psf` is that of the last round, its `iterations` those of all rounds.

    Other parameters and errors are those of `richardson_lucy`.
    """
    if options.get("stop") is not None:
        raise DataError(
            "blind deconvolution has no stopping rule: set the number of rounds"
        )
    plan = plan_for(image, psf, options)
    rounds_of: list[BlindSteps] = []

    def method(observation: Observation, start: Tensor | None) -> BlindSteps:
        rounds_of.append(BlindSteps(observation, start, plan, iterations))
        return rounds_of[0]

    result = run(method, image, plan, rounds * iterations, options)
    return replace(result, psf=rounds_of[0].psf)
