"""The current PSF and model of a training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from napari_blurgan.axes import known
from napari_blurgan.methods.parts import KERNEL, LEARNED_KERNEL
from napari_blurgan.models.model import Model
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.psf import VOXELS, Psf
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.optimisation.prepared import Prepared
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["current_psf", "make_model"]


def current_psf(engine: Engine, prepared: Prepared) -> Psf | None:
    """Return the current blur in physical units; None without a blur.

    Where the size of a voxel is unknown, it is one, and the provenance says so. A free
    kernel may have negative values; the PSF is its positive part.
    """
    kernel = engine.transport.kernel()
    if kernel is None:
        return None
    recipe = engine.recipe
    learned = LEARNED_KERNEL in recipe.offers
    origin: dict[str, Any] = {
        "model": "learned" if learned else "given",
        "step": engine.steps,
    }
    optics = engine.transport.forward_model.blur.parametrisation.findings
    if optics:
        origin["effective optics"] = optics
    values = np.maximum(kernel.cpu().numpy(), 0)
    voxel_size = known(prepared.site.voxel_size, recipe.dims)
    if voxel_size is None:
        origin["unit"] = VOXELS
    return Psf(values, voxel_size or (1.0, 1.0, 1.0), origin)


def make_model(
    engine: Engine, prepared: Prepared, id: str, provenance: dict[str, Any]
) -> Model:
    """Return a copy of the model that does not change when training continues."""
    return Model(
        recipe=engine.recipe,
        calibration=prepared.site.calibration,
        generator=_frozen(engine.generator),
        channels=prepared.site.channels,
        pool=prepared.site.geometry.pool,
        blur=_fixed(engine),
        psf=current_psf(engine, prepared),
        voxel_size=prepared.site.voxel_size,
        id=id,
        provenance=provenance | {"steps": engine.steps},
        colour=prepared.domains.colour,
    )


def _frozen(generator: Reconstructor) -> Reconstructor:
    return copy.deepcopy(generator).cpu().eval().requires_grad_(False)


def _fixed(engine: Engine) -> BlurKernel | None:
    """Return the current blur, if there is one and the generator restores with it."""
    recipe = engine.recipe
    if KERNEL not in recipe.offers or not recipe.reconstructor.keeps_blur:
        return None
    return engine.transport.forward_model.blur.frozen()
