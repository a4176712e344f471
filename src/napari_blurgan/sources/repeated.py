"""The same field measured more than once, with independent noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.methods.parts import PAIRS, SHARP, Need
from napari_blurgan.methods.sources import SourceSettings
from napari_blurgan.preparation.photons import split_photons
from napari_blurgan.preparation.site import Site
from napari_blurgan.sampling.patches import PatchSampler, Place, sampler_of
from napari_blurgan.sources.one_domain import OneDomain
from napari_blurgan.transport.draw import Draw

__all__ = ["RepeatedSource", "open_repeated"]

Second = Literal["images", "frames", "photons"]


class RepeatedSource(SourceSettings):
    """Two measurements of one field: exposures, neighbouring frames, split photons."""

    kind: Literal["repeated"] = "repeated"
    home: ClassVar[str] = "napari_blurgan.sources.repeated:open_repeated"
    cites: ClassVar[tuple[str, ...]] = ("lehtinen2018",)
    domains: ClassVar[int] = 1
    apart: ClassVar[bool] = False

    second: Second | Literal["auto"] = "auto"
    """Origin of the second measurement: a second set of images, the next time point, or
    half of the photons. "auto" uses the first of these that is available."""

    @property
    def offers(self) -> frozenset[Need]:
        """The second measurement, in place of a sharp image."""
        return frozenset({SHARP, PAIRS})


class Repeated(OneDomain):
    """Draws two measurements of the same region, in random order.

    Parameters
    ----------
    site : Site
        The data.
    second : str
        Where the second measurement is from.
    """

    def __init__(self, site: Site, second: Second) -> None:
        super().__init__(site)
        self.noise = site.calibration.noise
        self._of = {
            "images": self._image,
            "frames": self._frame,
            "photons": self._photons,
        }[second]
        self._others = _beside(site) if second == "images" else None

    def draw(self) -> Draw:
        """Return two measurements of a random region."""
        place, y = self.sampler.draw_with_place()
        pair = self._of(place, y)
        first = int(self.sampler.rng.integers(2))
        return Draw(y=pair[first], x=pair[1 - first])

    def _image(self, place: Place, y: Tensor) -> tuple[Tensor, Tensor]:
        assert self._others is not None
        return y, self._others.read(place)

    def _frame(self, place: Place, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the region and the same one time point later (at the end, earlier)."""
        last = self.measured[place.stack].size("T") - 1
        time = place.time + 1 if place.time < last else place.time - 1
        return y, self.sampler.read(replace(place, time=time))

    def _photons(self, place: Place, y: Tensor) -> tuple[Tensor, Tensor]:
        return split_photons(y, self.noise, 0.5, self.sampler.rng)


def open_repeated(settings: RepeatedSource, site: Site) -> Repeated:
    """Return the source on a data set.

    Raises
    ------
    DataError
        If there is no second measurement of the kind that is asked for.
    """
    frames = min(stack.size("T") for stack in site.y)
    found: Second = "images" if site.x else "frames" if frames > 1 else "photons"
    second: Second = found if settings.second == "auto" else settings.second
    if second == "images" and not site.x:
        raise DataError("source.second is 'images', but there is no second set")
    if second == "frames" and frames < 2:
        raise DataError(
            f"source.second is 'frames', but {_shortest(site.y).name} has a single "
            f"time point: take 'photons', or a second set of images"
        )
    return Repeated(site, second)


def _shortest(stacks: Sequence[Stack]) -> Stack:
    return min(stacks, key=lambda stack: stack.size("T"))


def _beside(site: Site) -> PatchSampler:
    """Return the sampler that reads the second set at the positions of the first."""
    return sampler_of(site.recipe.sampling.whole)(
        site.x,
        site.recipe.patch,
        normalization=site.calibration.x,
        rng=np.random.default_rng(0),
        reflect=True,
        augmentation=site.augmentation,
    )
