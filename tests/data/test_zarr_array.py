"""Odd and damaged zarr: read right or refused, naming the chunk or the key."""

from __future__ import annotations

import gzip
import json
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np
import pytest
import zarr

from napari_blurgan.errors import AxesError, BlurGANError, DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from napari_blurgan.writing.ome_zarr import build_pyramid, create_ome_zarr

ARRAY = np.random.default_rng(0).integers(1, 4096, (4, 24, 20)).astype("uint16")
SPACE = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
SCALE = {"type": "scale", "scale": [0.3, 0.1, 0.1]}


def multiscales(
    axes: Any = SPACE,
    moves: Any = (SCALE,),
    path: Any = "0",
    **image: Any,
) -> dict[str, Any]:
    dataset: dict[str, Any] = {"path": path, "coordinateTransformations": list(moves)}
    return {"multiscales": [{"axes": axes, "datasets": [dataset], **image}]}


def write(
    path: Path,
    ome: dict[str, Any],
    array: np.ndarray = ARRAY,
    version: int = 3,
    chunks: Any = (1, 12, 20),
) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=version)
    group.create_array("0", data=array, chunks=chunks)
    group.attrs.update(ome if version == 2 else {"ome": ome})
    return path


@pytest.fixture(params=[2, 3])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / "a.zarr", multiscales(), version=request.param)


def chunk_files(path: Path) -> list[Path]:
    names = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
    files = (p for p in (path / "0").rglob("*") if p.is_file())
    return sorted(p for p in files if p.name not in names)


def test_missing_chunks_are_counted_and_refused_if_asked(image: Path) -> None:
    assert read_stack(image, strict=True).metadata["notes"] == []
    for file in chunk_files(image)[:3]:
        file.unlink()
    stack = read_stack(image)
    assert "3 of 8 chunks are not there" in stack.metadata["notes"][0]
    assert not np.asarray(stack.data)[0].any()
    with pytest.raises(DataError, match="3 of 8 chunks"):
        read_stack(image, strict=True)


def test_only_chunks_of_its_own_version_are_counted(image: Path) -> None:
    """An array of the other version in the same folder has other chunks."""
    own = chunk_files(image)
    other = "c/0/0/0" if own[0].name == "0.0.0" else "0.0.0"
    (image / "0" / other).parent.mkdir(parents=True, exist_ok=True)
    (image / "0" / other).write_bytes(b"of another array")
    assert read_stack(image, strict=True).metadata["notes"] == []
    own[0].unlink()
    with pytest.raises(DataError, match="1 of 8 chunks are not there"):
        read_stack(image, strict=True)


@pytest.mark.parametrize("names", [(), ("cell", "nucleus")])
def test_a_group_without_an_image_says_what_it_holds(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    for name in names:
        group.create_group(name)
    said = "name one of those in it: cell, nucleus" if names else "it is empty"
    with pytest.raises(DataError, match=said):
        read_stack(tmp_path / "a.zarr")


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_damaged_chunks_are_named(image: Path, content: bytes | None) -> None:
    file = chunk_files(image)[2]
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    stack = read_stack(image)
    name = file.relative_to(image / "0").as_posix()
    with pytest.raises(DataError, match=f"chunk {name} cannot be read"):
        np.asarray(stack.data)
    with pytest.raises(DataError, match=f"chunk {name} cannot be read"):
        stack.data[1, 3]
    assert np.array_equal(stack.data[0], ARRAY[0])


def test_results_of_our_own_have_all_their_chunks(tmp_path: Path) -> None:
    pixels = create_ome_zarr(
        tmp_path / "a.zarr", (4, 24, 20), "ZYX", ARRAY.dtype, (2, 8, 8)
    )
    pixels[...] = np.zeros_like(ARRAY)
    build_pyramid(tmp_path / "a.zarr")
    assert read_stack(tmp_path / "a.zarr", strict=True).metadata["notes"] == []


@pytest.mark.parametrize(
    ("name", "ome"),
    [
        ("multiscales", {"multiscales": None}),
        ("multiscales", {"multiscales": [3]}),
        ("datasets", {"multiscales": [{"axes": SPACE, "datasets": "0"}]}),
        ("path", multiscales(path=None)),
        ("leads out", multiscales(path="../b.zarr/0")),
        ("leads out", multiscales(path="/0")),
        ("no array 7", multiscales(path="7")),
        ("axes", multiscales(axes="zyx")),
        ("axes", multiscales(axes=SPACE[:2])),
        ("name", multiscales(axes=[{"type": "space"}] * 3)),
        ("unit", multiscales(axes=[{"name": n, "unit": 3} for n in "zyx"])),
        ("angle", multiscales(axes=[{"name": "angle", "type": "angle"}, *SPACE[1:]])),
        ("scale", multiscales(moves=[{"type": "scale", "scale": [0.3, 0.1]}])),
        ("scale", multiscales(moves=[{"type": "scale", "scale": [0.3, "a", 1]}])),
        ("scale", multiscales(moves=[{"type": "scale"}])),
        ("coordinateTransformations", multiscales(coordinateTransformations=3)),
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_ill_typed_metadata_are_refused_by_key(
    tmp_path: Path, name: str, ome: dict[str, Any], version: int
) -> None:
    with pytest.raises((DataError, AxesError), match=rf"a\.zarr: .*{name}"):
        read_stack(write(tmp_path / "a.zarr", ome, version=version))


@pytest.mark.parametrize(
    "omero", [None, 3, [], {"channels": None}, {"channels": [None]}]
)
def test_an_odd_omero_costs_the_names_only(
    tmp_path: Path, omero: int | dict[str, Any] | list[Any] | None
) -> None:
    stack = read_stack(write(tmp_path / "a.zarr", multiscales() | {"omero": omero}))
    assert stack.channel_names == ()
    assert stack.voxel_size == (0.3, 0.1, 0.1)


@pytest.mark.parametrize(
    ("names", "kinds", "letters"),
    [
        ("zyx", ("space",) * 3, "ZYX"),
        (("depth", "height", "width"), ("space",) * 3, "ZYX"),
        (("a", "b", "c"), ("space",) * 3, "ZYX"),
        (("frame", "row", "column"), ("time", "space", "space"), "TYX"),
        (("lambda", "y", "x"), ("channel", "space", "space"), "CYX"),
        ("cyx", (None,) * 3, "CYX"),
        ("xyz", ("space",) * 3, "XYZ"),
    ],
)
def test_axes_go_by_their_type_then_by_their_name(
    tmp_path: Path,
    names: str | tuple[str, str, str],
    kinds: tuple[str | None, str | None, str | None],
    letters: str,
) -> None:
    axes = [
        {"name": n} | ({"type": k} if k else {})
        for n, k in zip(names, kinds, strict=True)
    ]
    assert read_stack(write(tmp_path / "a.zarr", multiscales(axes))).axes == letters


def test_units_that_are_none_are_reported(tmp_path: Path) -> None:
    axes = [
        {"name": n, "type": "space", "unit": u}
        for n, u in zip("zyx", ("league", "nanometer", "nanometer"), strict=True)
    ]
    scale = {"type": "scale", "scale": [0.3, 100, 100]}
    stack = read_stack(write(tmp_path / "a.zarr", multiscales(axes, [scale])))
    assert stack.voxel_size == (None, 0.1, 0.1)
    assert "0.3 league along z" in stack.metadata["notes"][0]


def test_the_place_of_an_image_is_kept(tmp_path: Path) -> None:
    moved = {"type": "translation", "translation": [5.0, -12.0, 40.0]}
    whole = [
        {"type": "scale", "scale": [1, 2, 1]},
        {"type": "translation", "translation": [0, 0, 1]},
    ]
    ome = multiscales(moves=[SCALE, moved], coordinateTransformations=whole)
    place = read_stack(write(tmp_path / "a.zarr", ome)).metadata["translation"]
    assert place == (5.0, -24.0, 41.0)
    create_ome_zarr(
        tmp_path / "b.zarr",
        (4, 600, 20),
        "ZYX",
        ARRAY.dtype,
        (4, 64, 20),
        voxel_size=(0.3, 0.1, 0.1),
        translation=place,
    )
    assert read_stack(tmp_path / "b.zarr").metadata["translation"] == place
    attributes = json.loads((tmp_path / "b.zarr" / "zarr.json").read_text())[
        "attributes"
    ]
    coarse = attributes["ome"]["multiscales"][0]["datasets"][1]
    assert coarse["coordinateTransformations"][1]["translation"] == pytest.approx(
        [5, -23.95, 41.05]
    )
    write_ome_tiff(
        tmp_path / "b.ome.tif", ARRAY, "ZYX", (0.3, 0.1, 0.1), translation=place
    )
    assert read_stack(tmp_path / "b.ome.tif").metadata["translation"] == place


def test_big_endian_pixels_are_native(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=ARRAY.astype(">u2"), zarr_format=2)
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.data[...].dtype.isnative
    assert np.array_equal(np.asarray(stack.data), ARRAY)


@pytest.mark.parametrize(
    "index", [0, -1, (1, 3), (..., 2), (slice(1, 3), ..., 5), slice(None)]
)
def test_indexing_is_that_of_numpy(
    image: Path, index: int | slice | tuple[int | slice | EllipsisType, ...]
) -> None:
    assert np.array_equal(read_stack(image).data[index], ARRAY[index])


def edited(path: Path, **changes: Any) -> Path:
    """Change the header of the array, whichever version it is."""
    file = next(
        p for p in ((path / "0" / "zarr.json"), (path / "0" / ".zarray")) if p.exists()
    )
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return path


def test_headers_that_claim_a_trillion_voxels(image: Path) -> None:
    stack = read_stack(edited(image, shape=[10**4] * 3))
    with pytest.raises(DataError, match=r"would take 2\.0 TB of memory"):
        np.asarray(stack.data)


def test_chunks_beyond_the_memory_are_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", multiscales(), version=2)
    with pytest.raises(DataError, match=r"one chunk .* TB of memory"):
        read_stack(edited(path, shape=[10**4] * 3, chunks=[10**4] * 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": None},
        {"shape": [4, 24]},
        {"shape": [0, 24, 20]},
        {"shape": ["a", 1, 2]},
        {"shape": [-1, 24, 20]},
        {"zarr_format": 9},
    ],
)
def test_odd_headers_of_arrays_are_refused(
    image: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(BlurGANError, match=r"a\.zarr"):
        np.asarray(read_stack(edited(image, **changes)).data)


def test_codecs_that_make_objects_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", multiscales(), version=2)
    with pytest.raises(DataError, match="pickle"):
        read_stack(edited(path, filters=[{"id": "pickle", "protocol": 5}]))
    with pytest.raises(DataError, match="object"):
        read_stack(edited(path, dtype="|O", fill_value=None))


def test_unknown_codecs_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", multiscales(), version=2)
    with pytest.raises(DataError, match="nonsense"):
        read_stack(edited(path, compressor={"id": "nonsense"}))


@pytest.mark.parametrize(
    ("codec", "pack"),
    [("gzip", gzip.compress), ("zlib", zlib.compress), ("lzma", lzma.compress)],
)
def test_decompression_bombs_are_refused(
    tmp_path: Path, codec: str, pack: Callable[..., Any]
) -> None:
    path = write(tmp_path / "a.zarr", multiscales(), version=2)
    edited(path, compressor={"id": codec})
    chunk_files(path)[0].write_bytes(pack(bytes(50_000_000)))
    stack = read_stack(path)
    with pytest.raises(DataError, match="more than a chunk of this image"):
        np.asarray(stack.data)
    assert read_stack(path).data.shape == ARRAY.shape


@pytest.mark.parametrize("codec", ["blosc", "zstd", "lz4"])
def test_bombs_that_declare_themselves_are_refused(tmp_path: Path, codec: str) -> None:
    import numcodecs

    path = write(tmp_path / "a.zarr", multiscales(), version=2)
    packer = numcodecs.get_codec({"id": codec})
    edited(path, compressor=packer.get_config())
    chunk_files(path)[0].write_bytes(packer.encode(bytes(50_000_000)))
    with pytest.raises(DataError, match="more than a chunk of this image"):
        np.asarray(read_stack(path).data)


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    path = tmp_path / "s.zarr"
    zarr.create_array(path, data=ARRAY, chunks=(1, 12, 20), shards=(2, 24, 20))
    return path


def test_chunks_that_a_shard_leaves_out_are_counted(tmp_path: Path) -> None:
    array = ARRAY.copy()
    array[0, :12] = 0
    path = tmp_path / "s.zarr"
    zarr.create_array(path, data=array, chunks=(1, 12, 20), shards=(2, 24, 20))
    stack = read_stack(path)
    assert "1 of 8 chunks are not there" in stack.metadata["notes"][0]
    assert np.array_equal(np.asarray(stack.data), array)


@pytest.mark.parametrize("hole", [slice(0, 4), slice(100, 101), slice(-30, None)])
def test_damaged_shards_are_named(sharded: Path, hole: slice) -> None:
    file = sharded / "c" / "1" / "0" / "0"
    content = bytearray(file.read_bytes())
    del content[hole]
    file.write_bytes(content)
    stack = read_stack(sharded)
    with pytest.raises(DataError, match="chunk c/1/0/0 cannot be read"):
        np.asarray(stack.data)
    assert np.array_equal(stack.data[:2], ARRAY[:2])


def test_links_to_nowhere_are_missing_chunks(image: Path) -> None:
    file = chunk_files(image)[0]
    file.unlink()
    file.symlink_to("nowhere")
    assert "1 of 8 chunks" in read_stack(image).metadata["notes"][0]


def test_attributes_that_are_no_mapping_are_refused(image: Path) -> None:
    for name in (".zattrs", "zarr.json"):
        if (image / name).exists():
            text = json.loads((image / name).read_text())
            odd = [1] if name == ".zattrs" else text | {"attributes": [1]}
            (image / name).write_text(json.dumps(odd))
    with pytest.raises(DataError, match=r"a\.zarr"):
        read_stack(image)


def test_shapes_that_no_index_can_count_are_refused(image: Path) -> None:
    with pytest.raises(DataError, match="is not that of an image"):
        read_stack(edited(image, shape=[10**30, 24, 20]))
