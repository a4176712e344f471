"""*File → Open Sample*: two real stacks, and simulated ones with ground truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_blurgan.data.stack import Stack
from napari_blurgan.tasks.samples import bead_sample, microtubule_sample, sample
from napari_blurgan.widgets._context_menu import offer_on_layers
from napari_blurgan.widgets._layers import METADATA_KEY, LayerData, stack_layer

__all__ = ["beads", "dna", "microtubules", "sample_layer", "yeast"]

OURS = ("role", "optics", "made", "recipe")
OIL = {"na": 1.4, "ni": 1.515, "wavelength": 525.0}
WATER = {"na": 1.2, "ni": 1.333, "wavelength": 455.0}  # 415 to 495 nm


def dna() -> list[LayerData]:
    """Return a nucleus in widefield, and in confocal for comparison.

    Its optics are known, and one nucleus is too little to learn a blur from: the blur
    is kept fixed at the optics.
    """
    stack = sample("dna")
    confocal, widefield = (_channel(stack, channel) for channel in (0, 1))
    return [
        sample_layer(confocal, name="nucleus, confocal", visible=False),
        sample_layer(
            widefield,
            name="nucleus, widefield",
            role="blurred",
            optics=WATER,
            recipe="nonblind",
        ),
    ]


def yeast() -> list[LayerData]:
    """Return mitochondria of living yeast, of unknown optics."""
    return [sample_layer(sample("yeast"), name="yeast mitochondria", role="blurred")]


def microtubules() -> list[LayerData]:
    """Return simulated microtubules: truth, widefield image, PSF, and a sharp set.

    The sharp set shows another field, so that learning from it is truly unpaired.
    """
    sharp, blurred, psf = microtubule_sample()
    other, _, _ = microtubule_sample(seed=1)
    middle = [(n // 2 - k // 2) * v for n, k, v in _places(sharp, psf)]
    spread = Stack(psf.data, "ZYX", psf.voxel_size, "microtubules, PSF")
    return [
        sample_layer(sharp, name="microtubules, truth", visible=False),
        sample_layer(other, name="other field, sharp", role="sharp", visible=False),
        sample_layer(
            spread, made="psf", translate=middle, colormap="inferno", visible=False
        ),
        sample_layer(blurred, role="blurred", optics=OIL),
    ]


def beads() -> list[LayerData]:
    """Return a simulated widefield image of beads of 0.1 µm."""
    return [sample_layer(bead_sample(), role="beads", optics=OIL)]


def _places(stack: Stack, psf: Any) -> zip[tuple[int, int, float]]:
    return zip(stack.spatial_shape, psf.shape, psf.voxel_size, strict=True)


def _channel(stack: Stack, channel: int) -> Stack:
    return replace(
        stack, data=stack.frame(channel=channel)[0], axes="ZYX", channel_names=()
    )


def sample_layer(stack: Stack, **said: Any) -> LayerData:
    """Return a layer; values that are not layer attributes go into its metadata."""
    ours = {k: said.pop(k) for k in OURS if k in said}
    offer_on_layers()
    data, attributes, kind = stack_layer(stack, **said)
    known = attributes["metadata"][METADATA_KEY] | ours
    attributes["metadata"] = {METADATA_KEY: known}
    return np.asarray(data), attributes, kind
