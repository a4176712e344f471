"""What tests of whole trainings share."""

from __future__ import annotations

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import (
    Event,
    Stepped,
)

Domains = tuple[list[Stack], list[Stack]]


Losses = list[dict[str, float]]


def content_of(name: str) -> dict[str, float]:
    """Return the threshold of domain A in the grey levels of `measured`, if needed."""
    return {"saliency__alpha": 150.0} if "saliency" in preset(name).active_terms else {}


def losses_of(events: list[Event]) -> Losses:
    return [event.losses for event in events if isinstance(event, Stepped)]
