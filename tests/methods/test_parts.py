"""Kinds are registered by name, imported when used, and explained when misspelt."""

from __future__ import annotations

from typing import Literal

import pytest

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.parts import Kinds, Part, field_names, load


class Round(Part):
    kind: Literal["round"] = "round"
    radius: float = 1.0


def kinds() -> Kinds[Round]:
    found: Kinds[Round] = Kinds("shape", {"absent": "no_such_package.module:Settings"})
    found.register("round", f"{__name__}:Round")
    return found


def test_a_kind_is_made_of_its_settings() -> None:
    made = kinds().parse({"kind": "round", "radius": 2})
    assert isinstance(made, Round)
    assert made.radius == 2
    assert kinds().parse(made) is made
    assert list(kinds()) == ["absent", "round"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "rond"}, "there is no shape 'rond'; did you mean 'round'?"),
        ({"kind": "square"}, "choose from absent, round"),
        ({"kind": "round", "radus": 1}, "no field shape.radus; did you mean"),
        ({"kind": "round", "radius": "wide"}, "shape.radius: "),
        ({"kind": "round", "radius": float("nan")}, "shape.radius: "),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    value: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        kinds().parse(value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_is_imported_when_it_is_asked_for() -> None:
    assert load("math:pi") > 3
    with pytest.raises(ModuleNotFoundError):
        kinds()["absent"]
    assert field_names(Round, "shape.") == ["shape.kind", "shape.radius"]
