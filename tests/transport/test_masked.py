"""Denoising without clean images: what each preset learns from, and that it gains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan import Model, Stack, restore, train
from napari_blurgan.errors import DataError
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import Warned
from napari_blurgan.objective.masked import Masked, MaskedTerm
from napari_blurgan.optics.phantoms import phantom

SIDE, IMAGES = 64, 8


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """Microtubules as a microscope shows them, (n, y, x), from 0 to 1."""
    torch.set_num_threads(1)
    drawn = [
        phantom("microtubules", (1, SIDE, SIDE), (0.1, 0.064, 0.064), seed, density=1.9)
        for seed in range(IMAGES)
    ]
    smooth = np.stack([gaussian_filter(image[0], 1.2) for image in drawn])
    return smooth / np.percentile(smooth, 99.9)


def noisy(clean: np.ndarray, seed: int) -> np.ndarray:
    """Thirty photons at the brightest, read noise of a photon, offset 100, gain 2."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(30 * clean.clip(0)) + rng.normal(0, 0.9, clean.shape)
    return (100 + 2 * counts).astype(np.float32)


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """Return decibels after the offset and the gain are taken off."""
    return float(-10 * np.log10(np.mean(((image - 100) / 60 - clean) ** 2)))


def denoised(model: Model, image: np.ndarray) -> np.ndarray:
    stack = Stack(image, "TYX", name="y")
    return np.asarray(restore(model, stack, precision="float32").data)


def trained(name: str, *data: Any, steps: int = 300, **changes: Any) -> Model:
    settings = {"reconstructor.base": 8} | changes
    recipe = preset(name).updated(settings)
    return train(recipe, *data, steps=steps, device="cpu", seed=0)


def best_gaussian(image: np.ndarray, clean: np.ndarray) -> float:
    sigmas = np.arange(0.5, 2.5, 0.1)
    return max(psnr(gaussian_filter(image, (0, s, s)), clean) for s in sigmas)


@pytest.mark.parametrize("second", ["images", "frames", "photons"])
def test_noise2noise_gains_from_each_kind_of_second_measurement(
    second: str, clean: np.ndarray
) -> None:
    one, other = noisy(clean, 0), noisy(clean, 1)
    both = np.stack([one, other], axis=1)
    pairs = [Stack(pair, "TYX", name=f"{n}") for n, pair in enumerate(both)]
    data = {
        "images": ([Stack(one, "TYX", name="1")], [Stack(other, "TYX", name="2")]),
        "frames": (pairs,),
        "photons": ([Stack(plane, "YX", name=f"{n}") for n, plane in enumerate(one)],),
    }[second]
    model = trained("noise2noise", *data)
    found = psnr(denoised(model, one), clean)
    assert found > best_gaussian(one, clean) + (1.0 if second != "photons" else 0.5)


def test_a_second_measurement_that_is_not_there_is_asked_for(clean: np.ndarray) -> None:
    planes = [Stack(plane, "YX", name="p") for plane in noisy(clean, 0)]
    missing = {"frames": "a single time point", "images": "no second set"}
    for second, said in missing.items():
        with pytest.raises(DataError, match=said):
            trained("noise2noise", planes, **{"source.second": second})


@pytest.mark.parametrize(("name", "gain"), [("noise2self", 0.5), ("noise2void", 0.0)])
def test_single_images_are_denoised(name: str, gain: float, clean: np.ndarray) -> None:
    image = noisy(clean, 0)
    planes = [Stack(plane, "YX", name=f"{n}") for n, plane in enumerate(image)]
    found = denoised(trained(name, planes), image)
    assert psnr(found, clean) > best_gaussian(image, clean) + gain
    assert alternation(found) < 1.5 * alternation(100 + 60 * clean)


def alternation(image: np.ndarray) -> float:
    """Return the mean amplitude of a checkerboard."""
    quads = [image[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    a, b, c, d = quads
    return float(np.abs(a - b - c + d).mean())


def test_noise_along_rows_is_taken_away_where_it_is_named(clean: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    rows = gaussian_filter(rng.normal(size=clean.shape), (0, 0, 8), mode="wrap")
    image = noisy(clean, 0) + 12 * rows / rows.std()
    planes = [Stack(plane.astype(np.float32), "YX", name="p") for plane in image]
    plain, struct = (
        psnr(denoised(trained("noise2void", planes, steps=200, **line), image), clean)
        for line in ({}, {"terms.masked.line": "x"})
    )
    assert struct > plain + 0.5


def test_a_second_set_is_refused_where_there_is_no_use_for_it(
    clean: np.ndarray,
) -> None:
    one, other = ([Stack(noisy(clean, n), "TYX", name="s")] for n in (0, 1))
    with pytest.raises(DataError, match="measured images alone"):
        trained("noise2self", one, other)


@pytest.mark.parametrize("pixels", ["grid", "random"])
@pytest.mark.parametrize("fill", ["mean", "median"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_what_is_compared_was_not_seen(pixels: str, fill: str, axes: str) -> None:
    """The loss has no gradient with respect to y that passes through the network."""
    shape = (2, 2, *([3] if axes == "zyx" else []), 16, 16)
    y = torch.rand(shape, requires_grad=True)
    settings = MaskedTerm(weight=1.0, pixels=pixels, fill=fill, share=0.05)
    seen: list[torch.Tensor] = []

    class Images:
        power = 2
        estimate = None

        class transport:
            @staticmethod
            def to_x(image: torch.Tensor, estimate: None) -> torch.Tensor:
                seen.append(image)
                return image * 0

    Images.y = y
    torch.manual_seed(0)
    loss = Masked(settings, None)(Images())
    changed = (seen[0] != y).any(dim=1, keepdim=True).expand_as(y)
    (gradient,) = torch.autograd.grad(loss, y)
    compared = gradient != 0
    assert 0 < compared.float().mean() < 0.12
    assert bool(changed[compared].all())


def test_a_volume_shows_the_planes_beside_a_masked_pixel() -> None:
    planes = torch.zeros(1, 1, 12, 16, 16)
    masked = Masked(MaskedTerm(weight=1.0), None)._masked(planes)[0, 0]
    assert masked.sum() == 12 * 16
    assert (masked[1:] & masked[:-1]).any(dim=(1, 2)).float().mean() < 0.5


@pytest.mark.parametrize("name", ["noise2noise", "noise2self", "noise2void"])
@pytest.mark.parametrize("axes", ["ZYX", "CYX", "TCZYX"])
def test_volumes_and_channels_are_denoised_as_a_whole(name: str, axes: str) -> None:
    sizes = {"T": 2, "C": 2, "Z": 4, "Y": 24, "X": 20}
    rng = np.random.default_rng(0)
    noise = rng.poisson(20, [sizes[a] for a in axes]).astype(np.float32)
    dims = {"dims": 3} if "Z" in axes else {}
    small = {"sampling.patch": 16, "sampling.batch": 1, "reconstructor.base": 2} | dims
    y = Stack(noise, axes, name="y")
    model = trained(name, y, steps=3, precision="float32", **small)
    assert model.channels == (sizes["C"],) * 2 if "C" in axes else (1, 1)
    denoised = restore(model, y, precision="float32")
    assert (denoised.axes, denoised.data.shape) == (axes, noise.shape)
    assert np.isfinite(np.asarray(denoised.data)).all()


def test_a_noisy_target_that_the_loss_does_not_suit_is_reported(
    clean: np.ndarray,
) -> None:
    """An output that ends at nought and one, and the median, which noise has not."""
    one, other = (Stack(noisy(clean, n), "TYX", name=f"{n}") for n in (0, 1))
    said: set[str] = set()

    def listen(event: object) -> None:
        if isinstance(event, Warned):
            said.add(event.code)

    recipe = preset("supervised").updated({"dims": 2})
    train(recipe, one, other, steps=240, device="cpu", seed=0, progress=listen)
    assert "below-input" in said
