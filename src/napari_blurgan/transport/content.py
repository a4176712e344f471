"""Is the content still what it was? Measured on images that training never sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.data.patches import PatchSampler
from napari_blurgan.data.stack import Stack
from napari_blurgan.transport.calibration import Calibration
from napari_blurgan.transport.engine import Engine
from napari_blurgan.transport.transported import present

__all__ = ["Content", "ContentProbe"]

PATCHES = 16

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Content:
    """What became of the content of some images a of domain A.

    Parameters
    ----------
    iou : float
        Of T_alpha(a) and T_beta(G(a)), each above a half, over all pixels; 1 where
        neither shows any content.
    lost, invented : float
        Pixels of content in a alone and in G(a) alone, over those in either.
    cycle : float
        Mean of |a - F(G(a))| in grey levels of A.
    held_out : bool
        Whether the images were set aside; else they were trained on.
    before, after : ndarray
        a in grey levels of A, G(a) in grey levels of B, (n, c, [z,] y, x).
    disagreement : ndarray
        T_beta(G(a)) - T_alpha(a), (n, [z,] y, x): 1 where content was invented, -1
        where it was lost.
    """

    iou: float
    lost: float
    invented: float
    cycle: float
    held_out: bool
    before: Image
    after: Image
    disagreement: Image

    def summary(self) -> dict[str, Any]:
        """Return the figures, fit for JSON."""
        names = ("iou", "lost", "invented", "cycle", "held_out")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        """Say it in a sentence."""
        where = "images set aside" if self.held_out else "images that it was trained on"
        return (
            f"Content kept: {self.iou:.0%} (IoU; {self.lost:.0%} lost, "
            f"{self.invented:.0%} invented) in {where}; there and back "
            f"differs by {self.cycle:.3g} grey levels."
        )


class ContentProbe:
    """A few fixed patches of A, looked at again and again while G learns.

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
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        held_out: bool,
        calibration: Calibration,
        patch: tuple[int, ...],
    ) -> None:
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
        """Look at the patches with the networks as they are now."""
        transport, generator = engine.transport.eval(), engine.generator.eval()
        a = self.patches.to(engine.device)
        # One by one: what training has memory for, this has too.
        b = torch.cat([generator(patch[None]) for patch in a])
        back = torch.cat([transport.to_y(patch[None]) for patch in b])
        transport.train()
        alpha, beta = present(transport.thresholds)
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
