"""Odd and damaged files: each is read right or refused with a reason."""

from __future__ import annotations

import lzma
import struct
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.headers import tiff_checks
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

ARRAY = np.random.default_rng(0).integers(0, 4096, (5, 12, 16)).astype("uint16")


def write_imagej(path: Path) -> None:
    tifffile.imwrite(path, ARRAY, imagej=True, metadata={"axes": "ZYX"})


def write_imagej_zlib(path: Path) -> None:
    tifffile.imwrite(
        path, ARRAY, imagej=True, compression="zlib", metadata={"axes": "ZYX"}
    )


def write_plain(path: Path) -> None:
    tifffile.imwrite(path, ARRAY, metadata=None)


def write_plain_zlib(path: Path) -> None:
    tifffile.imwrite(path, ARRAY, metadata=None, compression="zlib", rowsperstrip=4)


def write_shaped(path: Path) -> None:
    tifffile.imwrite(path, ARRAY)


def write_pages_in_turn(path: Path) -> None:
    # As a camera does: directory, pixels, directory, pixels…
    with tifffile.TiffWriter(path) as writer:
        for plane in ARRAY:
            writer.write(plane, contiguous=False, metadata=None)


def write_ome(path: Path) -> None:
    write_ome_tiff(path, ARRAY, "ZYX", (0.3, 0.1, 0.1))


WRITERS = [
    write_imagej,
    write_imagej_zlib,
    write_plain,
    write_plain_zlib,
    write_shaped,
    write_pages_in_turn,
    write_ome,
]
VOXEL = dict.fromkeys(WRITERS, (None, None, None)) | {write_ome: (0.3, 0.1, 0.1)}


@cache
def written(writer: Callable[..., Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        writer(Path(folder) / "a.tif")
        return (Path(folder) / "a.tif").read_bytes()


def stored(folder: Path, content: Any) -> Path:
    path = folder / "a.tif"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("writer", WRITERS)
def test_whole_files_are_read(tmp_path: Path, writer: Callable[..., Any]) -> None:
    path = stored(tmp_path, written(writer))
    assert np.array_equal(np.asarray(read_stack(path).data), ARRAY)


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=100, deadline=None)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(
    writer: Callable[..., Any], fraction: float
) -> None:
    content = written(writer)
    with tempfile.TemporaryDirectory() as folder:
        path = stored(Path(folder), content[: int(fraction * len(content))])
        try:
            stack = read_stack(path)
            found = np.asarray(stack.data)
        except DataError:
            return
    # Bytes that hold nothing may go; not a pixel may be lost or changed.
    assert np.array_equal(found, ARRAY)
    assert stack.voxel_size == VOXEL[writer]


def test_a_truncated_hyperstack_says_how_much_is_left(tmp_path: Path) -> None:
    write_imagej(tmp_path / "a.tif")
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(DataError, match=r"5 planes.*truncated or damaged"):
        read_stack(tmp_path / "a.tif")


def test_damaged_pixels_are_an_error_not_an_image(tmp_path: Path) -> None:
    content = bytearray(written(write_plain_zlib))
    with tifffile.TiffFile(stored(tmp_path, content)) as tif:
        start = tif.pages[2].dataoffsets[1]
    content[start : start + 8] = b"rubbish!"
    stack = read_stack(stored(tmp_path, content))
    with pytest.raises(DataError, match="plane 2 cannot be decoded"):
        np.asarray(stack.data)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.tif", b"", r"empty \(0 bytes\)"),
        ("text.tif", b"this is no image\n", "not a TIFF"),
        ("half-a-header.tif", b"II*\0", "not a TIFF|truncated"),
        ("no-directory.tif", b"II*\0\0\0\0\0", "not a TIFF|truncated"),
        ("a.czi", b"ZISRAWFILE", "is not a Zeiss CZI file, or is damaged"),
        ("a.ims", b"\x89HDF", "an Imaris file; convert it to OME-TIFF"),
        ("psf.ics", b"ics_version\t1.0", "ICS file; convert it to OME-TIFF"),
        ("a.dv", b"\x80\0\0\0", "DeltaVision.*convert"),
    ],
)
def test_what_is_no_tiff_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_stack(tmp_path / name)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_stack(tmp_path / "missing.tif")
    with pytest.raises(DataError, match="folder"):
        read_stack(tmp_path)


def test_an_unknown_compression_names_the_extra(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ARRAY[0], compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages[0].tags["Compression"].overwrite(32809)  # ThunderScan
    with pytest.raises(DataError, match=r"THUNDERSCAN.*napari-blurgan\[formats\]"):
        read_stack(path)


def test_broken_ome_xml_costs_the_metadata_only(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    xml = '<?xml version="1.0"?><OME><Image><Pixels SizeX="16"></Image></OME>'
    tifffile.imwrite(path, ARRAY, description=xml, metadata=None)
    stack = read_stack(path)
    assert stack.voxel_size == (None, None, None)
    assert "OME-XML is broken" in stack.metadata["notes"][0]
    assert np.array_equal(np.asarray(stack.data), ARRAY)


def test_nonsense_in_ome_xml_is_unknown(tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "PhysicalSizeX": "abc", "PhysicalSizeY": -1}
    tifffile.imwrite(tmp_path / "a.ome.tif", ARRAY, metadata=metadata)
    assert read_stack(tmp_path / "a.ome.tif").voxel_size == (None, None, None)


def test_missing_planes_of_an_ome_tiff_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        xml = tifffile.OmeXml()
        xml.addimage("uint16", (9, 12, 16), (9, 1, 1, 12, 16, 1), axes="ZYX")
        writer.write(ARRAY, description=xml.tostring().encode(), metadata=None)
    with pytest.raises(DataError, match="4 of 9 planes are missing"):
        read_stack(path)


@pytest.mark.parametrize(
    "name", ["../b.ome.tif", "/etc/passwd", "/dev/zero", "c/../../b.ome.tif"]
)
def test_files_outside_of_the_folder_are_not_opened(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An OME-XML names the files of its planes; nobody is led out by one."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "a.ome.tif"
    write_ome_tiff(tmp_path / "b.ome.tif", ARRAY, "ZYX")
    with tifffile.TiffWriter(path) as writer:
        xml = tifffile.OmeXml()
        xml.addimage("uint16", (4, 12, 16), (4, 1, 1, 12, 16, 1), axes="ZYX")
        named = f'<TiffData IFD="0" PlaneCount="4"><UUID FileName="{name}">b</UUID>'
        text = xml.tostring().replace("<TiffData", f"{named}</TiffData><TiffData", 1)
        writer.write(
            ARRAY[:4],
            description=text.encode(),
            metadata=None,
            photometric="minisblack",
        )
    with pytest.raises(DataError, match="outside its folder"):
        read_stack(path)


def test_planar_rgb_keeps_its_samples(tmp_path: Path) -> None:
    array = ARRAY[:3].astype("uint8")
    tifffile.imwrite(
        tmp_path / "a.tif", array, photometric="rgb", planarconfig="separate"
    )
    stack = read_stack(tmp_path / "a.tif")
    assert (stack.axes, stack.channels) == ("SYX", 3)
    assert np.array_equal(np.asarray(stack.data), array)


def test_pages_of_several_sizes_read_the_first_and_say_so(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(ARRAY[0], metadata=None)
        writer.write(ARRAY[0, :7, :9], metadata=None)
    stack = read_stack(tmp_path / "a.tif")
    assert np.array_equal(np.asarray(stack.data), ARRAY[0])
    assert "2 images; the first was read" in stack.metadata["notes"][0]


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("dtype", ["int16", "uint32", "int32", "float32"])
@pytest.mark.parametrize("byteorder", "<>")
def test_layouts_and_byte_orders(
    tmp_path: Path, tile: tuple[int, int] | None, dtype: str, byteorder: str
) -> None:
    array = (ARRAY.astype("int64") - (0 if dtype == "uint32" else 2000)).astype(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif",
        array,
        byteorder=byteorder,
        tile=tile,
        compression="zlib",
        predictor=True,
    )
    stack = read_stack(tmp_path / "a.tif")
    assert stack.data.dtype == np.dtype(dtype)
    assert stack.data[...].dtype.isnative
    assert np.array_equal(np.asarray(stack.data), array)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=200))
def test_rubbish_behind_a_tiff_header_is_refused(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = stored(Path(folder), b"II*\0\x08\0\0\0" + content)
        try:
            np.asarray(read_stack(path).data)
        except BlurGANError:
            return


def test_headers_that_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    path = stored(tmp_path, written(write_plain_zlib))
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages[0].tags["ImageLength"].overwrite(2**31)
        tif.pages[0].tags["ImageWidth"].overwrite(2**31)
    with pytest.raises(DataError, match=r"EB of memory|TB of memory|strips or tiles"):
        read_stack(path)


@pytest.mark.parametrize("codec", ["zlib", "lzw", "lzma", "zstd", "packbits"])
def test_a_plane_that_no_compression_explains_is_refused(
    tmp_path: Path, codec: str
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ARRAY, compression=codec, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        for page in tif.pages:
            page.tags["ImageLength"].overwrite(50_000)
            page.tags["ImageWidth"].overwrite(20_000)
            page.tags["RowsPerStrip"].overwrite(50_000)
    with pytest.raises(
        DataError, match=r"declares 2\.0 GB of pixels, but contains only"
    ):
        read_stack(path)


def write_bomb(path: Path, pack: Callable[..., Any], compression: str) -> Path:
    """One strip that becomes 50 MB, for a plane of 24 kB."""
    array = np.zeros((120, 100), "uint16")
    tifffile.imwrite(path, array, compression=compression, metadata=None)
    bomb = pack(bytes(50_000_000))
    with tifffile.TiffFile(path, mode="r+") as tif:
        tags = tif.pages[0].tags
        tags["StripByteCounts"].overwrite(len(bomb))
        tags["StripOffsets"].overwrite(path.stat().st_size)
    with path.open("ab") as file:
        file.write(bomb)
    return path


@pytest.mark.parametrize("limited", [True, False])
@pytest.mark.parametrize(
    ("pack", "compression"),
    [
        (zlib.compress, "zlib"),
        (lzma.compress, "lzma"),
        (numcodecs.Zstd().encode, "zstd"),
    ],
)
def test_decompression_bombs_are_stopped(
    tmp_path: Path,
    pack: Callable[..., Any],
    compression: str,
    limited: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiff_checks, "LIMITED", limited)
    path = write_bomb(tmp_path / "a.tif", pack, compression)
    stack = read_stack(path)
    tracemalloc.start()
    try:
        assert not np.asarray(stack.data).any()
    except DataError as error:
        assert ("larger than its plane" in str(error)) is not limited
    else:
        assert limited  # lzma of imagecodecs makes what is wanted, and no more
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_ome_xml_that_claims_a_trillion_planes(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    xml = tifffile.OmeXml()
    xml.addimage("uint16", (5, 12, 16), (5, 1, 1, 12, 16, 1), axes="ZYX")
    text = xml.tostring().replace('SizeZ="5"', 'SizeZ="1000000000000"')
    tifffile.imwrite(path, ARRAY, description=text.encode(), metadata=None)
    with pytest.raises(DataError, match="declares 1000000000000 planes"):
        read_stack(path)


def test_sizes_that_are_no_whole_numbers_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path, written(write_plain))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages[0].tags["ImageWidth"]
    content[tag.offset + 2] = 11  # a 32-bit float
    content[tag.offset + 8 : tag.offset + 12] = struct.pack("<f", 16)
    with pytest.raises(DataError, match="not whole numbers"):
        read_stack(stored(tmp_path, content))


def test_entities_of_xml_do_not_grow(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY e0 "x">{levels}]>'
    xml += "<OME><Image><Pixels>&e11;</Pixels></Image></OME>"
    tifffile.imwrite(tmp_path / "a.ome.tif", ARRAY, description=xml, metadata=None)
    assert read_stack(tmp_path / "a.ome.tif").voxel_size == (None, None, None)


def test_external_entities_of_xml_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    xml = f'<!DOCTYPE OME [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    xml += '<OME><Image><Pixels><Channel Name="c"/></Pixels>'
    xml += "<Description>&e;</Description></Image></OME>"
    tifffile.imwrite(tmp_path / "a.ome.tif", ARRAY[0], description=xml, metadata=None)
    assert "do not tell" not in str(read_stack(tmp_path / "a.ome.tif").metadata)


def test_missing_tiles_are_reported_and_refused_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        options = {"shape": (32, 16), "dtype": "uint8", "tile": (16, 16)}
        tiles = iter([np.ones((16, 16), "uint8"), None])
        writer.write(tiles, metadata=None, **options)
    assert "1 of 2 strips or tiles" in read_stack(path).metadata["notes"][0]
    with pytest.raises(DataError, match="1 of 2 strips or tiles"):
        read_stack(path, strict=True)


def test_complex_and_empty_images_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", ARRAY.astype("complex64"))
    with pytest.raises(DataError, match="complex64"):
        read_stack(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("photometric", "shape", "words"),
    [
        ("miniswhite", (3, 16, 16), "zero is displayed as white"),
        ("palette", (16, 16), "palette"),
        ("separated", (16, 16, 4), "CMYK"),
    ],
)
def test_pixels_that_are_no_amounts_of_light_are_reported(
    tmp_path: Path, photometric: Any, shape: tuple[int, ...], words: Any
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    how = {"photometric": photometric}
    if photometric == "palette":
        how["colormap"] = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, **how)
    stack = read_stack(tmp_path / "a.tif")
    assert any(words in note for note in stack.metadata["notes"])
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_counts_that_contradict_each_other_are_both_told(tmp_path: Path) -> None:
    header = "ImageJ=1.53t\nimages=10\nslices=5\nframes=3\n"
    pixels = np.zeros((10, 12, 16), np.uint16)
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pixels, description=header, **options)
    with pytest.raises(DataError, match=r"declares 10 \(5 slices × 3 frames\) planes"):
        read_stack(tmp_path / "a.tif")
