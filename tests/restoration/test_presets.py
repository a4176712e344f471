"""The generators of all presets: tile by tile and in one piece."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import CancelledError
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.interruption import interruptible
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.models.network_operator import NetworkOperator
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.reconstructors.reconstructor import build_reconstructor
from napari_blurgan.restoration.predict import apply


@cache
def operator(name: str) -> Any:
    """A preset's generator with few channels, as it is after some training."""
    recipe = preset(name).updated({"reconstructor.base": 2})
    iterations, dims = recipe.reconstructor.estimate_iterations, recipe.dims
    depths = recipe.reconstructor.estimate_depths
    torch.manual_seed(0)
    generator = build_reconstructor(recipe.reconstructor, dims, (1, 1), (2,) * dims)
    network = generator.network
    torch.nn.init.normal_(network.last.weight, std=0.1)
    with torch.inference_mode():
        seen = 1 + (depths if iterations else 0)
        network.train()(torch.rand(1, seen, *[16] * dims))
    generator = generator.eval()
    if not iterations:
        return NetworkOperator(generator, (1, 1))
    # As smooth as light makes it: where a spectrum has zeros, as a box's, nothing ends.
    kernel = gaussian_kernel((5, 5, 5), (2.4, 2.4, 2.4))
    blur = BlurKernel(FixedKernel(kernel), 1.0, dims)
    return NetworkOperator(generator, (1, 1), Estimator(iterations, 0.02, depths), blur)


def largest_difference(
    name: str, shape: tuple[int, ...], tile: tuple[int, ...]
) -> float:
    """Tiles against the whole, over the largest value; noise, bright and dim."""
    image = np.random.default_rng(0).random(shape, np.float32)
    image[..., shape[-1] // 2 :] *= 0.1
    stack = Stack(image, "ZYX"[-len(shape) :])
    whole, tiled = (
        list(apply(operator(name), stack, tile=t))[-1].result.data
        for t in (shape, tile)
    )
    return np.abs(tiled - whole).max() / np.abs(whole).max()


def shapes(name: str) -> Any:
    """Volumes or planes, and tiles of them, of any sizes."""
    dims = preset(name).dims
    longest = (16, 80, 40)[-dims:] if dims == 3 else (90, 130)
    shape = st.tuples(*(st.integers(1, n) for n in longest))
    tile = st.tuples(*(st.integers(8, n) for n in longest))
    return st.tuples(shape, tile)


def kind(name: str) -> bool | str:
    settings = preset(name).reconstructor
    if settings.kind == "unrolled":  # sees as far as its H: all of k-space
        return "unrolled"
    refines = settings.estimate_iterations > 0
    return "instance" if settings.depends_on_tile else refines


def presets(of_kind: bool) -> list[str]:
    return [name for name in PRESETS if kind(name) == of_kind]


@pytest.mark.parametrize("name", presets(False))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_plain_networks_do_not_know_of_tiles(name: str, data: Any) -> None:
    assert largest_difference(name, *data.draw(shapes(name))) <= 1e-5


def generators() -> list[str]:
    """One preset stands for all that have the same generator."""
    alike = {str(preset(name).reconstructor): name for name in presets(True)}
    return list(alike.values())


@pytest.mark.parametrize("name", generators())
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_what_an_estimate_feels_beyond_the_halo_is_next_to_nothing(
    name: str, data: Any
) -> None:
    shape, tile = data.draw(shapes(name))
    # Of an image hardly wider than the kernel little more than a line is left, and
    # along that Richardson-Lucy is felt farther, however wide the halo is.
    bound = 5e-5 if min(shape[-2:]) > 8 else 1e-3
    assert largest_difference(name, shape, tile) <= bound


def test_refining_presets_have_few_generators() -> None:
    """One refines single voxels, one grains, and one planes along z."""
    assert len(generators()) == 3


@pytest.mark.parametrize("name", presets("instance"))
def test_instance_norm_does_know(name: str) -> None:
    # Which is why its tiles are blended by default.
    dims = preset(name).dims
    assert largest_difference(name, (8, 168, 16)[-dims:], (8, 24, 16)[-dims:]) > 1e-3


@pytest.mark.parametrize("way", ["whole", "part"])
def test_a_network_ends_between_two_layers(way: Any) -> None:
    network = operator("supervised")
    asked = []

    def stopped() -> Any:
        asked.append(True)
        return len(asked) > 4

    image, middle = torch.rand(1, 1, 16, 16, 16), [slice(4, 12)] * 3
    with interruptible(stopped), pytest.raises(CancelledError):
        network(image) if way == "whole" else network.part(image, middle)
    assert len(asked) == 5
    parts = network.generator.modules()
    assert not any(part._forward_pre_hooks for part in parts)
