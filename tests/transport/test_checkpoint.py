from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_blurgan.errors import ModelFileError
from napari_blurgan.models.checkpoint import read_state, write_state

TREE = {
    "numbers": [1, 2.5, None, True, "text"],
    "tensors": {3: torch.arange(6.0).reshape(2, 3), "scalar": torch.tensor(7)},
    "empty": {},
    "nothing": torch.zeros(0),
}


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() == b.keys()
            and all(same(a[key], b[key]) for key in a)
        )
    if isinstance(a, list):
        return isinstance(b, list) and all(map(same, a, b))
    return a == b


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    write_state(tmp_path / "s", TREE)
    assert same(read_state(tmp_path / "s"), TREE)


def test_every_flipped_bit_of_the_tensors_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    write_state(path, TREE)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for place in range(header, len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match="damaged"):
            read_state(path)


@pytest.mark.parametrize("part", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, part: int) -> None:
    path = tmp_path / "s"
    write_state(path, TREE)
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(ModelFileError, match="damaged or truncated"):
        read_state(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is no file"):
        read_state(tmp_path / "none")
