"""Restore microscopy images without paired training data.

Everything here is loaded when first used: importing the package loads neither torch,
nor Qt, nor napari.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_blurgan.classical.images import deconvolve
    from napari_blurgan.data.stack import Stack
    from napari_blurgan.heldout.optics import likely_optics
    from napari_blurgan.methods.presets import preset, presets
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.models.model import Model, load_model
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.reading.images import read_stack
    from napari_blurgan.tasks.evidence import evidence
    from napari_blurgan.tasks.restore import restore
    from napari_blurgan.tasks.train import train
    from napari_blurgan.training.trainer import Trainer

__version__ = version("napari-blurgan")

HOMES = {
    "Model": "models.model",
    "Optics": "optics.models",
    "Psf": "optics.psf",
    "Recipe": "methods.recipe",
    "Stack": "data.stack",
    "Trainer": "training.trainer",
    "deconvolve": "classical.images",
    "evidence": "tasks.evidence",
    "likely_optics": "heldout.optics",
    "load_model": "models.model",
    "preset": "methods.presets",
    "presets": "methods.presets",
    "read_stack": "reading.images",
    "restore": "tasks.restore",
    "train": "tasks.train",
}

__all__ = [
    "Model",
    "Optics",
    "Psf",
    "Recipe",
    "Stack",
    "Trainer",
    "__version__",
    "deconvolve",
    "evidence",
    "likely_optics",
    "load_model",
    "preset",
    "presets",
    "read_stack",
    "restore",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{HOMES[name]}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
