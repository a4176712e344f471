"""Methods that were tried for `napari_blurgan.classical` and are not in it.

Textbook least squares: classical_quality.py measures what they would add.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_blurgan.classical.total_variation import SMOOTHING, curvature
from napari_blurgan.inverse.observation import Observation

__all__ = ["CANDIDATES"]


class NonNegativeLeastSquares:
    """Landweber with a step of one, clipped at zero, with Nesterov's momentum (FISTA).

    Beck and Teboulle, SIAM J. Imaging Sci. 2, 183, 2009.
    """

    weight = 0.0

    def __init__(self, observation: Observation, start: Tensor | None = None) -> None:
        self.observation = observation
        self.estimate = observation.start(start)
        self.ahead = self.estimate.clone()
        self._pace = 1.0

    def predict(self) -> Tensor:
        return self.observation.expected(self.ahead)

    def correct(self, expected: Tensor) -> None:
        seen = self.observation
        new = self.ahead + seen.blur.adjoint(seen.image - expected)
        if self.weight:
            flat = SMOOTHING * seen.flat
            new += self.weight * seen.flat * curvature(new, seen.spacing, flat)
        new.clamp_(min=0)
        pace = (1 + (1 + 4 * self._pace**2) ** 0.5) / 2
        self.ahead = new + (self._pace - 1) / pace * (new - self.estimate)
        self.estimate, self._pace = new, pace


class FistaTotalVariation(NonNegativeLeastSquares):
    """The same with the gradient of a smoothed total variation."""

    weight = 0.02


class IterativeConstrainedTikhonovMiller:
    """Conjugate gradients on ‖Hx + b − y‖² + λ‖x‖², clipped at zero after each step.

    van Kempen et al., J. Microsc. 185, 354, 1997.
    """

    weight = 1e-3

    def __init__(self, observation: Observation, start: Tensor | None = None) -> None:
        self.observation = observation
        self.estimate = observation.start(start)
        self._gradient = self._direction = torch.zeros_like(self.estimate)

    def predict(self) -> Tensor:
        return self.observation.expected(self.estimate)

    def correct(self, expected: Tensor) -> None:
        seen, blur = self.observation, self.observation.blur
        gradient = blur.adjoint(seen.image - expected) - self.weight * self.estimate
        before = self._gradient.square().sum()
        turn = gradient.square().sum() / before if before > 0 else 0.0
        direction = gradient + turn * self._direction
        bend = blur.forward(direction).square().sum()
        bend = bend + self.weight * direction.square().sum()
        step = (gradient * direction).sum() / bend
        self.estimate = self.estimate.add(direction * step).clamp_(min=0)
        self._gradient, self._direction = gradient, direction


CANDIDATES = {
    "NNLS (FISTA)": NonNegativeLeastSquares,
    "ICTM": IterativeConstrainedTikhonovMiller,
    "FISTA-TV": FistaTotalVariation,
}
