"""Pairs among files, and two unpaired domains made from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_blurgan.data.pairs import halves, pairs_in
from napari_blurgan.errors import DataError


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(b"")
    return paths


def test_two_folders_are_paired_by_name(tmp_path: Path) -> None:
    for name in "ab":
        files(tmp_path / name, "2.tif", "1.tif")
    found = pairs_in([tmp_path / "a", tmp_path / "b"])
    assert [(p.a.name, p.b.name) for p in found] == [("1.tif",) * 2, ("2.tif",) * 2]
    assert pairs_in([tmp_path]) == found


def test_files_are_paired_by_the_one_word_that_differs(tmp_path: Path) -> None:
    names = ("c1_phase.tif", "c1_dapi.tif", "c2_phase.tif", "c2_dapi.tif")
    found = pairs_in(files(tmp_path, *names))
    assert [(p.a.name, p.b.name) for p in found] == [
        ("c1_dapi.tif", "c1_phase.tif"),
        ("c2_dapi.tif", "c2_phase.tif"),
    ]


def test_an_image_without_a_partner_is_named(tmp_path: Path) -> None:
    files(tmp_path / "a", "1.tif", "2.tif")
    files(tmp_path / "b", "1.tif")
    with pytest.raises(DataError, match="2 has no partner"):
        pairs_in([tmp_path / "a", tmp_path / "b"])


def test_no_field_is_in_both_domains(tmp_path: Path) -> None:
    for name in "ab":
        files(tmp_path / name, *(f"{n}.tif" for n in range(7)))
    pairs = pairs_in([tmp_path])
    a, b = halves(pairs, seed=1)
    assert {p.name for p in a}.isdisjoint(p.name for p in b)
    assert sorted([len(a), len(b)]) == [3, 4]
    assert halves(pairs, seed=1) == (a, b)
