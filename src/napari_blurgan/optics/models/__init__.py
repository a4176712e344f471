"""Theoretical point-spread functions."""

from napari_blurgan.optics.diffraction.parameters import (
    Optics,
    OpticsWarning,
    support_shape,
)
from napari_blurgan.optics.models.theoretical import (
    MODELS,
    born_wolf,
    gaussian,
    gibson_lanni,
    theoretical_psf,
    vectorial,
)

__all__ = [
    "MODELS",
    "Optics",
    "OpticsWarning",
    "born_wolf",
    "gaussian",
    "gibson_lanni",
    "support_shape",
    "theoretical_psf",
    "vectorial",
]
