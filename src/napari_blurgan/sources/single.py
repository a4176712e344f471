"""Measured images only."""

from __future__ import annotations

from typing import ClassVar, Literal

from napari_blurgan.methods.sources import SourceSettings
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.one_domain import OneDomain

__all__ = ["SingleSource", "open_single"]


class SingleSource(SourceSettings):
    """Measured images only, each recorded once."""

    kind: Literal["single"] = "single"
    home: ClassVar[str] = "napari_blurgan.sources.single:open_single"
    domains: ClassVar[int] = 1
    most_domains: ClassVar[int] = 1
    apart: ClassVar[bool] = False


def open_single(settings: SingleSource, site: Site) -> OneDomain:
    """Return the source on a data set."""
    return OneDomain(site)
