from __future__ import annotations

import pytest

from napari_blurgan.axes import guess_axes, label_axes
from napari_blurgan.errors import AxesError
from napari_blurgan.headers.units import micrometres


@pytest.mark.parametrize(
    ("shape", "letters", "expected_shape", "expected"),
    [
        ((5, 4, 3), "ZYX", (5, 4, 3), "ZYX"),
        ((1, 4, 3), "ZYX", (1, 4, 3), "ZYX"),
        ((7, 4, 3), "QYX", (7, 4, 3), "ZYX"),
        ((7, 4, 3), "IYX", (7, 4, 3), "ZYX"),
        ((7, 5, 4, 3), "QZYX", (7, 5, 4, 3), "TZYX"),
        ((7, 2, 4, 3), "QCYX", (7, 2, 4, 3), "ZCYX"),
        ((1, 1, 5, 4, 3), "QQQYX", (5, 4, 3), "ZYX"),
        ((4, 3, 3), "YXS", (4, 3, 3), "YXS"),
        ((1, 4, 3), "HYX", (4, 3), "YX"),
    ],
)
def test_unnamed_axes_are_named_by_one_rule(
    shape: tuple[int, ...], letters: str, expected_shape: tuple[int, ...], expected: str
) -> None:
    sizes, axes, notes = label_axes(shape, letters, "image")

    assert (sizes, axes) == (expected_shape, expected)
    guessed = bool({"Q", "I"} & set(letters)) and sizes.count(1) == 0 and "Z" in axes
    assert bool(notes) == guessed


def test_two_unnamed_axes_are_refused() -> None:
    with pytest.raises(AxesError, match=r"2 axes have no names.*axes="):
        label_axes((3, 5, 8, 8), "QIYX", "image")


def test_an_axis_without_use_is_refused() -> None:
    with pytest.raises(AxesError, match="'H'"):
        label_axes((3, 8, 8), "HYX", "image")


@pytest.mark.parametrize(("shape", "axes"), [((4, 5), "YX"), ((3, 4, 5), "ZYX")])
def test_bare_arrays_are_planes_or_volumes(shape: tuple[int, ...], axes: str) -> None:
    assert guess_axes(shape) == axes


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5)])
def test_other_bare_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AxesError, match="without names"):
        guess_axes(shape)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (100, "nm", 0.1),
        (0.1, "micron", 0.1),
        (0.1, "\\u00B5m", 0.1),
        (0.1, "\\u005Cu00B5m", 0.1),
        (0.1, "μm", 0.1),
        (1, "mm", 1000.0),
        (1, "inch", 25400.0),
        ("0.25", "µm", 0.25),
        (1, "pixel", None),
        (1, "", None),
        (1, None, None),
        (0, "µm", None),
        (-1, "µm", None),
        ("abc", "µm", None),
        (float("inf"), "µm", None),
        (None, "µm", None),
    ],
)
def test_lengths_in_micrometres(
    value: float | str | None, unit: str | None, expected: float | None
) -> None:
    assert micrometres(value, unit) == pytest.approx(expected)
