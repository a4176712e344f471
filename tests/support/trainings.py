"""What tests of whole trainings share."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan.data.complex_numbers import in_parts
from napari_blurgan.data.kspace import draw_lines
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import (
    Event,
    Stepped,
)
from napari_blurgan.optics.phantoms import heads

Domains = tuple[list[Stack], list[Stack]]


Losses = list[dict[str, float]]


def complex_domains(name: str) -> Domains:
    """Return slices of which one line of four was measured, and others."""
    sharp = heads((32, 32), 12, seed=0)
    measured, other = sharp[:8].copy(), sharp[8:]
    spectra = np.fft.fft(measured, axis=1)
    for n, spectrum in enumerate(spectra):
        spectrum[~draw_lines(32, 4, 0.04, torch.Generator().manual_seed(n)).numpy()] = 0
    y = np.fft.ifft(spectra, axis=1).astype(np.complex64)
    x = measured if preset(name).source.kind == "paired" else other
    sets = [in_parts(Stack(v, "ZYX", name=n)) for v, n in ((y, "y"), (x, "x"))]
    return sets[:1], sets[1:] if preset(name).source.domains == 2 else []


def content_of(name: str) -> dict[str, float]:
    """Return the threshold of domain A in the grey levels of `measured`, if needed."""
    return {"saliency__alpha": 150.0} if "saliency" in preset(name).active_terms else {}


def losses_of(events: list[Event]) -> Losses:
    return [event.losses for event in events if isinstance(event, Stepped)]
