"""Odd values at every door of the Python API: the right result or a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_blurgan import (
    Optics,
    Psf,
    Stack,
    deconvolve,
    load_model,
    preset,
    read_stack,
    restore,
    train,
)
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.content.picking import Region, threshold_from_regions
from napari_blurgan.errors import BlurGANError
from napari_blurgan.models.model import Model
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import MODELS, theoretical_psf

RNG = np.random.default_rng(0)
IMAGE = RNG.poisson(60, (17, 18, 19)).astype(np.float32)
PSF = np.ones((3, 3, 3), np.float32) / 27
VOXEL = (0.3, 0.1, 0.1)
NUMBERS = (0, -1, math.nan, math.inf, -math.inf, 1e300, 1e-300, "1", None, [1], 1j)
OPTICS: dict[str, Any] = {"na": 1.0, "ni": 1.33, "wavelength": 520.0}
Call = Callable[[Any], Any]

STRUCTURED = np.zeros(IMAGE.shape, [("a", "f4"), ("b", "i2")])
ARRAYS = {
    "empty z": IMAGE[:0],
    "empty x": IMAGE[..., :0],
    "nothing": np.float32(3),
    "a line": IMAGE[0, 0],
    "one voxel": IMAGE[:1, :1, :1],
    "one plane": IMAGE[:1],
    "structured": STRUCTURED,
    "datetime": IMAGE.astype("datetime64[s]"),
    "timedelta": IMAGE.astype("timedelta64[s]"),
    "complex": IMAGE * 1j,
    "text": IMAGE.astype(str),
    "objects": IMAGE.astype(object),
    "truth values": IMAGE > 60,
    "half": IMAGE.astype(np.float16),
    "double": IMAGE.astype(np.float64),
    "long double": IMAGE.astype(np.longdouble),
    "big-endian": IMAGE.astype(">u2"),
    "64 bits": IMAGE.astype(np.uint64),
    "signed": (IMAGE - 60).astype(np.int8),
    "negative": -IMAGE,
    "zeros": 0 * IMAGE,
    "constant": 0 * IMAGE + 7,
    "nan": np.where(IMAGE > 80, np.nan, IMAGE),
    "inf": np.where(IMAGE > 80, np.inf, IMAGE),
    "1e36": IMAGE * 1e34,
    "1e300": IMAGE.astype(float) * 1e298,
    "1e-36": IMAGE * 1e-38,
    "not contiguous": IMAGE[::-1, :, ::2],
    "read-only": np.broadcast_to(IMAGE[:1], IMAGE.shape),
}


def is_right_or_refused(call: Call, value: Any) -> Any:
    """Return a finite result, or None where it was refused in a sentence."""
    try:
        result = call(value)
    except BlurGANError as error:
        assert str(error).strip()
        assert "\n" not in str(error)
        return None
    if isinstance(result, np.ndarray | Stack) or hasattr(result, "image"):
        assert np.isfinite(np.asarray(result)).all()
    return result


def quick(method: str) -> dict[str, Any]:
    options: dict[str, Any] = {"iterations": 2} if METHODS[method].iterative else {}
    if METHODS[method].counts:
        options["camera"] = Camera(1000, 1, 1, 0)
    return options


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ARRAYS)
def test_odd_images_are_deconvolved_or_refused(kind: str, method: str) -> None:
    array = ARRAYS[kind]
    options = quick(method)
    result = is_right_or_refused(lambda a: deconvolve(a, PSF, method, **options), array)
    if result is not None:
        assert result.shape == array.shape


@pytest.mark.parametrize("kind", ARRAYS)
def test_odd_psfs_are_used_or_refused(kind: str) -> None:
    is_right_or_refused(lambda a: deconvolve(IMAGE, a, iterations=2), ARRAYS[kind])
    is_right_or_refused(lambda a: Psf(a, VOXEL), ARRAYS[kind])


@pytest.fixture(scope="module")
def model() -> Model:
    recipe = preset("supervised").updated(
        {
            "reconstructor.base": 2,
            "discriminator.base": 4,
            "discriminator.scales": 1,
            "sampling.patch": 16,
            "precision": "float32",
            "steps": 1,
        }
    )
    return train(recipe, IMAGE, IMAGE[::-1].copy(), voxel_size=VOXEL, device="cpu")


@pytest.mark.parametrize("kind", ARRAYS)
def test_odd_images_are_restored_or_refused(kind: str, model: Model) -> None:
    is_right_or_refused(lambda a: restore(model, a, device="cpu"), ARRAYS[kind])


@pytest.mark.parametrize("kind", ARRAYS)
def test_odd_images_are_learned_from_or_refused(kind: str, model: Model) -> None:
    if kind in ("truth values", "half", "double", "long double", "64 bits"):
        pytest.skip("trains, as the others do that are tested elsewhere")
    array = ARRAYS[kind]
    is_right_or_refused(lambda a: train(model.recipe, a, IMAGE, device="cpu"), array)


NUMBER_DOORS: dict[str, Call] = {
    "voxel z of a Stack": lambda v: Stack(IMAGE, "ZYX", (v, 0.1, 0.1)),
    "voxel of deconvolve": lambda v: deconvolve(
        IMAGE, Psf(PSF, VOXEL), iterations=1, voxel_size=(0.3, v, 0.1)
    ),
    "voxel of a Psf": lambda v: Psf(PSF, (v, 0.1, 0.1)),
    "resampled": lambda v: Psf(PSF, VOXEL).resampled((0.3, v, 0.1)),
    "cropped": lambda v: Psf(PSF, VOXEL).cropped((v, 3, 3)),
    "padded": lambda v: Psf(PSF, VOXEL).padded((3, v, 3)),
    "energy": lambda v: Psf(PSF, VOXEL).cropped(energy=v),
    "shape of a theoretical PSF": lambda v: theoretical_psf(
        Optics(**OPTICS), (v, 5, 5), VOXEL
    ),
    "channel": lambda v: Stack(IMAGE, "CYX").only_channel(v),
    "time": lambda v: Stack(IMAGE, "TYX").frame(v),
    "share": lambda v: threshold_from_regions(
        IMAGE, [Region((v, 1, 1), 1)], [Region((8, 8, 8), 2)]
    ),
} | {
    f"Camera {name}": lambda v, name=name: Camera(**{name: v})
    for name in ("photons", "read_noise", "gain", "offset")
}


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("door", NUMBER_DOORS)
def test_odd_numbers_are_used_or_refused(door: str, value: Any) -> None:
    is_right_or_refused(NUMBER_DOORS[door], value)


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize(
    "name",
    ["na", "ni", "wavelength", "ns", "depth", "tg", "tg0", "ti0", "ng", "ni0", "ng0"],
)
def test_odd_optics_make_a_psf_or_are_refused(name: str, value: Any) -> None:
    def computed(odd: Any) -> Any:
        optics = Optics(**OPTICS | {name: odd})
        return [
            np.asarray(theoretical_psf(optics, (3, 5, 5), VOXEL, model))
            for model in MODELS
        ]

    found = is_right_or_refused(computed, value)
    assert found is None or all(np.isfinite(psf).all() for psf in found)


KINDS = {
    "text": "1",
    "long text": "x" * 5000,
    "a null": "a\0b",
    "bytes": b"x",
    "truth": True,
    "a list": [1],
    "an empty list": [],
    "a mapping": {},
    "complex": 1j,
    "an object": object(),
    "nothing": None,
    "an array without axes": np.array(2),
    "an array of one": np.array([2]),
    "an array": np.array([0.3, 0.1, 0.1]),
    "a number of numpy": np.float32(2),
}
SPOT = Psf(PSF, VOXEL)


def deconvolved(**words: Any) -> Any:
    return deconvolve(IMAGE, SPOT, **{"iterations": 1} | words)


WORDS = (
    *("iterations", "background", "voxel_size", "edges", "device", "start", "stop"),
    *("callback", "axes", "channel_axis", "camera", "method"),
)
KIND_DOORS: dict[str, Call] = {
    "image": lambda v: deconvolve(v, SPOT, iterations=1),
    "psf": lambda v: deconvolve(IMAGE, v, iterations=1),
    "noise": lambda v: deconvolve(IMAGE, SPOT, "wiener", noise=v),
    "modality": lambda v: Optics(**OPTICS, modality=v),
    "excitation": lambda v: Optics(**OPTICS, excitation=v),
    "pinhole": lambda v: Optics(**OPTICS, pinhole=v),
    "sheet": lambda v: Optics(**OPTICS, sheet_thickness=v),
    "optics": lambda v: Psf.from_optics(v, VOXEL),
    "model of optics": lambda v: Psf.from_optics(Optics(**OPTICS), VOXEL, (3, 5, 5), v),
    "shape of optics": lambda v: Psf.from_optics(Optics(**OPTICS), VOXEL, v),
    "voxel of a Psf": lambda v: Psf(PSF, v),
    "provenance of a Psf": lambda v: Psf(PSF, VOXEL, v),
    "another Psf": SPOT.ncc,
    "file of a Psf": Psf.load,
    "file to save": SPOT.save,
    "file of an image to save": Stack(IMAGE, "ZYX").save,
    "file of an image": read_stack,
    "folder of a model": load_model,
    "data of a Stack": lambda v: Stack(v, "ZYX"),
    "axes of a Stack": lambda v: Stack(IMAGE, v),
    "name of a Stack": lambda v: Stack(IMAGE, "ZYX", name=v),
    "channels of a Stack": lambda v: Stack(IMAGE, "ZYX", channel_names=v),
    "metadata of a Stack": lambda v: Stack(IMAGE, "ZYX", metadata=v),
    "preset": preset,
    "changes": preset("noise2self").updated,
    "steps": lambda v: preset("noise2self").updated({"steps": v}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", WORDS)
def test_keywords_of_other_kinds_are_used_or_refused(word: str, kind: str) -> None:
    is_right_or_refused(lambda v: deconvolved(**{word: v}), KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("door", KIND_DOORS)
def test_values_of_other_kinds_are_used_or_refused(door: str, kind: str) -> None:
    is_right_or_refused(KIND_DOORS[door], KINDS[kind])


def test_numbers_of_numpy_are_numbers() -> None:
    plain = deconvolved(iterations=2, background=3.0, voxel_size=VOXEL)
    same = deconvolved(
        iterations=np.int64(2), background=np.array(3), voxel_size=np.array(VOXEL)
    )
    np.testing.assert_array_equal(same.image, plain.image)


def test_true_is_no_number() -> None:
    """In YAML, `yes` is: a training of `steps: yes` would be of one step."""
    with pytest.raises(BlurGANError, match="True, which is not a number"):
        preset("noise2self").updated({"steps": True})
    with pytest.raises(BlurGANError, match="na is a number"):
        Optics(True, 1.33, 520)


def test_messages_are_one_line_of_bearable_length() -> None:
    with pytest.raises(BlurGANError) as refused:
        preset("x" * 9000 + "\ny")
    said = str(refused.value)
    assert "\n" not in said
    assert 900 < len(said) < 1100
    assert "choose from" not in said[:500]
    assert "…" in said
