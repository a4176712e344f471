"""Samples of other measurements: k-space, a stack blurred along z, projections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_blurgan.data.complex_numbers import as_complex
from napari_blurgan.data.stack import Stack
from napari_blurgan.tasks.samples import flat_sample, head_sample, projection_sample
from napari_blurgan.widgets._layers import LayerData
from napari_blurgan.widgets.sample_data import sample_layer

__all__ = ["flat_stack", "heads", "projections"]


def heads() -> list[LayerData]:
    """Return heads with a quarter of k-space and fully sampled ones of others.

    Real and imaginary part are what Train takes; the magnitudes are to be looked at.
    """
    undersampled, sharp = head_sample()
    return [
        sample_layer(sharp, role="sharp", visible=False),
        sample_layer(_magnitude(sharp), visible=False),
        sample_layer(undersampled, role="blurred", recipe="mri", visible=False),
        sample_layer(_magnitude(undersampled)),
    ]


def flat_stack() -> list[LayerData]:
    """Return a stack that is less sharp along z, and its isotropic truth."""
    measured, truth = flat_sample()
    return [
        sample_layer(truth, visible=False),
        sample_layer(measured, role="blurred", recipe="three-way"),
    ]


def projections() -> list[LayerData]:
    """Return projections at angles that were not measured, and measured ones."""
    bad, good = projection_sample()
    return [
        sample_layer(good, role="sharp", visible=False),
        sample_layer(bad, role="blurred", recipe="cyclegan"),
    ]


def _magnitude(stack: Stack) -> Stack:
    pixels: Any = np.abs(as_complex(np.asarray(stack.data)))
    name = f"{stack.name}, magnitude"
    return replace(stack, data=pixels, axes="ZYX", channel_names=(), name=name)
