"""The keywords of the methods: unknown ones and values out of range are errors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, get_args, get_type_hints

import numpy as np

from napari_blurgan.checks import checked_voxels, in_range, known_names, whole
from napari_blurgan.classical.methods import METHODS, Parameter
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.stopping import RULES, StoppingRule
from napari_blurgan.optics.camera import Camera

__all__ = ["accepted", "checked", "understood"]

P = ParamSpec("P")

ALIASES = {"num_iter": "iterations"}
"""Names of some of our parameters in scikit-image."""

LARGEST = 1e38
"""Largest grey level; float32 ends soon after."""

EDGES = ("extend", "periodic")


def checked(method: Callable[P, Deconvolution]) -> Callable[P, Deconvolution]:
    """Make a method refuse unknown keywords and impossible values, before any work.

    Names of scikit-image (``num_iter``) are accepted.

    Raises
    ------
    RecipeError
        When called with a keyword that the method does not take; the message names
        the nearest that it does.
    DataError
        When called with a value out of its range; the message gives the range.
    """

    @functools.wraps(method)
    def call(*args: P.args, **keywords: P.kwargs) -> Deconvolution:
        return method(*args, **understood(method, args, keywords))

    return call


def understood(
    method: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keywords of a call under the names of the method, all checked.

    Raises
    ------
    RecipeError
        If there is one that the method does not take.
    DataError
        If a value is out of its range.
    """
    words = _renamed(keywords)
    known_names(method.__name__, words, accepted(method))
    given = inspect.signature(method).bind(*args, **words).arguments
    options = given.pop("options", {})
    for parameter in _parameters(method):
        if parameter.name in words:
            words[parameter.name] = _number(parameter, words[parameter.name])
        elif parameter.name in given:
            _number(parameter, given[parameter.name])
    return words | _checked_options(options) | _by_name(options)


def accepted(method: Callable[..., Any]) -> list[str]:
    """Return the keywords of a method besides the image and the PSF."""
    names = [name for name in inspect.signature(method).parameters if name != "options"]
    (options,) = get_args(get_type_hints(method)["options"])
    return [*names[2:], *get_type_hints(options)]


def _parameters(method: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the ranges of the numbers in the form of a method."""
    known = {m.entry.partition(":")[2]: m.parameters for m in METHODS.values()}
    return known.get(method.__name__, ())


def _renamed(keywords: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for word, value in keywords.items():
        name = ALIASES.get(word, word)
        if name in words:
            raise RecipeError(f"{name} is given twice, once as {word}")
        words[name] = value
    return words


def _number(parameter: Parameter, value: object) -> float:
    """Return a number as Python's own, in its range."""
    limits = parameter.minimum, parameter.maximum
    if isinstance(parameter.default, int):
        return whole(parameter.name, value, int(limits[0]), int(limits[1]))
    return in_range(parameter.name, value, *limits)


def _checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that are numbers as Python's own."""
    found: dict[str, Any] = {}
    if "background" in options:
        found["background"] = in_range(
            "background", options["background"], -LARGEST, LARGEST
        )
    if not isinstance(options.get("camera"), Camera | None):
        raise DataError(f"camera is a Camera, found {options['camera']!r}")
    edges = options.get("edges", "extend")
    if not isinstance(edges, str) or edges not in EDGES:
        raise RecipeError(f"edges are {' or '.join(EDGES)}, found {edges!r}")
    if options.get("voxel_size") is not None:
        found["voxel_size"] = checked_voxels(options["voxel_size"])
    start = options.get("start")
    if start is not None and _is_scalar(start):
        found["start"] = in_range("start", start, 0, LARGEST)
    callback = options.get("callback")
    if callback is not None and not callable(callback):
        raise RecipeError(f"callback is a function, found {callback!r}")
    return found


def _is_scalar(value: object) -> bool:
    return not hasattr(value, "shape") or np.ndim(value) == 0  # type: ignore[arg-type]


def _by_name(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object for a value given by its name."""
    found: dict[str, Any] = {}
    stop = options.get("stop")
    if isinstance(stop, str):
        if stop not in RULES:
            raise RecipeError(f"no rule {stop!r} to stop; there are {', '.join(RULES)}")
        found["stop"] = RULES[stop]()
    elif not isinstance(stop, StoppingRule | None):
        raise RecipeError(f"stop is a stopping rule, found {stop!r}")
    if options.get("device") is not None:
        device = str(options["device"])
        found["device"] = None if device == "auto" else str(choose_device(device))
    return found
