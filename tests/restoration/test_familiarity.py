"""Images that a model was not trained for are told of, with numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Stack, preset
from napari_blurgan.models.familiarity import unfamiliar
from napari_blurgan.models.model import Model
from napari_blurgan.models.provenance import fingerprint
from napari_blurgan.preparation.appearance import Appearance, appearance
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.reconstructors.reconstructor import build_reconstructor
from napari_blurgan.restoration.events import Noted, Planned
from napari_blurgan.tasks.restore import restoring

VOXEL = (0.3, 0.1, 0.1)
NOISELESS = NoiseModel(0.0, 0.0)


def light(seed: int, shape: tuple[int, ...] = (16, 64, 64)) -> np.ndarray:
    """Blurred bodies, in photons, without background."""
    random, image = np.random.default_rng(seed), np.zeros(shape)
    places = tuple(random.integers(0, n, 60) for n in shape)
    image[places] = random.uniform(2e4, 8e4, 60)
    return gaussian_filter(image, (1.6, 1.8, 1.8))


def recorded(
    seed: int, exposure: float = 1.0, offset: int = 600, gain: float = 1.0
) -> Stack:
    photons = np.random.default_rng(seed).poisson(exposure * (light(seed) + 20))
    return Stack((offset + gain * photons).astype(np.float32), "ZYX", VOXEL)


@pytest.fixture(scope="module", params=["kernel", "network"])
def model(request: pytest.FixtureRequest) -> Model:
    """Of the levels and, where a blur is known, the noise of one recorded image."""
    recipe = preset("nonblind").updated(
        {"reconstructor.base": 2, "reconstructor.levels": 2}
    )
    recipe = recipe.updated({"reconstructor.kind": "plain", "sampling.patch": 16})
    found = calibrate(recipe, [recorded(0)], [Stack(light(1), "ZYX", VOXEL)])
    if request.param == "network":
        found = replace(found, noise=NOISELESS)
    generator = build_reconstructor(recipe.reconstructor, 3, (1, 1), (2, 2, 2))
    return Model(
        recipe=recipe,
        calibration=Calibration(**vars(found)),
        generator=generator.eval(),
        channels=(1, 1),
        pool=(2, 2, 2),
        blur=None,
        psf=None,
        voxel_size=VOXEL,
        id="0123456789ab",
    )


def said(model: Model, stack: Stack, **options: Any) -> list[str]:
    return list(unfamiliar(model, stack, **options))


@pytest.mark.parametrize("seed", range(5))
def test_images_of_the_same_kind_are_familiar(model: Model, seed: int) -> None:
    assert said(model, recorded(seed)) == []
    assert said(model, recorded(seed, exposure=0.6)) == []


def test_other_units_are_recognised_by_the_noise(model: Model) -> None:
    (note,) = said(model, recorded(2, offset=60, gain=0.1))
    assert "grey levels" in note
    assert "0.11 times the contrast" in note
    if model.calibration.noise != NOISELESS:
        factor = float(note.split("levels × ")[1].split(" ")[0])
        assert factor == pytest.approx(10, rel=0.25)


def test_eight_bits(model: Model) -> None:
    image = recorded(2).data
    scaled = 255 * (image - image.min()) / np.ptp(image)
    (note,) = said(model, Stack(scaled.astype(np.uint8), "ZYX", VOXEL))
    assert "times the contrast, outside the training range" in note


def test_less_light_is_more_noise(model: Model) -> None:
    (note,) = said(model, recorded(2, exposure=0.1))
    assert "times the contrast" in note
    if model.calibration.noise != NOISELESS:
        assert "times as noisy" in note


def test_an_offset_that_has_moved(model: Model) -> None:
    (note,) = said(model, recorded(2, offset=1600))
    assert "grey levels run from 16" in note


def test_noise_alone(model: Model) -> None:
    stack = recorded(2)
    noise = np.random.default_rng(5).normal(0, 80, stack.data.shape)
    noisy = Stack((stack.data + noise).astype(np.float32), "ZYX", VOXEL)
    notes = said(model, noisy)
    if model.calibration.noise == NOISELESS:
        assert notes == []
    else:
        assert "noisier than the training images" in notes[0]


def test_an_image_of_the_training_is_familiar(model: Model) -> None:
    odd = recorded(2, exposure=0.1)
    known = {"provenance": {"data": [fingerprint(recorded(1)), fingerprint(odd)]}}
    alone = preset("self-supervised").updated({"reconstructor.base": 2})
    assert said(replace(model, **known), odd) != []  # it may be of the sharp ones
    assert said(replace(model, recipe=alone), odd) != []
    assert said(replace(model, recipe=alone, **known), odd) == []
    assert said(replace(model, recipe=alone, **known), recorded(2, offset=1600)) != []


@pytest.mark.parametrize("data", [None, 3, "a", [3, None], {"content": "a"}])
def test_provenance_may_hold_anything(model: Model, data: Any) -> None:
    strange = replace(
        model, recipe=preset("self-supervised"), provenance={"data": data}
    )
    assert said(strange, recorded(2, exposure=0.1)) != []


def test_the_channel_is_named(model: Model) -> None:
    bright, dim = recorded(1).data, recorded(1, offset=60, gain=0.1).data
    stack = Stack(np.stack([np.asarray(bright), np.asarray(dim)]), "CZYX", VOXEL)
    assert [n.startswith("channel 1: ") for n in said(model, stack)] == [True]
    assert said(model, stack, channel=0) == []
    assert len(said(model, stack, channel=1)) == 1


@pytest.mark.parametrize("axes", ["ZYX", "TZYX", "XYZ"])
def test_it_is_said_before_any_work(model: Model, axes: str) -> None:
    dim = recorded(2, offset=60, gain=0.1).data
    image = {"ZYX": dim, "TZYX": dim[None], "XYZ": dim.transpose()}[axes]
    for event in restoring(model, image, axes=axes, voxel_size=VOXEL):
        assert not isinstance(event, Planned)
        if isinstance(event, Noted) and "grey levels" in event.message:
            break


def test_saturated_voxels_are_said_too(model: Model) -> None:
    image = np.minimum(recorded(2).data, 1023).astype(np.uint16)
    notes = [
        event.message
        for event in restoring(model, Stack(image, "ZYX", VOXEL))
        if isinstance(event, Noted)
    ]
    assert any("saturated (at 1023)" in note for note in notes)


def test_a_constant_image_is_left_to_the_engine(model: Model) -> None:
    assert said(model, Stack(np.full((8, 32, 32), 7, np.uint8), "ZYX", VOXEL)) == []


WIDE = (16, 128, 128)


def points(seed: int, width: float) -> Stack:
    random, image = np.random.default_rng(seed), np.zeros(WIDE)
    image[tuple(random.integers(0, n, 300) for n in WIDE)] = 5e4
    photons = random.poisson(gaussian_filter(image, (1.5, width, width)) + 20)
    return Stack((600 + photons).astype(np.float32), "ZYX", VOXEL)


def looking_like(model: Model, stack: Stack) -> Model:
    seen = appearance([stack])
    assert seen is not None
    return replace(model, provenance={"appearance": seen.to_dict()})


def test_less_detail_is_told(model: Model) -> None:
    trained = looking_like(model, points(0, 1.6))
    looks = [n for n in said(trained, points(1, 2.2)) if "does not look like" in n]
    assert len(looks) == 1
    assert "fine detail is weaker" in looks[0]
    assert not any("does not look" in n for n in said(trained, points(1, 1.6)))


@pytest.mark.parametrize("what", ["features", "voxels", "spread"])
@pytest.mark.parametrize("odd", [None, "x", [1.0], -1, [[float("nan")] * 7] * 7])
def test_what_a_stranger_wrote_is_ignored(model: Model, what: str, odd: object) -> None:
    written = looking_like(model, points(0, 1.6)).provenance["appearance"]
    assert Appearance.from_dict(written) is not None
    assert Appearance.from_dict(written | {what: odd}) is None
    assert Appearance.from_dict([0.0] * 7) is None
