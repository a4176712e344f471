"""Photons that training never sees say whether G is better than its estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["Judge", "Judgement"]

FLOOR = 0.01
"""Of |H|^2 in the error: the same for all that is compared."""

TAPER = 8
"""Voxels over which the error falls to zero at the border."""


@dataclass(frozen=True)
class Judgement:
    """How well unseen photons are predicted.

    Parameters
    ----------
    error : float
        The projected error of what G predicts of them.
    of_estimate : float
        That of the estimate which G refines: Richardson-Lucy.
    """

    error: float
    of_estimate: float

    @property
    def better(self) -> bool:
        """Whether G predicts them better than its estimate."""
        return self.error < self.of_estimate

    def __str__(self) -> str:
        """Say it in a sentence."""
        share = 1 - self.error / self.of_estimate
        word = "better" if self.better else "no better"
        by = f" by {share:.2%}" if self.better else ""
        return f"predicts unseen photons {word} than Richardson–Lucy{by}"


class Judge:
    """Compares G with its estimate on photons set aside, and keeps the best G.

    Parameters
    ----------
    seen, unseen : sequence of Tensor
        Parts of the light of some images, (1, 1, [z,] y, x) each.
    estimator : Estimator
        What makes the estimates of the seen part.
    blur : BlurKernel
        H, which is held.
    """

    def __init__(
        self,
        seen: Sequence[Tensor],
        unseen: Sequence[Tensor],
        estimator: Estimator,
        blur: BlurKernel,
    ) -> None:
        self.blur = blur
        self.images: list[tuple[Tensor, Tensor, Tensor]] = []
        for image, other in zip(seen, unseen, strict=True):
            estimate, expected = estimator.fit(image, blur)
            self.images.append((image, estimate, other - expected))
        self.best: dict[str, Tensor] | None = None
        self.last: Judgement | None = None
        self._least = float("inf")

    @torch.no_grad()
    def look(self, generator: Reconstructor) -> Judgement:
        """Judge G as it is now, and keep a copy where it is the best so far."""
        generator.eval()
        pairs = [self._errors(generator, *image) for image in self.images]
        generator.train()
        error, of_estimate = (sum(e) / len(e) for e in zip(*pairs, strict=True))
        if error < self._least:
            self._least = error
            state = generator.state_dict()
            self.best = {name: value.clone() for name, value in state.items()}
        self.last = Judgement(self._least, of_estimate)
        return Judgement(error, of_estimate)

    def _errors(
        self,
        generator: Reconstructor,
        image: Tensor,
        estimate: Tensor,
        residual: Tensor,
    ) -> tuple[float, float]:
        shape = tuple(image.shape[2:])
        error = ProjectedError(self.blur, shape, FLOOR)
        taper = window(shape, TAPER).to(image.device)
        correction = generator(image, estimate) - estimate[:, -1:]
        left = residual - self.blur(correction, "zero")
        return float(error(taper * left)), float(error(taper * residual))

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on later."""
        last = None if self.last is None else [self.last.error, self.last.of_estimate]
        return {"best": self.best, "least": self._least, "last": last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.best, self._least = state["best"], float(state["least"])
        self.last = None if state["last"] is None else Judgement(*state["last"])
