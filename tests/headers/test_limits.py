"""What a header claims is held against memory and file size."""

from __future__ import annotations

import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.headers import limits
from napari_blurgan.headers.limits import refuse_beyond_memory, refuse_beyond_ratio


def test_more_than_the_free_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 2_000_000)
    refuse_beyond_memory(2_000_000, "a.tif")
    with pytest.raises(DataError, match=r"a.tif would take 2.5 GB .* 2.0 MB are free"):
        refuse_beyond_memory(2_500_000_000, "a.tif")


def test_more_than_the_compression_can_make_is_refused() -> None:
    refuse_beyond_ratio(1000, 10, 100, "a.tif")
    with pytest.raises(
        DataError, match=r"1.0 kB of pixels, but contains only 10 bytes"
    ):
        refuse_beyond_ratio(1001, 10, 100, "a.tif")
