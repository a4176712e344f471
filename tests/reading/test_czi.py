"""Zeiss CZI: pixels, mosaics, compression, geometry, channels and optics."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from napari_blurgan import read_stack
from napari_blurgan.errors import DataError
from napari_blurgan.headers.czi import czi_facts
from napari_blurgan.reading.vendors.czi import CziArray
from tests.support.vendor_files import LENS, VOXEL, image, write_czi


def tiles(pixels: np.ndarray) -> list[tuple[dict[str, int], np.ndarray]]:
    """Return the planes of a TCZYX image, with their places."""
    places = np.ndindex(pixels.shape[:3])
    return [
        ({"T": t, "C": c, "Z": z, "X": 7, "Y": -3}, pixels[t, c, z])
        for t, c, z in places
    ]


def packed(pixels: bytes) -> bytes:
    """Return bytes as ZEN writes them: low bytes first, then the high ones, zstd."""
    halves = np.frombuffer(pixels, np.uint8).reshape(-1, 2).T.tobytes()
    return bytes((3, 1, 1)) + bytes(imagecodecs.zstd_encode(halves))


@pytest.mark.parametrize(
    "pack",
    [
        (0, bytes),
        (5, lambda data: bytes(imagecodecs.zstd_encode(data))),
        (6, packed),
        (6, lambda data: b"\x01" + bytes(imagecodecs.zstd_encode(data))),
    ],
)
def test_a_file_is_read_with_its_metadata(pack: Any, tmp_path: Path) -> None:
    pixels = image((3, 2, 4, 10, 12))
    write_czi(tmp_path / "cell.czi", tiles(pixels), pack)
    stack = read_stack(tmp_path / "cell.czi")
    assert (stack.axes, stack.name) == ("TCZYX", "cell")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    assert stack.voxel_size == pytest.approx(VOXEL)
    assert stack.channel_names == ("dapi", "gfp")
    found = stack.metadata["acquisition"]
    assert {name: found.lens[name] for name in LENS} == LENS
    assert [c["EmissionWavelength"] for c in found.channels] == ["455", "520"]
    assert (found.interval, found.image) == (2.5, "cell 3")
    assert isinstance(stack.data, CziArray)
    again = pickle.loads(pickle.dumps(stack.data))
    np.testing.assert_array_equal(again[2, 1, 3], pixels[2, 1, 3])


def test_the_tiles_of_a_mosaic_are_put_together(tmp_path: Path) -> None:
    plane = image((20, 24), "uint8")
    parts = [
        ({"X": x, "Y": y, "M": n}, plane[y : y + 12, x : x + 14])
        for n, (y, x) in enumerate(((0, 0), (0, 10), (8, 0), (8, 10)))
    ]
    write_czi(tmp_path / "a.czi", parts, pixels=0)
    np.testing.assert_array_equal(np.asarray(read_stack(tmp_path / "a.czi")), plane)


def test_the_first_scene_is_read(tmp_path: Path) -> None:
    pixels = image((2, 9, 11))
    places = [{"S": 0}, {"S": 1, "X": 500}]
    write_czi(tmp_path / "a.czi", list(zip(places, pixels, strict=True)))
    stack = read_stack(tmp_path / "a.czi")
    np.testing.assert_array_equal(np.asarray(stack), pixels[0])
    assert stack.metadata["notes"] == ["the file holds 2 scenes; the first was read"]


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    pixels = image((9, 11, 3), "uint8")
    write_czi(tmp_path / "a.czi", [({}, pixels[..., ::-1])], pixels=3)
    stack = read_stack(tmp_path / "a.czi")
    assert stack.axes == "YXS"
    np.testing.assert_array_equal(np.asarray(stack), pixels)


@pytest.mark.parametrize(
    ("places", "options", "said"),
    [
        ([{"Z": 0}, {"Z": 2}], {}, "1 of 3 planes are missing"),
        ([{"V": 0}, {"V": 1}], {}, "one position, angle or wavelength"),
        ([{}], {"pixels": 10}, r"different types of pixels \(types \[10\]\)"),
        ([{}], {"pack": (9, bytes)}, r"not known here \(Zeiss' code \[9\]\)"),
    ],
)
def test_what_is_not_understood_is_refused(
    places: list[dict[str, int]], options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    write_czi(tmp_path / "a.czi", [(at, image((8, 8))) for at in places], **options)
    with pytest.raises(DataError, match=said):
        read_stack(tmp_path / "a.czi")


def test_a_huge_plane_is_refused_before_it_is_made(tmp_path: Path) -> None:
    places = [{"X": 0}, {"X": 2_000_000_000}]
    write_czi(tmp_path / "a.czi", [(at, image((4000, 8))) for at in places])
    stack = read_stack(tmp_path / "a.czi")
    with pytest.raises(DataError, match="one plane would take"):
        _ = stack.data[:2, :2]


def test_xml_without_anything_is_no_error() -> None:
    assert czi_facts("").voxels.size == (None, None, None)
    assert czi_facts("<a/>").channel_names == ()
