"""The initial estimate of a refining reconstructor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.estimates.grain import grainy, grainy_kernel, taps_of
from napari_blurgan.interruption import heed_stop
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.methods.reconstructors import ReconstructorSettings
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import Calibration

__all__ = ["Estimator", "estimator_of"]

REACH = 3
"""Half widths of the kernel over which Richardson-Lucy has an influence."""
LEVEL = 0.1
"""Level of the flat start. The means of a patch, a tile and the whole image differ, and
with much noise their estimates would differ by up to a third."""


@dataclass(frozen=True)
class Estimator:
    """Accelerated Richardson-Lucy, in the intensities of x.

    Parameters
    ----------
    iterations : int
        Number of iterations; k of them do what k^2 / 4 plain ones do.
    pedestal : float
        Background that stands for the read noise, see `NoiseModel.pedestal`.
    depths : int
        Estimates that there are: after all iterations, and before that after a half, a
        quarter and so on of them, which hold less detail and less noise.
    grain : float
        Standard deviation, in voxels of a plane, of the Gaussians that the object is
        made of; 0 for single voxels.
    """

    iterations: int
    pedestal: float
    depths: int = 1
    grain: float = 0.0

    def __call__(self, y: Tensor, blur: BlurKernel) -> Tensor:
        """Return estimates of x of the size of y, which is (n, 1, [z,] y, x).

        The channels are the depths; the estimate after all iterations comes last.
        """
        return self.fit(y, blur)[0]

    @torch.no_grad()
    def fit(self, y: Tensor, blur: BlurKernel) -> tuple[Tensor, Tensor]:
        """Return the estimates, and the expected y under the last of them.

        The object beyond the border is estimated too, and its light is included.
        """
        steps, plan = self._start(y, blur)
        marks = [max(1, self.iterations >> depth) for depth in range(self.depths)]
        estimates: list[Tensor] = []
        for done in range(1, self.iterations + 1):
            heed_stop()
            steps.correct(steps.predict())
            if done in marks:
                estimates += [plan.crop(self._object(steps))] * marks.count(done)
        found = torch.cat(estimates, 1) / blur.gain
        return found, plan.forward(steps.estimate)

    @torch.no_grad()
    def expectations(self, y: Tensor, blur: BlurKernel) -> Iterator[tuple[int, Tensor]]:
        """Yield numbers of iterations a tenth apart, and the expected y after each."""
        steps, plan = self._start(y, blur)
        following = 1
        for done in range(1, self.iterations + 1):
            heed_stop()
            steps.correct(steps.predict())
            if done == following:
                yield done, plan.forward(steps.estimate)
                following += max(1, done // 10)

    def _start(self, y: Tensor, blur: BlurKernel) -> tuple[AcceleratedSteps, Blur]:
        kernel = blur.kernel()
        kernel = kernel.reshape(kernel.shape[-blur.dims :])
        if self.grain:
            kernel = grainy_kernel(kernel, taps_of(self.grain).to(kernel))
        # As existing models have learned it.
        plan = Blur(kernel, y.shape[2:], "extend", unseen="dark")
        # Dim places may lie below the offset; negative light has no estimate, and
        # dividing by its mean would diverge.
        counts = (y + self.pedestal).clamp(min=0)
        seen = Observation(counts, plan, self.pedestal, level=LEVEL)
        return AcceleratedSteps(seen), plan

    def _object(self, steps: AcceleratedSteps) -> Tensor:
        """Return the object that the estimate of the grains stands for."""
        if not self.grain:
            return steps.estimate
        return grainy(steps.estimate, taps_of(self.grain).to(steps.estimate))

    def halo(self, blur: BlurKernel) -> tuple[int, ...]:
        """Distance beyond which the estimate hardly depends on y, in voxels."""
        spread = len(taps_of(self.grain)) // 2
        *depth, height, width = (REACH * m for m in blur.margin)
        return (*depth, height + REACH * spread, width + REACH * spread)


def estimator_of(
    settings: ReconstructorSettings, calibration: Calibration
) -> Estimator | None:
    """Return the estimator for G; None if G refines no estimate."""
    iterations = settings.estimate_iterations
    if not iterations:
        return None
    return Estimator(
        iterations,
        calibration.noise.pedestal,
        settings.estimate_depths,
        settings.estimate_grain,
    )
