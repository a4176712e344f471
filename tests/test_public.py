"""Everything that the package offers is there, and documented."""

from __future__ import annotations

from pathlib import Path

import pytest

import napari_blurgan


@pytest.mark.parametrize("name", napari_blurgan.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(napari_blurgan, name)
    assert name == "__version__" or thing.__doc__


def test_no_public_name_is_hidden_by_a_room() -> None:
    # A package that is imported becomes an attribute, and would hide what is lazy.
    folder = Path(napari_blurgan.__file__).parent
    rooms = {path.name.removesuffix(".py") for path in folder.iterdir()}
    assert not rooms & set(napari_blurgan.__all__)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = napari_blurgan.nonsense
    assert set(napari_blurgan.__all__) == set(dir(napari_blurgan))
