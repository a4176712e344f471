"""Dotted changes of a recipe."""

from __future__ import annotations

import pytest

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.changes import changed, parse_changes


def settings() -> dict[str, object]:
    return {
        "steps": 10,
        "forward": {"kind": "kernel", "learned": True, "noise": False},
        "terms": {"cycle_x": 1.0},
    }


def test_values_are_read_as_yaml() -> None:
    found = parse_changes(["a.b=1", "c=[2, x]", "d=", "e=a=b"], "KEY=VALUE", "--set")
    assert found == {"a.b": 1, "c": [2, "x"], "d": None, "e": "a=b"}


@pytest.mark.parametrize("pair", ["a", "a=[1", "a={"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(RecipeError):
        parse_changes([pair], "expected KEY=VALUE", "--set")


def test_a_field_a_section_and_a_term() -> None:
    found = changed(
        settings(),
        {
            "steps": 5,
            "forward.learned": False,
            "terms.cycle_x.delay": 3,
            "terms.new": 2,
        },
    )
    assert found["steps"] == 5
    assert found["forward"]["learned"] is False
    assert found["terms"] == {
        "cycle_x": {"weight": 1.0, "delay": 3},
        "new": {"weight": 2},
    }


def test_another_kind_keeps_what_both_have_and_was_set() -> None:
    found = changed(settings(), {"forward.noise": True, "forward.kind": "none"})
    assert found["forward"] == {"kind": "none", "noise": True}


def test_a_section_that_is_not_there_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"no field forwards.learned; did you mean"):
        changed(settings(), {"forwards.learned": 1})
