"""Recipes of strangers: too deep, too large, or asking for objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.guarded_yaml import parse_yaml, read_yaml


def test_plain_yaml_and_json_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [1, 2.5]\nb: {c: x}")
    assert read_yaml(path) == {"a": [1, 2.5], "b": {"c": "x"}}
    assert parse_yaml('{"a": [1, null]}', "it") == {"a": [1, None]}
    assert parse_yaml("a: &x [1]\nb: *x", "it") == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3000,
        "a: &a [*a]",
        "a: &a [1]\n" + "b: [" + "*a, " * 10_000 + "]",
        "!!python/object/apply:os.system ['true']",
        "a: [1",
        "a: 1\n b: 2",
        "1970-99-99",
        "\x00",
    ],
)
def test_anything_else_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_yaml(text, "the recipe")
    assert str(caught.value).startswith("cannot read the recipe: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\xd8")
    for name in ("absent", "binary", "."):
        with pytest.raises(RecipeError, match="cannot read the recipe"):
            read_yaml(tmp_path / name)
