"""Blind spots: what a network says of pixels that it has not seen."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, PositiveInt
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

    Pixels on a grid are Noise2Self (Batson and Royer 2019); some at random Noise2Void
    (Krull et al. 2019), with the median of the surroundings in their place as in N2V2
    (Höck et al. 2022); a line through each of them hides noise that is correlated
    along it (struct-N2V, Broaddus et al. 2020).
    """

    home: ClassVar[str] = "napari_blurgan.objective.masked:Masked"

    pixels: Literal["grid", "random"] = "grid"
    """Which pixels are hidden and predicted."""
    spacing: Annotated[int, Field(ge=2, le=64)] = 4
    """Of the grid, in pixels of the plane."""
    share: Annotated[float, Field(gt=0, le=0.5)] = 0.02
    """Of the pixels that are masked at random."""
    fill: Literal["mean", "median"] = "mean"
    """Of the surroundings, which replaces a masked pixel."""
    line: Line = "none"
    """Along which noise is correlated."""
    reach: PositiveInt = 8
    """Pixels hidden to both sides of a masked one, along the line."""


class Masked(Term):
    """Compares y with G where G has not seen it, plane by plane.

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
        """Return the pixels of a step, (n, 1, z, y, x): of all channels, or of none."""
        n, _, depth, height, width = planes.shape
        if self.settings.pixels == "random":
            chosen = torch.rand(n, 1, depth, height, width) < self.settings.share
            return chosen.to(planes.device)
        spacing = self.settings.spacing
        # Every plane has a grid of its own: on one grid for all, a volume would hide
        # the planes beside a masked pixel as well.
        first = torch.randint(spacing, (2, n * depth, 1), device="cpu")
        on_row, on_column = (
            (torch.arange(size) - start) % spacing == 0
            for size, start in zip((height, width), first, strict=True)
        )
        mask = on_row[:, :, None] & on_column[:, None]
        return mask.reshape(n, 1, depth, height, width).to(planes.device)


def _along(masked: Tensor, line: Line, reach: int) -> Tensor:
    """Return all that is hidden with the masked pixels."""
    if line == "none":
        return masked
    spread = (0, reach) if line == "x" else (reach, 0)
    size = [2 * r + 1 for r in spread]
    flat = masked.flatten(0, 2)[:, None].float()
    return (F.max_pool2d(flat, size, 1, spread) > 0).reshape(masked.shape)


def _surroundings(planes: Tensor, fill: str, line: Line) -> Tensor:
    """Return the mean or median round every pixel, without it and without its line."""
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
    """Return the weights of a square: less at its corners, none in its middle."""
    steps = torch.arange(-radius, radius + 1).abs()
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    weights = 1 / (rows + columns).clamp(min=1).float()
    own = {"none": (rows + columns) == 0, "x": rows == 0, "y": columns == 0}[line]
    return torch.where(own, 0.0, weights).flatten()
