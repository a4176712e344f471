"""Sizes and units: taken from every header, told where they are lost or impossible."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_blurgan.headers.units import micrometres
from napari_blurgan.reading.images import read_stack

ARRAY = np.random.default_rng(0).integers(0, 4096, (5, 20, 30)).astype("uint16")


def write_imagej(
    path: Path,
    unit: str = "um",
    spacing: float = 0.3,
    resolution: tuple[int, int] = (10, 10),
    **more: Any,
) -> Path:
    metadata = {"axes": "ZYX", "spacing": spacing, "unit": unit} | more
    tifffile.imwrite(path, ARRAY, imagej=True, resolution=resolution, metadata=metadata)
    return path


def write_ome(path: Path, **sizes: float | str) -> Path:
    metadata = {"axes": "ZYX"} | {f"PhysicalSize{k}": v for k, v in sizes.items()}
    tifffile.imwrite(path, ARRAY, ome=True, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        # every unit of OME, and some of OME-Zarr's and ImageJ's spellings
        *(("ym", 1e-18), ("zm", 1e-15), ("am", 1e-12), ("fm", 1e-9), ("pm", 1e-6)),
        *(("nm", 1e-3), ("µm", 1), ("mm", 1e3), ("cm", 1e4), ("dm", 1e5), ("m", 1e6)),
        *(("dam", 1e7), ("hm", 1e8), ("km", 1e9), ("Mm", 1e12), ("Gm", 1e15)),
        *(("Tm", 1e18), ("Pm", 1e21), ("Em", 1e24), ("Zm", 1e27), ("Ym", 1e30)),
        *(("Å", 1e-4), ("thou", 25.4), ("li", 25400 / 12), ("in", 25400)),
        *(("ft", 304800), ("yd", 914400), ("mi", 1.609344e9), ("pt", 25400 / 72)),
        *(("ua", 1.495978707e17), ("ly", 9.4607304725808e21)),
        ("pc", 3.0856775814913673e22),
        *(("micrometer", 1), ("micrometers", 1), ("Micrometres", 1), ("MICRONS", 1)),
        *(("nanometer", 1e-3), ("angstrom", 1e-4), ("foot", 304800), ("inches", 25400)),
        *(("zettameter", 1e27), ("\\u00B5m", 1), ("\\\\u03BCm", 1), ("UM", 1)),
        *(("\\u005Cu00B5m", 1), ("\\u212B", 1e-4)),
    ],
)
def test_every_unit_of_length_is_known(unit: str, factor: float) -> None:
    assert micrometres(2, unit) == pytest.approx(2 * factor, rel=1e-9)


@pytest.mark.parametrize("unit", ["pixel", "", None, "s", "furlong", "\\u00", "\\ud"])
def test_what_is_no_length_is_unknown(unit: str | None) -> None:
    assert micrometres(2, unit) is None


def test_axes_may_have_units_of_their_own(tmp_path: Path) -> None:
    path = write_imagej(tmp_path / "a.tif", spacing=300, zunit="nm", yunit="mm")
    assert read_stack(path).voxel_size == (0.3, 100.0, 0.1)


def test_an_unknown_unit_is_named(tmp_path: Path) -> None:
    stack = read_stack(write_ome(tmp_path / "a.ome.tif", Z=0.3, ZUnit="furlong", Y=0.1))
    assert stack.voxel_size == (None, 0.1, None)
    (note,) = stack.metadata["notes"]
    assert "0.3 furlong along z" in note


def test_a_size_without_a_unit_is_reported(tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "spacing": 0.3}
    tifffile.imwrite(
        tmp_path / "a.tif", ARRAY, imagej=True, resolution=(10, 10), metadata=metadata
    )
    stack = read_stack(tmp_path / "a.tif")
    assert stack.voxel_size == (None, None, None)
    assert "0.3 along z without a unit" in " ".join(stack.metadata["notes"])


def test_planes_without_a_distance_are_reported(tmp_path: Path) -> None:
    stack = read_stack(write_imagej(tmp_path / "a.tif", spacing=0))
    assert stack.voxel_size == (None, 0.1, 0.1)
    (note,) = stack.metadata["notes"]
    assert "0 um along z: an impossible voxel size" in note


def test_an_image_in_pixels_needs_no_note(tmp_path: Path) -> None:
    path = write_imagej(tmp_path / "a.tif", "pixel", 1.0, (1, 1))
    assert read_stack(path).metadata["notes"] == []


@pytest.mark.parametrize("size", [0, -0.3, "abc", "nan", "inf", 1e9, 1e-9])
def test_impossible_sizes_are_unknown_and_reported(
    tmp_path: Path, size: float | str
) -> None:
    stack = read_stack(write_ome(tmp_path / "a.ome.tif", Z=size, Y=0.1, X=0.1))
    assert stack.voxel_size == (None, 0.1, 0.1)
    assert "an impossible voxel size" in stack.metadata["notes"][0]


def test_sizes_in_different_units_are_suspected(tmp_path: Path) -> None:
    stack = read_stack(write_ome(tmp_path / "a.ome.tif", Z=300, Y=0.1, X=0.1))
    assert "300 µm along z and 0.1 µm along y" in stack.metadata["notes"][0]


def test_it_is_known_where_a_size_came_from(tmp_path: Path) -> None:
    ome = read_stack(write_ome(tmp_path / "a.ome.tif", Z=0.3, Y=0.1, X=0.1))
    imagej = read_stack(write_imagej(tmp_path / "a.tif"))
    assert ome.metadata["voxel_size_from"] == "its OME-XML"
    assert imagej.metadata["voxel_size_from"] == "its ImageJ header"


def lsm_header() -> bytes:
    known: dict[str, float] = {
        "MagicNumber": 67127628,
        "DimensionX": 30,
        "DimensionY": 20,
    }
    known |= {"DimensionZ": 5, "DimensionChannels": 1, "DimensionTime": 1}
    known |= {"DataType": 2, "ThumbnailX": 16, "ThumbnailY": 12}
    known |= {"VoxelSizeX": 1e-7, "VoxelSizeY": 1e-7, "VoxelSizeZ": 3e-7}
    fields = [field for field in tifffile.TIFF.CZ_LSMINFO if field[1][0] in "iuf"]
    info = b"".join(
        np.array(known.get(name, 0)).astype("<" + kind).tobytes()
        for name, kind in fields
    )
    return info[:4] + struct.pack("<i", len(info)) + info[8:]


def test_lsm_headers_are_read_and_thumbnails_are_no_images(tmp_path: Path) -> None:
    info = lsm_header()
    with tifffile.TiffWriter(tmp_path / "a.lsm", byteorder="<") as file:
        for i, plane in enumerate(ARRAY):
            tag = [(34412, 7, len(info), info, True)] if i == 0 else []
            file.write(plane, metadata=None, extratags=tag)
            file.write(plane[:12, :16], metadata=None, subfiletype=1)
    stack = read_stack(tmp_path / "a.lsm")
    assert stack.voxel_size == (0.3, 0.1, 0.1)
    assert stack.metadata["notes"] == []
    assert np.array_equal(np.asarray(stack.data), ARRAY)


def test_aperio_slides_say_their_microns_a_pixel(tmp_path: Path) -> None:
    described = "Aperio Image Library v11.2.1 \r\n30x20 |AppMag = 20|MPP = 0.4990"
    how: dict[str, Any] = {"tile": (16, 16), "metadata": None}  # as slides are
    tifffile.imwrite(tmp_path / "a.svs", ARRAY[0], description=described, **how)
    assert read_stack(tmp_path / "a.svs").voxel_size == (None, 0.499, 0.499)


def test_signed_stacks_of_imagej_are_signed(tmp_path: Path) -> None:
    signed = ARRAY.astype("int16") - 2000
    stored = (signed.astype("int32") + 32768).astype("uint16")
    metadata = {"axes": "ZYX", "cf": 0, "c0": -32768, "c1": 1, "vunit": "gray value"}
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, metadata=metadata)
    stack = read_stack(tmp_path / "a.tif")
    assert stack.data.dtype == np.int16
    assert np.array_equal(np.asarray(stack.data), signed)
    assert "signed" in stack.metadata["notes"][0]


def test_other_calibrations_of_grey_levels_are_reported(tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "cf": 0, "c0": 1.5, "c1": 0.5, "vunit": "OD"}
    tifffile.imwrite(tmp_path / "a.tif", ARRAY, imagej=True, metadata=metadata)
    stack = read_stack(tmp_path / "a.tif")
    assert np.array_equal(np.asarray(stack.data), ARRAY)
    assert "calibrated (OD)" in stack.metadata["notes"][0]


def write_metaseries(path: Path, state: str = "on") -> Path:
    entries = {"state": ("bool", state), "x": ("float", "0.1"), "y": ("float", "0.2")}
    entries |= {"units": ("string", "um")}
    props = "".join(
        f'<prop id="spatial-calibration-{name}" type="{kind}" value="{value}"/>\r\n'
        for name, (kind, value) in entries.items()
    )
    xml = f"<MetaData>\r\n<PlaneInfo>\r\n{props}</PlaneInfo>\r\n</MetaData>"
    options = {"software": "MetaSeries", "description": xml, "metadata": None}
    tifffile.imwrite(path, ARRAY[0], **options)
    return path


def test_metaseries_headers_are_read(tmp_path: Path) -> None:
    stack = read_stack(write_metaseries(tmp_path / "a.tif"))
    assert stack.voxel_size == (None, 0.2, 0.1)
    assert stack.metadata["voxel_size_from"] == "its MetaSeries header"
    off = read_stack(write_metaseries(tmp_path / "b.tif", "off"))
    assert off.voxel_size == (None, None, None)


def test_fluoview_headers_are_read(tmp_path: Path) -> None:
    header = np.zeros((), np.dtype(tifffile.TIFF.MM_HEADER).newbyteorder("<"))
    header["HeaderFlag"] = 1
    lengths = (("X", 30, 0.1), ("Y", 20, 0.1), ("Z", 5, 300.0))
    for i, (name, size, step) in enumerate(lengths):
        unit = b"nm" if name == "Z" else b"um"
        header["Dimensions"][i] = (name.encode(), size, 0, step, unit)
    raw = header.tobytes()
    tags = [(34361, 1, len(raw), raw, True), (34362, 1, 8, bytes(8), True)]
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder="<") as file:
        for plane in ARRAY:
            file.write(plane, metadata=None, extratags=tags)
    stack = read_stack(tmp_path / "a.tif")
    assert stack.voxel_size == (0.3, 0.1, 0.1)
    assert np.array_equal(np.asarray(stack.data), ARRAY)


def test_stk_headers_are_read(tmp_path: Path) -> None:
    """MetaMorph: one directory, all planes behind each other, tags of its own."""
    planes, height, width = ARRAY.shape
    steps = np.array([[3, 10, 2450000, 0, 2450000, 0]] * planes, "<u4").tobytes()
    fractions = struct.pack("<4I", 1, 10, 1, 10)
    units = struct.pack("<I", 3) + b"um\0"
    directory = 2 + 12 * 12 + 4
    at = {"steps": 8 + directory, "uic": 8 + directory + len(steps)}
    at["fractions"] = at["uic"] + 4 * 8
    at["units"] = at["fractions"] + len(fractions)
    at["pixels"] = at["units"] + len(units)
    ids = ((3, 1), (4, at["fractions"]), (5, at["fractions"] + 8), (6, at["units"]))
    uic = b"".join(struct.pack("<2I", *entry) for entry in ids)
    size = height * width * 2
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1)),
        *((262, 3, 1, 1), (273, 4, 1, at["pixels"]), (277, 3, 1, 1)),
        *((278, 4, 1, height), (279, 4, 1, size), (284, 3, 1, 1)),
        *((33628, 4, 4, at["uic"]), (33629, 5, planes, at["steps"])),
    ]
    entries = b"".join(struct.pack("<2H2I", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    content = head + steps + uic + fractions + units + ARRAY.tobytes()
    (tmp_path / "a.stk").write_bytes(content)
    stack = read_stack(tmp_path / "a.stk")
    assert (stack.axes, stack.voxel_size) == ("ZYX", (0.3, 0.1, 0.1))
    assert np.array_equal(np.asarray(stack.data), ARRAY)


@pytest.mark.parametrize("unit", ["pixel", "px", "reference frame"])
def test_a_size_in_pixels_that_is_none_is_told(tmp_path: Path, unit: str) -> None:
    path = write_ome(tmp_path / "a.ome.tif", Y=0.1, X=0.1, XUnit=unit)
    stack = read_stack(path)
    assert stack.voxel_size == (None, 0.1, None)
    assert f"0.1 {unit} along x" in stack.metadata["notes"][0]
