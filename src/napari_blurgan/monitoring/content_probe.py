"""Is the content preserved? Measured on images that are not used for training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_blurgan.content.content import Content
from napari_blurgan.content.threshold import Threshold
from napari_blurgan.data.stack import Stack
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.optimisation.prepared import Prepared
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.sampling.patches import PatchSampler

__all__ = ["ContentProbe", "content_probe"]

PATCHES = 16


class ContentProbe:
    """A few fixed patches of A, measured repeatedly while G learns.

    Parameters
    ----------
    stacks : sequence of Stack
        Images of domain A.
    held_out : bool
        Whether training does without them.
    calibration : Calibration
        Levels of both domains.
    patch : tuple of int
        Size of a patch.
    thresholds : pair of Threshold
        What is content in A and in B.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        held_out: bool,
        calibration: Calibration,
        patch: tuple[int, ...],
        thresholds: tuple[Threshold, Threshold],
    ) -> None:
        self.thresholds = thresholds
        self.held_out = held_out
        self.calibration = calibration
        sampler = PatchSampler(
            stacks,
            patch,
            normalization=calibration.y,
            rng=np.random.default_rng(0),
            reflect=True,
        )
        self.patches = torch.stack([sampler.draw() for _ in range(PATCHES)])

    @torch.no_grad()
    def measure(self, engine: Engine) -> Content:
        """Measure the patches with the current networks."""
        transport, generator = engine.transport.eval(), engine.generator.eval()
        a = self.patches.to(engine.device)
        # One by one: if there is memory for training, there is for this.
        b = torch.cat([generator(patch[None]) for patch in a])
        back = torch.cat([transport.to_y(patch[None]) for patch in b])
        transport.train()
        alpha, beta = self.thresholds
        return self._content(a, b, back, (alpha(a), beta(b)))

    def _content(
        self, a: Tensor, b: Tensor, back: Tensor, maps: tuple[Tensor, Tensor]
    ) -> Content:
        was, is_now = (m > 0.5 for m in maps)
        either = max(int((was | is_now).sum()), 1)
        lost, invented = (int(m.sum()) / either for m in (was & ~is_now, is_now & ~was))
        return Content(
            iou=1 - lost - invented,
            lost=lost,
            invented=invented,
            cycle=float((a - back).abs().mean()) * self.calibration.y.scale,
            held_out=self.held_out,
            before=self.calibration.y.undo(a.cpu().numpy()),
            after=self.calibration.output.undo(b.cpu().numpy()),
            disagreement=(maps[1] - maps[0])[:, 0].cpu().numpy(),
        )


def content_probe(prepared: Prepared) -> ContentProbe | None:
    """Return a probe of held-out images, if there are thresholds."""
    thresholds, aside = prepared.transport.thresholds, prepared.domains.aside
    if thresholds is None:
        return None
    site = prepared.site
    return ContentProbe(
        aside or site.y, bool(aside), site.calibration, site.geometry.patch, thresholds
    )
