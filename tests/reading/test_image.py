"""What readers of vendors' files have in common."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from napari_blurgan import read_stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.vendors.image import (
    attributes,
    kept,
    others_left,
    reader_of,
)
from tests.support.vendor_files import image, write_czi, write_lif, write_nd2, write_oif

PATH = Path("a.lif")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def absent(name: str, *args: Any, **options: Any) -> Any:
        if name == "nd2":
            raise ImportError(name)
        return imported(name, *args, **options)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(DataError, match=r"a.lif: .* package nd2; .*\[formats\]"):
        reader_of("nd2", PATH, "a Nikon ND2 file")


def test_axes_without_a_use_are_dropped_or_refused() -> None:
    assert kept({"P": 1, "T": 1, "Y": 4, "X": 5}, PATH) == {"T": 1, "Y": 4, "X": 5}
    with pytest.raises(DataError, match="one position, angle or wavelength at a time"):
        kept({"λ": 3, "Y": 4, "X": 5}, PATH)
    with pytest.raises(DataError, match="needs the axes Y and X"):
        kept({"Z": 4, "X": 5}, PATH)


def test_what_is_unknown_is_no_attribute() -> None:
    assert attributes(LensNA=1.2, Model="", Fluor=None, X=0) == {"LensNA": "1.2"}


def test_only_several_images_are_worth_a_note() -> None:
    assert others_left(1, "scenes", 0) == []
    note = "the file holds 3 scenes; the first was read"
    assert others_left(3, "scenes", 0) == [note]
    assert "; number 2, counted from 0, was" in others_left(3, "scenes", 2)[0]


def written(folder: Path) -> list[Path]:
    """Return a small file of each format."""
    paths = [folder / f"a.{ending}" for ending in ("nd2", "lif", "oif", "czi")]
    write_nd2(paths[0], image((1, 3, 2, 8, 8)))
    write_lif(paths[1], {"s": ("CZYX", image((2, 3, 8, 8), "uint8"))})
    write_oif(paths[2], image((2, 3, 8, 8)))
    planes = image((2, 3, 8, 8))
    tiles = [({"C": c, "Z": z}, planes[c, z]) for c in range(2) for z in range(3)]
    write_czi(paths[3], tiles)
    return paths


def test_axes_can_be_said(tmp_path: Path) -> None:
    for path in written(tmp_path):
        assert read_stack(path, axes="TZYX").axes == "TZYX"
        with pytest.raises(AxesError, match="were asked for"):
            read_stack(path, axes="YX")


@pytest.mark.parametrize("length", [0, 8, 100, 0.5])
def test_a_file_that_is_cut_off_is_refused(length: float, tmp_path: Path) -> None:
    nd2, lif, oif, czi = written(tmp_path)
    # An OIF names what is in its folder: half of it may still be good for that.
    for path in (nd2, lif, czi, *([oif] if length in (0, 8) else ())):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(length * len(whole) if length < 1 else length)])
        with pytest.raises(DataError, match=path.name):
            _ = read_stack(path).data[...]
