"""Units of length in all their spellings."""

from __future__ import annotations

import pytest

from napari_blurgan.headers.units import is_length, micrometres


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1, "µm", 1.0),
        (1, "\N{GREEK SMALL LETTER MU}m", 1.0),
        (1, "\\u00B5m", 1.0),
        (250, "nm", 0.25),
        (1, "MICRON", 1.0),
        (2, "mm", 2000.0),
        (1e-7, "m", 0.1),
        ("0.5", "um", 0.5),
        (1, "inch", 25400.0),
    ],
)
def test_lengths_become_micrometres(value: object, unit: str, expected: float) -> None:
    assert micrometres(value, unit) == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["second", "furlong", "", None])
def test_what_is_no_length_is_unknown(unit: str | None) -> None:
    assert not is_length(unit)
    assert micrometres(1, unit) is None


@pytest.mark.parametrize("value", ["wide", None, "nan"])
def test_what_is_no_number_is_unknown(value: object) -> None:
    found = micrometres(value, "µm")
    assert found is None or found != found
