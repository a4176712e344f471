from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import DTypeLike

from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_zarr import build_pyramid, create_ome_zarr


def ramp(*shape: int, dtype: DTypeLike = "uint16") -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def write_image(
    path: Path,
    array: np.ndarray,
    axes: str,
    version: str,
    unit: str = "micrometer",
    **attributes: list[dict[str, Any]],
) -> Any:
    """An OME-Zarr as other programs write it."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    group.create_array("s0", data=array)
    kinds = {"t": "time", "c": "channel"}
    entries = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    for entry in entries:
        if entry["type"] == "space":
            entry["unit"] = unit
    scale = [{"t": 2.0, "c": 1.0, "z": 300.0, "y": 100.0, "x": 90.0}[a] for a in axes]
    dataset = {
        "path": "s0",
        "coordinateTransformations": [{"type": "scale", "scale": scale}],
    }
    image = {"axes": entries, "datasets": [dataset], "version": version} | attributes
    ome = {"multiscales": [image]}
    if version == "0.4":
        group.attrs.update(ome)
    else:
        group.attrs["ome"] = ome | {"version": version}
    return group


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["yx", "zyx", "czyx", "tczyx"])
def test_both_versions_are_read(tmp_path: Path, version: str, axes: str) -> None:
    array = ramp(*range(2, 2 + len(axes)))
    write_image(tmp_path / "a.zarr", array, axes, version, unit="nanometer")
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.axes == axes.upper()
    z = 0.3 if "z" in axes else None
    assert stack.voxel_size == pytest.approx((z, 0.1, 0.09))
    assert stack.name == "a"
    assert np.array_equal(np.asarray(stack.data), array)


def test_scales_of_the_whole_pyramid_count_too(tmp_path: Path) -> None:
    whole = [{"type": "scale", "scale": [1, 2, 2]}]
    write_image(
        tmp_path / "a.zarr",
        ramp(2, 3, 4),
        "zyx",
        "0.5",
        coordinateTransformations=whole,
    )
    assert read_stack(tmp_path / "a.zarr").voxel_size == pytest.approx((300, 200, 180))


def test_channel_names(tmp_path: Path) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(2, 3, 4), "cyx", "0.4")
    group.attrs["omero"] = {"channels": [{"label": "DNA"}, {"label": "actin"}]}
    assert read_stack(tmp_path / "a.zarr").channel_names == ("DNA", "actin")


def test_a_collection_opens_its_first_image(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    write_image(tmp_path / "a.zarr" / "0", ramp(2, 3, 4), "zyx", "0.4")
    assert read_stack(tmp_path / "a.zarr").axes == "ZYX"


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("shape", "axes"), [((4, 5), "YX"), ((3, 4, 5), "ZYX")])
def test_plain_arrays(
    tmp_path: Path, zarr_format: int, shape: tuple[int, ...], axes: str
) -> None:
    array = ramp(*shape)
    zarr.create_array(tmp_path / "a.zarr", data=array, zarr_format=zarr_format)
    stack = read_stack(tmp_path / "a.zarr")
    assert (stack.axes, stack.voxel_size) == (axes, (None, None, None))
    assert np.array_equal(np.asarray(stack.data), array)


def test_plain_arrays_may_name_their_axes(tmp_path: Path) -> None:
    zarr.create_array(
        tmp_path / "a.zarr", data=ramp(2, 3, 4), dimension_names=["t", "y", "x"]
    )
    assert read_stack(tmp_path / "a.zarr").axes == "TYX"
    assert read_stack(tmp_path / "a.zarr", axes="ZYX").axes == "ZYX"


def test_plain_arrays_of_many_axes_must_be_named(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=ramp(2, 3, 4, 5))
    with pytest.raises(AxesError, match="4 axes without names"):
        read_stack(tmp_path / "a.zarr")
    assert read_stack(tmp_path / "a.zarr", axes="TZYX").axes == "TZYX"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("inner", ["s0", "scales/0"])
def test_an_array_of_an_image_has_the_metadata_of_the_image(
    tmp_path: Path,
    version: str,
    inner: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    array = ramp(2, 3, 4, 5)
    group = write_image(tmp_path / "a.zarr", array, "czyx", version, unit="nanometer")
    whole = read_stack(tmp_path / "a.zarr")
    group.create_array(inner, data=array, overwrite=True)
    edit(group, version, lambda image: image["datasets"][0].update(path=inner))
    monkeypatch.chdir(tmp_path / "a.zarr")
    for path in (tmp_path / "a.zarr" / inner, Path(inner)):
        stack = read_stack(path)
        assert (stack.axes, stack.voxel_size) == ("CZYX", whole.voxel_size)
        assert stack.metadata["voxel_size_from"] == "its OME-Zarr metadata"
        assert f"resolution {inner} of a.zarr" in stack.metadata["notes"][0]
        assert np.array_equal(np.asarray(stack.data), array)
    assert read_stack(tmp_path / "a.zarr" / inner, axes="TZYX").axes == "TZYX"


def test_a_lower_resolution_has_larger_voxels(tmp_path: Path) -> None:
    created(
        tmp_path / "a.zarr",
        np.zeros((4, 300, 20), "uint8"),
        "ZYX",
        (4, 64, 20),
        voxel_size=(0.3, 0.1, 0.1),
    )
    lower = read_stack(tmp_path / "a.zarr" / "1")
    assert lower.voxel_size == pytest.approx((0.3, 0.2, 0.2))
    assert lower.metadata["translation"] == pytest.approx((0, 0.05, 0.05))


def test_an_array_beside_the_resolutions_is_read_as_it_is(tmp_path: Path) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(2, 3, 5), "zyx", "0.5")
    group.create_array("mask", data=ramp(2, 3, 5))
    assert read_stack(tmp_path / "a.zarr" / "mask").voxel_size == (None, None, None)


def test_an_array_is_read_though_the_metadata_of_its_image_are_broken(
    tmp_path: Path,
) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(2, 3, 5), "zyx", "0.5")
    edit(group, "0.5", lambda image: image["axes"].pop())
    stack = read_stack(tmp_path / "a.zarr" / "s0")
    assert (stack.axes, stack.voxel_size) == ("ZYX", (None, None, None))
    assert "without the metadata of its image" in stack.metadata["notes"][0]
    (tmp_path / "a.zarr" / "zarr.json").write_text("{")
    assert read_stack(tmp_path / "a.zarr" / "s0").axes == "ZYX"


def edit(group: Any, version: str, change: Any) -> None:
    """Change the metadata of the image of a group."""
    ome = dict(group.attrs if version == "0.4" else group.attrs["ome"])
    change(ome["multiscales"][0])
    group.attrs.update(ome if version == "0.4" else {"ome": ome})


@pytest.mark.parametrize("layout", ["0.4", "0.5"])
@pytest.mark.parametrize(
    ("version", "known"),
    [("9.9", False), ("0.6.dev1", False), (1, False), ("0.5.2", True), (None, True)],
)
def test_a_version_that_is_not_known_is_told(
    tmp_path: Path, layout: str, version: Any, known: bool
) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(2, 3, 4), "zyx", layout)
    if layout == "0.4":
        edit(group, layout, lambda image: image.update(version=version))
    else:
        group.attrs["ome"] = group.attrs["ome"] | {"version": version}
    notes = read_stack(tmp_path / "a.zarr").metadata["notes"]
    assert notes == [] if known else f"version {version}, but only" in notes[0]


def test_groups_without_an_image_are_refused(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("raw", data=ramp(3, 4))
    with pytest.raises(DataError, match=r"no multiscales.*raw"):
        read_stack(tmp_path / "a.zarr")


def test_broken_metadata_are_refused(tmp_path: Path) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(2, 3, 4), "zyx", "0.5")
    group.attrs["ome"] = {"multiscales": [{"datasets": []}]}
    with pytest.raises(DataError, match="metadata are broken"):
        read_stack(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "zarr.json").write_text("{")
    with pytest.raises(DataError, match="cannot be opened as zarr"):
        read_stack(tmp_path / "a.zarr")


def test_axes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr", ramp(2, 3, 4), "zyx", "0.5")
    group = zarr.open_group(tmp_path / "a.zarr")
    ome = group.attrs["ome"]
    ome["multiscales"][0]["axes"].pop()
    group.attrs["ome"] = ome
    with pytest.raises(AxesError, match="the data have 3"):
        read_stack(tmp_path / "a.zarr")


def created(
    path: Path,
    array: np.ndarray,
    axes: str,
    chunks: tuple[int, ...] | list[int],
    **options: Any,
) -> Any:
    pixels = create_ome_zarr(path, array.shape, axes, array.dtype, chunks, **options)
    pixels[...] = array
    build_pyramid(path)
    return zarr.open_group(path, mode="r")


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    array = ramp(2, 3, 20, 20)
    created(
        tmp_path / "a.zarr",
        array,
        "CZYX",
        (1, 2, 8, 8),
        voxel_size=(0.3, 0.1, None),
        channel_names=("DNA", "actin"),
        provenance={"model": "m"},
    )
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.axes == "CZYX"
    assert stack.voxel_size == (0.3, 0.1, None)
    assert stack.channel_names == ("DNA", "actin")
    assert stack.metadata["provenance"] == {"model": "m"}
    assert np.array_equal(np.asarray(stack.data), array)


def test_the_metadata_are_those_of_ome_zarr_05(tmp_path: Path) -> None:
    created(
        tmp_path / "a.zarr",
        np.zeros((4, 300, 20), "uint8"),
        "ZYX",
        (4, 64, 20),
        voxel_size=(0.3, 0.1, 0.1),
        name="cell",
    )
    content = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    assert content["zarr_format"] == 3
    ome = content["attributes"]["ome"]
    assert ome["version"] == "0.5"
    (image,) = ome["multiscales"]
    assert image["name"] == "cell"
    assert image["axes"] == [
        {"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"
    ]
    first, second = image["datasets"]
    assert first["coordinateTransformations"] == [
        {"type": "scale", "scale": [0.3, 0.1, 0.1]}
    ]
    scale, shift = second["coordinateTransformations"]
    assert scale["scale"] == pytest.approx([0.3, 0.2, 0.2])
    assert shift["translation"] == pytest.approx([0, 0.05, 0.05])
    array = json.loads((tmp_path / "a.zarr" / "0" / "zarr.json").read_text())
    assert array["dimension_names"] == ["z", "y", "x"]


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_pyramid_averages(tmp_path: Path, dtype: str) -> None:
    rng = np.random.default_rng(0)
    array = rng.integers(0, 255, (5, 601, 130)).astype(dtype)
    group = created(
        tmp_path / "a.zarr", array, "ZYX", (2, 64, 64), voxel_size=(0.1, 0.1, 0.1)
    )
    assert [group[k].shape for k in "012"] == [
        (5, 601, 130),
        (3, 301, 65),
        (2, 151, 33),
    ]
    for fine, coarse in ("01", "12"):
        fine, coarse = group[fine][...].astype("float32"), group[coarse][...]
        pads = [(0, n % 2) for n in fine.shape]
        padded = np.pad(fine, pads, mode="edge")
        means = sum(
            padded[z::2, y::2, x::2] for z in (0, 1) for y in (0, 1) for x in (0, 1)
        )
        expected = np.rint(means / 8) if dtype == "uint8" else means / 8
        assert np.allclose(coarse, expected)


def test_a_coarse_z_is_not_reduced_before_it_must(tmp_path: Path) -> None:
    array = np.zeros((8, 1100, 4), "uint8")
    group = created(
        tmp_path / "a.zarr", array, "ZYX", (8, 512, 4), voxel_size=(0.2, 0.1, 0.1)
    )
    assert [group[k].shape[0] for k in "0123"] == [8, 8, 4, 2]


def test_small_images_have_no_pyramid(tmp_path: Path) -> None:
    group = created(tmp_path / "a.zarr", ramp(3, 20, 20), "ZYX", (3, 20, 20))
    assert list(group.keys()) == ["0"]


@pytest.mark.parametrize(
    ("axes", "names"), [("TCZYX", ("DNA", "actin")), ("ZYX", ("DNA",))]
)
def test_named_channels_have_what_the_standard_asks_of_them(
    tmp_path: Path, axes: str, names: tuple[str, ...]
) -> None:
    sizes = {"T": 2, "C": 2, "Z": 3, "Y": 300, "X": 20}
    array = ramp(*(sizes[a] for a in axes))
    chunks = [1 if a in "TC" else 64 for a in axes]
    group = created(tmp_path / "a.zarr", array, axes, chunks, channel_names=names)
    shown = group.attrs["ome"]["omero"]["channels"]
    assert tuple(entry["label"] for entry in shown) == names
    assert all(len(bytes.fromhex(entry["color"])) == 3 for entry in shown)
    coarsest = group["1"][...]
    for number, entry in enumerate(shown):
        part = coarsest[:, number] if "C" in axes else coarsest
        assert entry["window"]["start"] == entry["window"]["min"] == part.min()
        assert entry["window"]["end"] == entry["window"]["max"] == part.max()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_plain_arrays_say_which_axes_were_guessed(
    tmp_path: Path, zarr_format: int
) -> None:
    create = zarr.create_array
    create(tmp_path / "a.zarr", data=ramp(5, 6, 7), zarr_format=zarr_format)
    (note,) = read_stack(tmp_path / "a.zarr").metadata["notes"]
    assert note == "the axis of length 5 has no name in the file and was taken as Z"
    assert read_stack(tmp_path / "a.zarr", axes="TYX").metadata["notes"] == []


def test_a_plain_picture_is_never_taken_for_a_volume(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=ramp(12, 16, 3, dtype="uint8"))
    with pytest.raises(AxesError, match="may be a colour picture"):
        read_stack(tmp_path / "a.zarr")
    assert read_stack(tmp_path / "a.zarr", axes="YXS").channels == 3


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("moves", [None, [], [{"type": "identity"}]])
def test_voxels_without_a_scale_are_unknown(
    tmp_path: Path, version: str, moves: Any
) -> None:
    group = write_image(tmp_path / "a.zarr", ramp(3, 4, 5), "zyx", version)
    ome = dict(group.attrs) if version == "0.4" else dict(group.attrs["ome"])
    dataset = {"path": "s0"} | ({"coordinateTransformations": moves} if moves else {})
    ome["multiscales"][0]["datasets"] = [dataset]
    group.attrs.update(ome if version == "0.4" else {"ome": ome})
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.voxel_size == (None, None, None)
    assert "hold no scale" in stack.metadata["notes"][0]
