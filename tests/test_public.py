"""Everything that the package offers is there, and documented."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import torch
import zarr

import napari_blurgan
from napari_blurgan import (
    Model,
    Optics,
    Psf,
    Recipe,
    Stack,
    deconvolve,
    preset,
    presets,
    read_stack,
    restore,
    train,
)
from napari_blurgan.errors import AxesError, BlurGANError, DataError, OpticsError
from napari_blurgan.methods.presets import PRESETS
from napari_blurgan.writing.ome_tiff import write_ome_tiff


@pytest.mark.parametrize("name", napari_blurgan.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(napari_blurgan, name)
    assert name == "__version__" or thing.__doc__


def test_no_public_name_is_hidden_by_a_room() -> None:
    # A package that is imported becomes an attribute, and would hide what is lazy.
    folder = Path(napari_blurgan.__file__).parent
    rooms = {path.name.removesuffix(".py") for path in folder.iterdir()}
    assert not rooms & set(napari_blurgan.__all__)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = napari_blurgan.nonsense
    assert set(napari_blurgan.__all__) == set(dir(napari_blurgan))


RNG = np.random.default_rng(0)
IMAGE = RNG.poisson(60, (18, 24, 24)).astype(np.int32)
VOXEL = (0.3, 0.1, 0.1)
KERNEL = np.ones((3, 3, 3), np.float32) / 27
TINY = {
    "reconstructor.base": 2,
    "discriminator.base": 4,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
    "steps": 1,
}
KINDS = ("numpy", "dask", "zarr", "torch", "stack", "path", "layer")


def of_kind(kind: str, image: np.ndarray, folder: Path) -> Any:
    """Return an image, (z, y, x), as a thing of some kind."""
    if kind == "path":
        path = folder / f"{image.ravel()[:3].sum()}.ome.tif"
        write_ome_tiff(path, image, "ZYX", VOXEL)
        return path
    if kind == "layer":
        import napari

        return napari.layers.Image(image, scale=VOXEL, units=("um",) * 3)
    return {
        "numpy": np.asarray,
        "dask": dask.array.from_array,
        "zarr": zarr.array,
        "torch": torch.from_numpy,
        "stack": lambda pixels: Stack(pixels, "zyx", VOXEL),
    }[kind](image)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return preset("supervised").updated(TINY)


@pytest.fixture(scope="module")
def model(recipe: Recipe) -> Model:
    return train(recipe, IMAGE, IMAGE[::-1].copy(), voxel_size=VOXEL, device="cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_every_kind_are_deconvolved(kind: str, tmp_path: Path) -> None:
    expected = deconvolve(IMAGE, KERNEL, iterations=2)
    found = deconvolve(of_kind(kind, IMAGE, tmp_path), KERNEL, iterations=2)
    np.testing.assert_array_equal(np.asarray(found), expected.image)
    assert found.shape == IMAGE.shape
    known = kind in ("stack", "path", "layer")
    assert found.stack.voxel_size == (VOXEL if known else (None, None, None))


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_every_kind_are_restored_in_kind(
    kind: str, model: Model, tmp_path: Path
) -> None:
    source = of_kind(kind, IMAGE, tmp_path)
    found = restore(model, source, device="cpu")
    is_stack = kind in ("stack", "path", "layer")
    assert type(found) is (Stack if is_stack else type(source))
    expected = restore(model, IMAGE, device="cpu")
    np.testing.assert_array_equal(np.asarray(found), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_every_kind_are_learned_from(
    kind: str, recipe: Recipe, tmp_path: Path
) -> None:
    other = IMAGE[::-1].copy()
    one, two = (of_kind(kind, image, tmp_path) for image in (IMAGE, other))
    alone = train(recipe, one, two, device="cpu")
    listed = train(recipe, [one], [two], device="cpu")
    expected = train(recipe, IMAGE, other, device="cpu")
    for model in (alone, listed):
        np.testing.assert_array_equal(
            restore(model, IMAGE, device="cpu"), restore(expected, IMAGE, device="cpu")
        )


def test_time_points_and_channels_are_deconvolved_one_by_one(tmp_path: Path) -> None:
    movie = np.stack([np.stack([IMAGE, 2 * IMAGE]), np.stack([IMAGE + 5, IMAGE])])
    wide = np.ones((3, 5, 5), np.float32)
    found = deconvolve(movie, [KERNEL, wide], iterations=2, axes="tczyx")
    for t, c in np.ndindex(2, 2):
        alone = deconvolve(movie[t, c], (KERNEL, wide)[c], iterations=2)
        np.testing.assert_array_equal(found.image[t, c], alone.image)
    last = np.moveaxis(movie[0], 0, -1)
    channels = deconvolve(last, KERNEL, iterations=2, channel_axis=-1)
    np.testing.assert_array_equal(channels.image[..., 0], found.image[0, 0])
    found.save(tmp_path / "a.ome.tif")
    back = read_stack(tmp_path / "a.ome.tif")
    assert (back.axes, back.shape) == ("TCZYX", movie.shape)
    assert back.metadata["provenance"]["method"] == "rl"
    with pytest.raises(DataError, match="3 PSFs for 2 channels"):
        deconvolve(movie, [KERNEL] * 3, axes="TCZYX")


def test_psfs_of_every_kind_blur_alike(tmp_path: Path) -> None:
    psf = Psf(KERNEL, VOXEL)
    psf.save(tmp_path / "psf.ome.tif")
    expected = deconvolve(IMAGE, KERNEL, iterations=2).image
    for known in (psf, tmp_path / "psf.ome.tif", torch.from_numpy(KERNEL)):
        found = deconvolve(IMAGE, known, iterations=2, voxel_size=VOXEL)
        np.testing.assert_array_equal(found.image, expected)
    np.testing.assert_array_equal(np.asarray(psf), psf.data)
    with pytest.raises(OpticsError, match="a PSF is a Psf"):
        deconvolve(IMAGE, 3, iterations=2)


def test_optics_make_a_psf() -> None:
    optics = Optics(1.0, 1.33, 520)
    psf = Psf.from_optics(optics, VOXEL)
    assert psf.voxel_size == VOXEL
    assert Psf.from_optics(optics, VOXEL, (5, 7, 7), "gaussian").shape == (5, 7, 7)
    found = deconvolve(IMAGE, optics, iterations=1, voxel_size=VOXEL)
    assert found.psf.provenance["model"] == "vectorial"
    with pytest.raises(OpticsError, match="voxel_size"):
        deconvolve(IMAGE, optics, iterations=1)


def test_what_restore_advises_can_be_done(model: Model) -> None:
    movie = np.stack([IMAGE, IMAGE])
    with pytest.raises(AxesError, match='axes="TZYX"'):
        restore(model, movie, device="cpu")
    found = restore(model, movie, axes="tzyx", device="cpu")
    np.testing.assert_array_equal(found[0], restore(model, IMAGE, device="cpu"))


def test_presets_are_listed_and_a_model_is_reported_in_five_lines(model: Model) -> None:
    assert set(presets()) == set(PRESETS)
    assert all(presets().values())
    lines = repr(model).splitlines()
    assert len(lines) == 5
    assert "supervised, 3D" in lines[0]
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 5, "minutes": 0.2}, "either steps or minutes"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"steps": 2.5}, "steps must be a whole number from 1"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"minutes": math.nan}, "minutes must be above 0"),
        ({"minutes": 1e300}, "minutes must be above 0"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"device": "gpu"}, "no device 'gpu'"),
        ({"step": 5}, "takes no 'step'; did you mean steps"),
        ({"psf": KERNEL}, "Psf"),
        ({"voxel_size": (0, 1, 1)}, "voxel_size must be"),
        ({"axes": "ZY"}, "name 2 axes"),
    ],
)
def test_impossible_trainings_are_refused(
    options: dict[str, Any], message: str, recipe: Recipe
) -> None:
    with pytest.raises(BlurGANError, match=message):
        train(recipe, IMAGE, IMAGE, **options)


def test_without_sharp_images_the_way_to_some_is_said(recipe: Recipe) -> None:
    with pytest.raises(DataError, match="blurgan references"):
        train(recipe, IMAGE)


def test_what_was_imported_elsewhere_before_is_found_there() -> None:
    from napari_blurgan.classical.methods import deconvolve as deconvolve_before
    from napari_blurgan.classical.psf_fit import psf_shape_for as shape_before
    from napari_blurgan.inverse.psf_fit import psf_shape_for

    assert deconvolve_before is napari_blurgan.deconvolve
    assert shape_before is psf_shape_for
    with pytest.raises(ImportError, match="nonsense"):
        from napari_blurgan.classical.methods import nonsense  # noqa: F401
