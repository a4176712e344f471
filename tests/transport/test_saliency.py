"""The saliency constraint, as the paper states it, and the images it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_blurgan.content.domain_thresholds import thresholds_of
from napari_blurgan.content.threshold import Threshold
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model
from napari_blurgan.monitoring.diagnostics import Diagnostics, measure_vitals
from napari_blurgan.monitoring.events import ContentMeasured, Started, Stepped, Warned
from napari_blurgan.objective.saliency import Saliency
from napari_blurgan.optics.forward import NeuralForward
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer
from napari_blurgan.transport.draw import Draw

SIDE = 36
SMALL = {
    "generator__base": 2,
    "generator__blocks": 1,
    "discriminator__base": 2,
    "sampling__patch": 16,
}


class FourImages:
    """y and x with what two generators make of them, and two thresholds."""

    def __init__(self, thresholds: tuple[Threshold, Threshold]) -> None:
        generator = torch.Generator().manual_seed(0)
        self.y, self.x, self.y_hat, self.x_hat = (
            torch.rand(1, c, 8, 8, generator=generator) for c in (1, 3, 1, 3)
        )
        self.transport = self
        self.thresholds = thresholds
        self.forward_model = NeuralForward(torch.nn.Identity())


def soft(image: Tensor, level: float, slope: float) -> Tensor:
    return torch.sigmoid(slope * (image.mean(1, keepdim=True) - level))


@pytest.mark.parametrize("bright", [(False, False), (False, True), (True, False)])
def test_each_image_is_under_the_threshold_of_its_own_domain(
    bright: tuple[bool, bool],
) -> None:
    thresholds = (Threshold(0.3, 20, bright[0]), Threshold(0.6, 20, bright[1]))
    four: Any = FourImages(thresholds)
    term = Saliency.__new__(Saliency)
    torch.nn.Module.__init__(term)
    term.alpha, term.beta = thresholds
    signs = [-20 if b else 20 for b in bright]
    t_y, t_x_hat = soft(four.y, 0.3, signs[0]), soft(four.x_hat, 0.6, signs[1])
    t_x, t_y_hat = soft(four.x, 0.6, signs[1]), soft(four.y_hat, 0.3, signs[0])
    expected = (t_y - t_x_hat).abs().mean() + (t_x - t_y_hat).abs().mean()
    assert float(term(four)) == pytest.approx(float(expected), rel=1e-5)


def test_content_is_one_whatever_the_sign_of_the_background() -> None:
    dark, bright = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    on_dark, on_bright = Threshold(0.5, 200), Threshold(0.5, 200, True)
    assert float(on_dark(bright).min()) > 0.99 > 0.01 > float(on_dark(dark).max())
    assert float(on_bright(dark).min()) > 0.99 > 0.01 > float(on_bright(bright).max())


def test_levels_and_slope_are_converted_once(tiny: Callable[..., Recipe]) -> None:
    """Grey levels become normalised units; the paper's range is twice as long."""
    levels = Normalization(100, 400), Normalization(0, 2)
    calibration = Calibration(*levels, 1.0, NoiseModel(0, 0), levels[1])
    recipe = tiny("utom", saliency__alpha=200, saliency__beta=1.5)
    found = thresholds_of(recipe, calibration)
    assert found is not None
    alpha, beta = found
    assert (alpha.level, beta.level) == (0.25, 0.75)
    assert alpha.slope == beta.slope == 200
    plain = tiny("utom", saliency__alpha=None, weights__saliency=0.0)
    assert thresholds_of(plain, calibration) is None


def blobs(seed: int, channels: int = 1, frames: int = 2, top: float = 1.0) -> Stack:
    rng = np.random.default_rng(seed)
    shape = (frames, SIDE, SIDE, channels)
    image = 0.1 + 0.02 * rng.random(shape)
    image[:, 8:20, 8:20] += 0.7
    axes = {1: "TYX", 3: "TYXS"}.get(channels, "TCYX")
    image = np.moveaxis(image, -1, 1) if axes == "TCYX" else image
    image = image[..., 0] if channels == 1 else image
    return Stack((top * image).astype(np.float32), axes, name=f"blobs {seed}")


def trained(recipe: Recipe, a: Stack, b: Stack, **options: Any) -> list[Any]:
    return list(Trainer(recipe, [a], [b], steps=2, device="cpu", **options))


@pytest.mark.parametrize("channels", [(1, 1), (1, 3), (3, 1), (2, 5)])
def test_any_number_of_channels_to_any_other(
    channels: tuple[int, int], tiny: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = tiny("utom", **SMALL)
    a, b = blobs(1, channels[0]), blobs(2, channels[1])
    trained(recipe, a, b, out=tmp_path / "m.blurgan")
    model = load_model(tmp_path / "m.blurgan")
    assert model.channels == channels
    assert model.colour == (channels[1] == 3)
    result = restore(model, a, device="cpu")
    assert result.channels == channels[1]
    assert ("S" in result.axes) == model.colour
    volume = Stack(a.data, a.axes.replace("T", "Z"))
    planes = restore(model, volume, device="cpu")
    np.testing.assert_allclose(np.asarray(planes.data), np.asarray(result.data))


def test_the_content_is_reported_on_images_that_were_set_aside(
    tiny: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = tiny("utom", **SMALL)
    out = tmp_path / "m.blurgan"
    a, b = blobs(1, frames=10), blobs(2, 3)
    told = [
        e.content
        for e in trained(recipe, a, b, out=out)
        if isinstance(e, ContentMeasured)
    ]
    content = told[-1]
    assert content.held_out
    assert content.iou + content.lost + content.invented == pytest.approx(1)
    assert content.before.shape == (16, 1, 16, 16)
    assert content.after.shape == (16, 3, 16, 16)
    assert content.disagreement.shape == (16, 16, 16)
    assert -1 <= content.disagreement.min() <= content.disagreement.max() <= 1
    assert load_model(out).provenance["content"] == content.summary()
    assert "held-out images" in str(content)


def test_where_nothing_can_be_spared_that_is_said(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny("utom", **SMALL | {"sampling__patch": 32})
    events = trained(recipe, blobs(1), blobs(2))
    (content,) = [e.content for e in events if isinstance(e, ContentMeasured)]
    assert not content.held_out
    assert "training images" in str(content)
    started = next(e for e in events if isinstance(e, Started))
    assert "images of domain A" in started.description


def test_eight_bits_against_sixteen(tiny: Callable[..., Recipe]) -> None:
    a, b = blobs(1), blobs(2)
    eight = a.with_data((255 * a.data).astype(np.uint8))
    sixteen = b.with_data((60000 * b.data).astype(np.uint16))
    recipe = tiny("utom", **SMALL, saliency__alpha=100, saliency__beta=20000)
    events = trained(recipe, eight, sixteen)
    assert any(isinstance(e, Stepped) for e in events)
    assert not any(isinstance(e, Warned) for e in events)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"saliency__alpha": 90},
            r"A \(alpha\) is 90, but its .* lie between 0.1\d* and 0.8",
        ),
        ({"saliency__beta": 0.01}, r"B \(beta\) is 0.01, but its .* lie between"),
        ({"saliency__beta": None}, "pick background and foreground"),
    ],
)
def test_thresholds_outside_the_data_are_refused(
    changes: dict[str, Any], message: str, tiny: Callable[..., Recipe]
) -> None:
    with pytest.raises((DataError, RecipeError), match=message):
        trained(tiny("utom", **SMALL | changes), blobs(1), blobs(2))


def test_a_wrong_sign_is_doubted(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny("utom", **SMALL, saliency__bright_background_b=True)
    (warned,) = [
        e for e in trained(recipe, blobs(1), blobs(2)) if isinstance(e, Warned)
    ]
    assert warned.code == "crowded-content"
    assert "of domain B counts as content" in warned.message
    assert "bright_background_b to false" in warned.remedy


def test_an_alpha_channel_is_left_out(tiny: Callable[..., Recipe]) -> None:
    rgb = blobs(2, 3)
    opacity = np.ones((*rgb.data.shape[:-1], 1), np.float32)
    rgba = rgb.with_data(np.concatenate([rgb.data, opacity], -1))
    events = trained(tiny("utom", **SMALL), rgba, blobs(1))
    assert [e.code for e in events if isinstance(e, Warned)] == ["alpha-channel"]
    model = events[-1].model
    assert model.channels == (3, 1)
    np.testing.assert_allclose(
        np.asarray(restore(model, rgba, device="cpu").data),
        np.asarray(restore(model, rgb, device="cpu").data),
    )


def test_the_same_pixels_in_both_domains_are_refused(
    tiny: Callable[..., Recipe],
) -> None:
    a = blobs(1)
    copy = Stack(a.data.copy(), a.axes, name="copy")
    with pytest.raises(DataError, match="blobs 1 and copy have the same pixels"):
        trained(tiny("utom", **SMALL), a, copy)


def test_images_of_one_domain_agree_in_their_channels(
    tiny: Callable[..., Recipe],
) -> None:
    trainer = Trainer(tiny("utom", **SMALL), [blobs(1), blobs(2, 3)], [blobs(3)])
    with pytest.raises(Exception, match="has 3 channels, blobs 1 has 1"):
        list(trainer)
    identity = tiny("utom", **SMALL, weights__identity=5.0)
    with pytest.raises(RecipeError, match="as many channels, found 1 and 3"):
        trained(identity, blobs(1), blobs(2, 3))
    first = next(
        e for e in trained(identity, blobs(1), blobs(2)) if isinstance(e, Stepped)
    )
    assert "identity" in first.losses
    with pytest.raises(DataError, match="no images of domain A"):
        list(Trainer(tiny("utom", **SMALL), [], [blobs(3)]))


def test_sections_of_a_volume_learn_to_look_like_its_planes(
    tiny: Callable[..., Recipe], tmp_path: Path
) -> None:
    data = np.asarray(blobs(1, frames=12).data)
    volume = Stack(data, "ZYX", (0.3, 0.1, 0.1), "volume")
    recipe = tiny("isotropic", **SMALL)
    events = trained(recipe, volume, volume, out=tmp_path / "m.blurgan")
    content = [e.content for e in events if isinstance(e, ContentMeasured)][-1]
    assert content.held_out
    result = restore(tmp_path / "m.blurgan", volume, device="cpu")
    assert result.data.shape == (34, SIDE, SIDE)
    assert result.voxel_size == pytest.approx((0.1, 0.1, 0.1))
    three = restore(
        tmp_path / "m.blurgan", volume, device="cpu", views=("xy", "xz", "yz")
    )
    assert three.data.shape == result.data.shape
    with pytest.raises(DataError, match="no view"):
        restore(tmp_path / "m.blurgan", volume, views=("zz",))


def test_volumes_to_volumes(tiny: Callable[..., Recipe]) -> None:
    a, b = (
        Stack(np.asarray(blobs(seed, frames=20).data), "ZYX", name=f"{seed}")
        for seed in (1, 2)
    )
    events = trained(tiny("utom", **SMALL, dims=3), a, b)
    content = [e.content for e in events if isinstance(e, ContentMeasured)][-1]
    assert content.disagreement.shape == (16, 16, 16, 16)
    assert restore(events[-1].model, a, device="cpu").data.shape == a.data.shape


def test_lost_content_is_diagnosed_and_meant_inversion_is_not() -> None:
    (warned,) = Diagnostics().observe(400, {"content": 0.3})
    assert warned.code == "content-lost"
    assert "30%" in warned.message
    alike, opposite = (
        FourImages((Threshold(0.3, 20), Threshold(0.6, 20, bright)))
        for bright in (False, True)
    )
    for four, sign in ((alike, -1), (opposite, 1)):
        vitals = measure_vitals(Inverting(four))
        assert vitals["agreement"] * sign > 0.9


class Inverting:
    """A transport whose G makes the negative."""

    def __init__(self, four: FourImages) -> None:
        self.y = self.x = four.y
        self.drawn = Draw(four.y, four.y)
        self.x_hat = self.contribution = 1 - four.y
        self.transport = four
        four.kernel = lambda: None
