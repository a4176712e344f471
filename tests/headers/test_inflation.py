"""How large compressed bytes become, found without storing them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import pytest

from napari_blurgan.headers.inflation import inflates_beyond

SIZE = 10_000_000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
}


@pytest.mark.parametrize("codec", PACK)
def test_a_bomb_is_known_without_storing_it(codec: str) -> None:
    packed = PACK[codec](bytes(SIZE))
    assert len(packed) < SIZE / 100
    assert inflates_beyond(io.BytesIO(packed), codec, SIZE - 1)
    assert not inflates_beyond(io.BytesIO(packed), codec, SIZE)


def test_an_unknown_codec_is_left_to_its_decoder() -> None:
    assert not inflates_beyond(io.BytesIO(b"anything"), "no such codec", 1)
