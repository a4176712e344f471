"""The generators of all presets: tile by tile and in one piece."""

import numpy as np
import pytest
import torch

from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.restore.predict import apply
from napari_blurgan.transport.generator import Generator, make_network
from napari_blurgan.transport.guide import Guide
from napari_blurgan.transport.operator import NetworkOperator
from napari_blurgan.transport.presets import PRESETS, preset


def operator(name):
    """A preset's generator with few channels, as it is after some training."""
    recipe = preset(name).updated({"generator.base": 2})
    guided, dims = recipe.generator.guide > 0, recipe.dims
    torch.manual_seed(0)
    network = make_network(recipe.generator, dims, 1 + guided, 1, (2,) * dims)
    torch.nn.init.normal_(network.last.weight, std=0.1)
    with torch.inference_mode():
        network.train()(torch.rand(1, 1 + guided, *[16] * dims))
    generator = Generator(network, guided).eval()
    if not guided:
        return NetworkOperator(generator, (1, 1))
    kernel = np.ones((5, 5, 5), np.float32) / 125
    blur = BlurKernel(FixedKernel(kernel), 1.0, dims)
    return NetworkOperator(generator, (1, 1), Guide(recipe.generator.guide, 0.02), blur)


def largest_difference(name):
    """Tiles against the whole, over the largest value; noise, bright and dim."""
    restorer = operator(name)
    dims = len(restorer.stride)
    shape = (12, 72, 60) if dims == 3 else (150, 130)
    image = np.random.default_rng(0).random(shape, np.float32)
    image[..., shape[-1] // 2 :] *= 0.1
    tile = (12, 30, 24) if dims == 3 else (50, 40)
    whole, tiled = (
        list(apply(restorer, image, tile=t))[-1].result.data for t in (shape, tile)
    )
    return np.abs(tiled - whole).max() / np.abs(whole).max()


def kind(name):
    settings = preset(name).generator
    return "instance" if settings.norm == "instance" else settings.guide > 0


@pytest.mark.parametrize("name", [n for n in PRESETS if kind(n) is False])
def test_plain_networks_do_not_know_of_tiles(name):
    assert largest_difference(name) <= 1e-5


@pytest.mark.parametrize("name", [n for n in PRESETS if kind(n) is True])
def test_what_a_guide_feels_beyond_the_halo_is_next_to_nothing(name):
    assert largest_difference(name) <= 1e-4


@pytest.mark.parametrize("name", [n for n in PRESETS if kind(n) == "instance"])
def test_instance_norm_does_know(name):
    # Which is why its tiles are blended by default.
    assert largest_difference(name) > 1e-3
