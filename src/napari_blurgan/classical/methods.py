"""The methods by name, with descriptions for menus, forms and the command line.

Nothing here loads torch: the function of a method is imported when it is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_blurgan.inverse.result import Deconvolution

__all__ = ["METHODS", "Method", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """A numeric parameter of a method, for a form.

    Attributes
    ----------
    name : str
        As the function calls it.
    default, minimum, maximum : int or float
        Its type is that of the default.
    help : str
        One line.
    """

    name: str
    default: int | float
    minimum: int | float
    maximum: int | float
    help: str


@dataclass(frozen=True)
class Method:
    """A method of deconvolution.

    Attributes
    ----------
    name, title : str
        For the command line, and for a menu.
    summary : str
        When to choose it, in a line.
    parameters : tuple of Parameter
        What it takes besides the options all methods share.
    rules : tuple of str
        Which stopping rules (`napari_blurgan.inverse.stopping.RULES`) it takes.
    counts : bool
        Whether it needs the camera: gain, offset and read noise.
    tiles : bool
        Whether large images may be cut in tiles, as long as no rule stops them.
    volumes : int
        Peak memory as measured, in float32 volumes of the padded image.
    """

    name: str
    title: str
    summary: str
    entry: str
    parameters: tuple[Parameter, ...]
    rules: tuple[str, ...] = ()
    counts: bool = False
    tiles: bool = False
    volumes: int = 11

    @property
    def iterative(self) -> bool:
        """Whether it has iterations, and so a callback for each."""
        return any(parameter.name == "iterations" for parameter in self.parameters)

    @property
    def function(self) -> Callable[..., Deconvolution]:
        """The function: ``(image, psf, *, …) -> Deconvolution``."""
        module, name = self.entry.split(":")
        return getattr(importlib.import_module(f"{__package__}.{module}"), name)


def _iterations(default: int, what: str = "updates") -> Parameter:
    return Parameter("iterations", default, 1, 10_000, f"{what} to make at most")


ANY_RULE = ("change", "discrepancy", "held-out")

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "rl",
            "Richardson–Lucy",
            "The standard: choose the number of iterations, more for bright images.",
            "richardson_lucy:richardson_lucy",
            (_iterations(50),),
            ANY_RULE,
            tiles=True,
            volumes=11,
        ),
        Method(
            "rl-accelerated",
            "Richardson–Lucy, accelerated",
            "The same result in a sixth of the iterations or fewer.",
            "accelerated:accelerated_richardson_lucy",
            (_iterations(8),),
            ANY_RULE,
            tiles=True,
            volumes=12,
        ),
        Method(
            "rl-tv",
            "Richardson–Lucy with TV",
            "Smooths noise and preserves edges: for nuclei and other filled "
            "structures, dim images.",
            "total_variation:tv_richardson_lucy",
            (
                _iterations(40),
                Parameter(
                    "weight",
                    0.005,
                    0.0,
                    0.15,
                    "of smoothness: 0.002 for bright images, 0.01 for dim ones",
                ),
            ),
            ANY_RULE,
            tiles=True,
            volumes=17,
        ),
        Method(
            "rlgc",
            "Gradient Consensus",
            "Stops by itself where structure ends and noise begins.",
            "gradient_consensus:gradient_consensus",
            (_iterations(200),),
            ("held-out",),
            counts=True,
            volumes=28,
        ),
        Method(
            "rl-blind",
            "Blind Richardson–Lucy",
            "Also improves the PSF; start from one that is slightly too wide.",
            "blind:blind_richardson_lucy",
            (
                _iterations(15, "updates in each round"),
                Parameter(
                    "rounds",
                    3,
                    1,
                    50,
                    "deconvolutions, with updates of the PSF in between",
                ),
            ),
            volumes=35,
        ),
        Method(
            "wiener",
            "Wiener filter",
            "One step, linear: a first look.",
            "wiener:wiener",
            (
                Parameter(
                    "noise",
                    0.01,
                    1e-6,
                    100.0,
                    "power relative to the object: 0.001 bright, 0.03 dim",
                ),
            ),
        ),
        Method(
            "tikhonov",
            "Tikhonov filter",
            "One step, linear, preserves the coarse structure.",
            "wiener:tikhonov",
            (
                Parameter(
                    "smoothness",
                    0.1,
                    1e-6,
                    100.0,
                    "weight of the Laplacian: 0.03 bright, 1 dim",
                ),
            ),
        ),
    )
}


def __getattr__(name: str) -> Any:
    """Return `deconvolve`, which was here before version 0.2; it loads torch."""
    if name == "deconvolve":
        return importlib.import_module("napari_blurgan.classical.images").deconvolve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
