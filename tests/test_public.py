"""Everything that the package offers is there, and documented."""

from __future__ import annotations

import pytest

import napari_blurgan


@pytest.mark.parametrize("name", napari_blurgan.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(napari_blurgan, name)
    assert name == "__version__" or thing.__doc__


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = napari_blurgan.nonsense
    assert set(napari_blurgan.__all__) == set(dir(napari_blurgan))
