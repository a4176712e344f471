"""Whatever holds an image becomes a Stack, and comes back in kind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.array
import numpy as np
import pytest
import torch
import zarr

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, BlurGANError, DataError
from napari_blurgan.reading.conversion import as_stack, as_stacks, in_kind
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

IMAGE = np.arange(2 * 5 * 6 * 7, dtype=np.uint16).reshape(2, 5, 6, 7)
VOLUME = IMAGE[0]
VOXEL = (0.3, 0.1, 0.1)


def layer(pixels: np.ndarray, **more: Any) -> Any:
    napari = pytest.importorskip("napari")
    return napari.layers.Image(pixels, **more)


ARRAYS = {
    "numpy": np.asarray,
    "dask": dask.array.from_array,
    "zarr": zarr.array,
    "torch": lambda pixels: torch.from_numpy(pixels.astype(np.int32)),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_every_package_go_in_and_come_out(kind: str) -> None:
    source = ARRAYS[kind](VOLUME)
    stack = as_stack(source, voxel_size=VOXEL)
    assert stack.axes == "ZYX"
    assert stack.voxel_size == VOXEL
    np.testing.assert_array_equal(np.asarray(stack), VOLUME)
    back = in_kind(source, stack)
    assert type(back) is type(source)
    np.testing.assert_array_equal(np.asarray(back), VOLUME)


def test_a_tensor_of_training_goes_in() -> None:
    tensor = torch.ones(5, 6, 7, dtype=torch.bfloat16, requires_grad=True)
    assert as_stack(tensor).data.dtype == np.float32


def test_stacks_files_and_layers_stay_what_they_know(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    write_ome_tiff(path, IMAGE, "CZYX", VOXEL, ("red", "green"))
    there = read_stack(path)
    shown = layer(IMAGE, scale=(1, *VOXEL), units=("pixel", "um", "um", "um"))
    for source in (path, str(path), there, shown):
        stack = as_stack(source)
        assert stack.axes == "CZYX"
        assert stack.voxel_size == VOXEL
        assert in_kind(source, stack) is stack
    assert as_stack(path).channel_names == ("red", "green")


def test_a_layer_is_known_by_what_it_has() -> None:
    unit = SimpleNamespace(is_compatible_with=lambda _: False)
    like = SimpleNamespace(
        data=VOLUME,
        metadata={},
        data_to_world=lambda place: np.asarray(place) * [3, 1, 1],
        rgb=False,
        multiscale=False,
        axis_labels=("z", "y", "x"),
        units=(unit,) * 3,
        ndim=3,
        name="cells",
    )
    stack = as_stack(like)
    assert (stack.axes, stack.voxel_size, stack.name) == ("ZYX", (3, 1, 1), "cells")


def test_axes_and_voxels_overrule_in_either_case(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    write_ome_tiff(path, IMAGE, "CZYX", VOXEL)
    for source in (IMAGE, path, Stack(IMAGE, "czyx", VOXEL)):
        stack = as_stack(source, axes="tzyx", voxel_size=(0.2, 0.2))
        assert stack.axes == "TZYX"
        assert stack.voxel_size == (None, 0.2, 0.2)


@pytest.mark.parametrize(
    ("at", "axes"), [(0, "CZYX"), (-1, "ZYXC"), (1, "ZCYX"), (3, "ZYXC")]
)
def test_the_axis_of_the_channels_can_be_named(at: int, axes: str) -> None:
    assert as_stack(IMAGE, channel_axis=at).axes == axes


def test_a_picture_is_never_taken_for_a_volume() -> None:
    for samples in (3, 4):
        picture = np.zeros((20, 30, samples), np.uint8)
        with pytest.raises(AxesError, match='axes="YXS"'):
            as_stack(picture)
        assert as_stack(picture, axes="yxs").channels == samples
        assert as_stack(picture, channel_axis=-1).axes == "YXC"
        assert as_stack(picture, axes="ZYX").spatial_axes == "ZYX"


def test_one_or_several() -> None:
    assert len(as_stacks(VOLUME)) == 1
    assert [s.axes for s in as_stacks([IMAGE, IMAGE], axes="CZYX")] == ["CZYX"] * 2
    with pytest.raises(DataError, match="no images"):
        as_stacks([])


STRUCTURED = np.zeros((5, 6, 7), [("a", "f4"), ("b", "f4")])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "found None"),
        (7, "found a builtins.int"),
        (object(), "found a builtins.object"),
        ([VOLUME, VOLUME[:3]], "differ in length"),
        (IMAGE, 'axes="TZYX"'),
        (IMAGE[0, 0, 0], "1 axes without names"),
        (np.float32(3), "0 axes without names"),
        (VOLUME * 1j, "real numbers, found complex"),
        (VOLUME.astype("datetime64[s]"), "real numbers, found datetime"),
        (VOLUME.astype(str), "real numbers, found <U"),
        (VOLUME.astype(object), "real numbers, found object"),
        (STRUCTURED, "real numbers, found "),
        (VOLUME[:0], "is empty"),
        (np.ma.masked_less(VOLUME, 9), "masked"),
        ("nowhere.tif", "no such file"),
    ],
)
def test_what_is_no_image_is_refused_in_words(source: Any, message: str) -> None:
    with pytest.raises(BlurGANError, match=message):
        as_stack(source)


@pytest.mark.parametrize(
    "how",
    [
        {"axes": "ZY"},
        {"axes": "ZZYX"},
        {"axes": "ABC"},
        {"axes": "ZTC"},
        {"axes": 3},
        {"channel_axis": 5},
        {"axes": "ZYX", "channel_axis": 0},
        {"voxel_size": (0, 1, 1)},
        {"voxel_size": (1, 1, -1)},
        {"voxel_size": (float("nan"), 1, 1)},
        {"voxel_size": (1e300, 1, 1)},
        {"voxel_size": 0.1},
        {"voxel_size": "0.1"},
        {"voxel_size": (1, 1, 1, 1)},
    ],
)
def test_impossible_axes_and_voxels_are_refused(how: dict[str, Any]) -> None:
    with pytest.raises(BlurGANError):
        as_stack(VOLUME, **how)


@pytest.mark.parametrize("name", ["a.ome.tif", "a.zarr"])
def test_a_stack_is_saved_with_all_it_knows(name: str, tmp_path: Path) -> None:
    movie = np.stack([IMAGE, IMAGE + 1])
    stack = Stack(movie, "tczyx", VOXEL, channel_names=("red", "green"))
    assert stack.shape == movie.shape
    assert "TCZYX 2×2×5×6×7 uint16" in repr(stack)
    stack.save(tmp_path / name)
    back = read_stack(tmp_path / name)
    assert (back.axes, back.voxel_size) == ("TCZYX", VOXEL)
    assert back.channel_names == ("red", "green")
    np.testing.assert_array_equal(np.asarray(back), movie)
    with pytest.raises(DataError, match="overwrite=True"):
        stack.save(tmp_path / name)
    stack.save(tmp_path / name, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with pytest.raises(DataError, match=r"expected \.ome\.tif"):
        stack.save(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(0, 1, 1), (1, 1), (np.nan, 1, 1), "abc", None])
def test_a_stack_of_impossible_voxels_is_refused(size: Any) -> None:
    with pytest.raises(DataError, match="a voxel size is z, y, x"):
        Stack(VOLUME, "ZYX", size)


def test_a_stack_of_no_array_is_refused() -> None:
    with pytest.raises(DataError, match="takes an array"):
        Stack([[1, 2], [3, 4]], "YX")


@pytest.mark.parametrize("words", [{"axes": 3}, {"axes": ["Z"]}, {"channel_axis": "1"}])
def test_axes_of_other_kinds_are_refused(words: dict[str, Any]) -> None:
    with pytest.raises(AxesError, match=r"axes are letters|channel_axis must be"):
        as_stack(VOLUME, **words)


@pytest.mark.parametrize("size", [(), 0, "", np.array(2)])
def test_no_voxel_size_is_not_passed_over(size: Any) -> None:
    with pytest.raises(DataError, match="voxel_size"):
        as_stack(VOLUME, voxel_size=size)


def test_voxels_may_be_an_array() -> None:
    assert as_stack(VOLUME, voxel_size=np.array([3, 1, 1])).voxel_size == (3, 1, 1)


def test_a_list_of_layers_is_no_image() -> None:
    with pytest.raises(DataError, match="a list of images"):
        as_stack([layer(VOLUME), layer(VOLUME)])


@pytest.mark.parametrize(
    "odd", ["x", {"notes": 5, "provenance": 3, "acquisition": "x"}, {"notes": "abc"}]
)
def test_what_others_wrote_into_a_layer_is_left_out(odd: Any) -> None:
    stack = as_stack(layer(VOLUME, metadata={"napari-blurgan": odd}))
    assert stack.metadata == {"notes": []}


def test_letters_given_for_a_layer_keep_its_scale() -> None:
    scaled = layer(VOLUME, scale=(3, 2, 1), units=("um",) * 3)
    assert as_stack(scaled, axes="zyx").voxel_size == (3, 2, 1)


def test_axes_guessed_of_a_layer_are_told() -> None:
    assert as_stack(layer(VOLUME)).metadata["notes"] == []
    (note,) = as_stack(layer(IMAGE)).metadata["notes"]
    assert "no names: 4 axes of shape (2, 5, 6, 7) were interpreted as CZYX" in note
    named = layer(IMAGE, axis_labels=("c", "z", "y", "x"))
    assert as_stack(named).metadata["notes"] == []


TURNED = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


@TURNED
@pytest.mark.parametrize("labels", [("z", "y", "x"), ("x", "y", "z")])
@pytest.mark.parametrize(
    "placed",
    [
        {"rotate": 30},
        {"rotate": (20, 40, 60), "translate": (5, 6, 7)},
        {"shear": (1, 0, 0)},
        {"shear": (0.3, -2, 0.5), "rotate": (20, 40, 60)},
        {"shear": np.array([[1, 0, 0], [0.7, 1, 0], [0, 0, 1]]), "scale": (1, -1, 1)},
        {"affine": np.array([[1, 0, 0, 3], [0, 1, 2, 0], [0, 0, 1, 0], [0, 0, 0, 1]])},
    ],
)
def test_a_layer_that_is_only_turned_or_sheared_has_no_voxel_size(
    placed: dict[str, Any], labels: tuple[str, ...]
) -> None:
    stack = as_stack(layer(VOLUME, axis_labels=labels, **placed))
    assert stack.voxel_size == (None, None, None)


@TURNED
def test_a_layer_of_few_micrometres_that_is_turned_keeps_its_size() -> None:
    """Their product is one, but their sizes are not."""
    size = (4.0, 0.5, 0.5)
    for placed in ({}, {"rotate": (20, 40, 60)}):
        assert as_stack(layer(VOLUME, scale=size, **placed)).voxel_size == size
    sheared = as_stack(layer(VOLUME, scale=size, shear=(0, 0, 1))).voxel_size
    assert sheared[:2] == (4.0, 0.5)


def test_a_sheared_layer_is_told() -> None:
    """As light-sheet stacks are shown deskewed: their voxels are no boxes."""
    (note,) = as_stack(layer(VOLUME, shear=(1, 0, 0))).metadata["notes"]
    assert "sheared" in note
    turned = layer(VOLUME, scale=(3, -1, 1), rotate=30)
    assert as_stack(turned).metadata["notes"] == []
