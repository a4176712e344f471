"""The presets "as published" are what the papers print: docs/papers.md, row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.checkpoint import read_state
from napari_blurgan.networks.resnet import ResidualBlock
from napari_blurgan.optics.kernel import random_kernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optimisation.prepared import Prepared, prepare
from napari_blurgan.preparation.site import Known
from napari_blurgan.training.trainer import Trainer

LIM = ("blind-as-published", "nonblind-as-published")


@pytest.fixture
def lim(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack], psf: Psf
) -> Callable[..., Prepared]:
    def make(name: str, **changes: object) -> Prepared:
        changes = {"discriminator__scales": 3} | changes
        return prepare(tiny(name, **changes), measured, unpaired, Known(psf))

    return make


def all_of(module: nn.Module, kind: type) -> list[nn.Module]:
    return [part for part in module.modules() if isinstance(part, kind)]


def leaves(tree: object) -> dict[str, torch.Tensor]:
    """Return the tensors of nested dictionaries by their innermost name."""
    found: dict[str, torch.Tensor] = {}
    for name, value in tree.items() if isinstance(tree, dict) else ():
        found |= {name: value} if isinstance(value, torch.Tensor) else leaves(value)
    return found


@pytest.mark.parametrize("name", LIM)
def test_the_generator_of_lim(name: str, lim: Callable[..., Prepared]) -> None:
    network = lim(name).transport.generator.network
    convolutions = all_of(network, nn.Conv3d)
    kappa, levels = 7, 4
    # The lowest level belongs to both sides; the last convolution maps to one channel.
    assert len(convolutions) == 2 * kappa + 1 == 2 * (2 * levels - 1) + 1
    assert {c.kernel_size for c in convolutions[:-1]} == {(3, 3, 3)}
    assert len(all_of(network, nn.InstanceNorm3d)) == 2 * kappa
    assert len(all_of(network, nn.ReLU)) == 2 * kappa
    assert isinstance(network.activation, nn.Sigmoid)


@pytest.mark.parametrize("name", LIM)
def test_the_discriminators_of_lim(name: str, lim: Callable[..., Prepared]) -> None:
    terms = lim(name).terms
    discriminators = {
        n: t.discriminator for n, t in terms.items() if "adversarial" in n
    }
    both = {"adversarial_x", "adversarial_y"}
    expected = both if name == "blind-as-published" else {"adversarial_x"}
    assert set(discriminators) == expected
    for discriminator in discriminators.values():
        assert len(discriminator.discriminators) == 3
        assert discriminator.crop_shapes((64, 64, 64)) == [
            (n,) * 3 for n in (64, 32, 16)
        ]
        assert all_of(discriminator, nn.InstanceNorm3d)
        weights = [
            [p.data_ptr() for p in d.parameters()] for d in discriminator.discriminators
        ]
        assert not set(weights[0]) & set(weights[1])


@pytest.mark.parametrize("name", LIM)
def test_the_training_of_lim(name: str) -> None:
    recipe = preset(name)
    rates = recipe.optimiser
    assert rates.generator_rate == rates.discriminator_rate == rates.kernel_rate == 1e-4
    assert (rates.constant, rates.final) == (40 / 200, 0)
    assert recipe.patch == (64, 64, 64)
    assert (recipe.sampling.batch, recipe.discriminator.history) == (1, 50)
    assert recipe.sampling.flips
    assert (
        min(
            recipe.sampling.rotation, recipe.sampling.translation, recipe.sampling.scale
        )
        > 0
    )


def test_patches_of_lim_are_rotated_flipped_shifted_and_scaled(
    lim: Callable[..., Prepared],
) -> None:
    sampler = lim("blind-as-published").source.samplers[0]
    drawn = [sampler.draw_with_place()[0].transform for _ in range(40)]
    assert np.ptp([t.rotation for t in drawn]) > 90
    assert np.ptp([t.scale for t in drawn]) > 0.1
    assert np.ptp([t.translation for t in drawn], axis=0).min() > 4
    assert {flip for t in drawn for flip in t.flips} == {False, True}


def test_the_kernel_of_lim_learns_at_the_rate_of_the_networks(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    tmp_path: Path,
) -> None:
    shape = (8, 8, 8)
    recipe = tiny("blind-as-published", forward__size=shape)
    list(Trainer(recipe, measured, unpaired, tmp_path / "a.blurgan", steps=1))
    tensors = leaves(read_state(tmp_path / "a.blurgan" / "training.safetensors"))
    values = tensors["forward_model.parametrisation.values"].numpy()
    # Adam's first step is its rate, in every voxel.
    step = np.abs(values - random_kernel(shape, recipe.seed))
    assert np.median(step) == pytest.approx(1e-4, rel=0.01)


def test_the_networks_of_utom(tiny: Callable[..., Recipe]) -> None:
    rng = np.random.default_rng(0)
    planes = [Stack(rng.uniform(size=(64, 64)), "YX", name=n) for n in "ab"]
    prepared = prepare(tiny("utom-as-published"), planes[:1], planes[1:])
    generator = prepared.transport.generator.network
    first, *strided = all_of(generator, nn.Conv2d)[:3]
    assert first.kernel_size == (7, 7)
    assert [c.stride for c in strided] == [(2, 2), (2, 2)]
    ups = all_of(generator, nn.ConvTranspose2d)
    assert [c.stride for c in ups] == [(2, 2), (2, 2)]
    assert all(c.weight.requires_grad for c in ups)
    assert not all_of(generator, nn.Upsample)
    assert len(all_of(generator, ResidualBlock)) == 9
    image = torch.rand(1, 1, 40, 52)
    assert generator(image).shape == image.shape


def test_the_discriminator_of_utom_sees_70_pixels(
    tiny: Callable[..., Recipe],
) -> None:
    rng = np.random.default_rng(0)
    planes = [Stack(rng.uniform(size=(128, 128)), "YX", name=n) for n in "ab"]
    recipe = tiny("utom-as-published", sampling__patch=128)
    term = prepare(recipe, planes[:1], planes[1:]).terms["adversarial_x"]
    (discriminator,) = term.discriminator.discriminators  # type: ignore[misc]
    discriminator = discriminator.double()
    for norm in all_of(discriminator, nn.InstanceNorm2d):
        norm.forward = lambda image: image
    image = torch.zeros(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    scores = discriminator(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_the_training_of_utom() -> None:
    recipe = preset("utom-as-published")
    assert recipe.discriminator.loss == "lsgan"
    assert (recipe.optimiser.generator_rate, recipe.optimiser.betas) == (
        2e-4,
        (0.5, 0.999),
    )
    weights = recipe.weights_at(0)
    assert weights["cycle_x"] == weights["cycle_y"] == 10
    assert "identity" not in weights
    epoch = 1000
    for n in (0, 1, 3):
        assert recipe.weights_at(n * epoch)["saliency"] == pytest.approx(
            50 * np.exp(-n), rel=1e-3
        )
