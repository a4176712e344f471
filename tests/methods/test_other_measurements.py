"""Presets with another H than a blur kernel."""

from __future__ import annotations

import pytest

from napari_blurgan.methods.other_measurements import OTHER_MEASUREMENTS
from napari_blurgan.methods.parts import ADJOINT
from napari_blurgan.methods.presets import PRESETS, preset


@pytest.mark.parametrize("name", OTHER_MEASUREMENTS)
def test_they_are_presets_with_h_inside_g_where_there_is_one(name: str) -> None:
    recipe = preset(name)
    assert PRESETS[name] is OTHER_MEASUREMENTS[name]
    inside = recipe.reconstructor.kind in ("unrolled", "refining")
    published = name.endswith("as-published")
    assert inside == (ADJOINT in recipe.offers and not published)
    assert recipe.forward.kind != "kernel"
