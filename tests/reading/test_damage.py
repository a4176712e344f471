"""What readers raise on damaged bytes becomes an error of ours."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.damage import damage_refused

FILE = Path("folder/a.nd2")


@pytest.mark.parametrize("error", [struct.error, IndexError, AttributeError, OSError])
def test_any_error_of_a_reader_names_the_file(error: type[Exception]) -> None:
    with (
        pytest.raises(DataError, match=r"^a.nd2: is damaged \(two lines\); copy"),
        damage_refused(FILE, "is damaged"),
    ):
        raise error("two\n  lines")


def test_memory_and_our_own_errors_are_said_as_they_are() -> None:
    with pytest.raises(DataError, match="more memory"), damage_refused(FILE, "x"):
        raise MemoryError
    with pytest.raises(AxesError, match="ours"), damage_refused(FILE, "x"):
        raise AxesError("ours")
