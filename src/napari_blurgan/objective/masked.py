"""Blind spots: pixels are hidden from the network and predicted by it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Masked", "MaskedTerm"]

Line = Literal["none", "x", "y"]


class MaskedTerm(TermSettings):
    """|y - G(y with some pixels replaced)|^power at these pixels.

    Masking pixels on a grid is Noise2Self (Batson and Royer 2019); masking random
    pixels is Noise2Void (Krull et al. 2019), with the median of the surroundings as in
    N2V2 (Höck et al. 2022). A line through each masked pixel hides noise that is
    correlated along it (struct-N2V, Broaddus et al. 2020).
    """

    home: ClassVar[str] = "napari_blurgan.objective.masked:Masked"

    pixels: Literal["grid", "random"] = "grid"
    """Which pixels are hidden and predicted."""
    spacing: Annotated[int, Field(ge=2, le=64)] = 4
    """Spacing of the grid in pixels."""
    share: Annotated[float, Field(gt=0, le=0.5)] = 0.02
    """Share of the pixels that are masked at random."""
    fill: Literal["mean", "median"] = "mean"
    """Statistic of the surroundings that replaces a masked pixel."""
    line: Line = "none"
    """Direction along which the noise is correlated."""
    reach: Annotated[int, Field(ge=1, le=4096)] = 8
    """Number of pixels hidden on both sides of a masked one, along the line."""


class Masked(Term):
    """Compares y with G(y) at the pixels hidden from G, plane by plane.

    Parameters
    ----------
    settings : MaskedTerm
        Which pixels, and what stands in for them.
    site : Site
        The data.
    """

    def __init__(self, settings: MaskedTerm, site: Site) -> None:
        super().__init__(settings, site)
        self.settings = settings

    def forward(self, images: Transported) -> Tensor:
        """Return the mean over the masked pixels."""
        y = images.y
        planes = y.reshape(*y.shape[:2], -1, *y.shape[-2:])
        masked = self._masked(planes)
        hidden = _along(masked, self.settings.line, self.settings.reach)
        stand_in = _surroundings(planes, self.settings.fill, self.settings.line)
        seen = torch.where(hidden, stand_in, planes).reshape(y.shape)
        error = (images.transport.to_x(seen, images.estimate) - y).abs() ** images.power
        return error.reshape(planes.shape)[masked.expand_as(planes)].mean()

    def _masked(self, planes: Tensor) -> Tensor:
        """Return the masked pixels of a step, (n, 1, z, y, x), for all channels."""
        n, _, depth, height, width = planes.shape
        if self.settings.pixels == "random":
            chosen = torch.rand(n, 1, depth, height, width) < self.settings.share
            return chosen.to(planes.device)
        spacing = self.settings.spacing
        # Every plane has its own grid: a common grid would hide the neighbouring planes
        # of a masked pixel as well.
        first = torch.randint(spacing, (2, n * depth, 1), device="cpu")
        on_row, on_column = (
            (torch.arange(size) - start) % spacing == 0
            for size, start in zip((height, width), first, strict=True)
        )
        mask = on_row[:, :, None] & on_column[:, None]
        return mask.reshape(n, 1, depth, height, width).to(planes.device)


def _along(masked: Tensor, line: Line, reach: int) -> Tensor:
    """Return everything that is hidden with the masked pixels."""
    if line == "none":
        return masked
    spread = (0, reach) if line == "x" else (reach, 0)
    size = [2 * r + 1 for r in spread]
    flat = masked.flatten(0, 2)[:, None].float()
    return (F.max_pool2d(flat, size, 1, spread) > 0).reshape(masked.shape)


def _surroundings(planes: Tensor, fill: str, line: Line) -> Tensor:
    """Return the mean or median around every pixel, without itself and its line."""
    radius = 1 if fill == "mean" else 2
    size = 2 * radius + 1
    flat = F.pad(planes.flatten(0, 2)[:, None], [radius] * 4, mode="reflect")
    around = F.unfold(flat, size).transpose(1, 2)
    weights = _weights(radius, line).to(planes.device)
    kept = around[..., weights > 0]
    if fill == "median":
        return kept.median(dim=-1).values.reshape(planes.shape)
    weights = weights[weights > 0]
    return (kept @ weights / weights.sum()).reshape(planes.shape)


def _weights(radius: int, line: Line) -> Tensor:
    """Return the weights of a square: smaller at the corners, zero in the middle."""
    steps = torch.arange(-radius, radius + 1).abs()
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    weights = 1 / (rows + columns).clamp(min=1).float()
    own = {"none": (rows + columns) == 0, "x": rows == 0, "y": columns == 0}[line]
    return torch.where(own, 0.0, weights).flatten()
