"""What a training has made so far: its PSF and its model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import PupilKernel
from napari_blurgan.transport.blur import known
from napari_blurgan.transport.engine import Engine
from napari_blurgan.transport.generator import Generator
from napari_blurgan.transport.model import Model
from napari_blurgan.transport.preparation import Prepared

__all__ = ["make_model", "present_psf"]


def present_psf(engine: Engine, prepared: Prepared) -> Psf | None:
    """Return the blur as it is now, in physical units; None without a blur.

    A free kernel may have negative values; what the PSF shows is its positive part.
    """
    kernel = engine.transport.kernel()
    if kernel is None:
        return None
    voxel_size = known(prepared.voxel_size, engine.recipe.dims) or (1.0, 1.0, 1.0)
    learned = engine.recipe.forward.learned
    origin: dict[str, Any] = {
        "model": "learned" if learned else "given",
        "step": engine.steps,
    }
    blur = engine.transport.blur
    if blur is not None and isinstance(blur.parametrisation, PupilKernel):
        origin["effective optics"] = blur.parametrisation.parameters_now()
    values = np.maximum(kernel.cpu().numpy(), 0)
    return Psf(values, voxel_size, origin)


def make_model(
    engine: Engine, prepared: Prepared, id: str, provenance: dict[str, Any]
) -> Model:
    """Return a model that no longer changes when training goes on."""
    return Model(
        recipe=engine.recipe,
        calibration=prepared.calibration,
        generator=_frozen(engine.generator),
        channels=prepared.channels,
        pool=prepared.geometry.pool,
        blur=_fixed(engine),
        psf=present_psf(engine, prepared),
        voxel_size=prepared.voxel_size,
        id=id,
        provenance=provenance | {"steps": engine.steps},
        colour=prepared.colour,
    )


def _frozen(generator: Generator) -> Generator:
    return copy.deepcopy(generator).cpu().eval().requires_grad_(False)


def _fixed(engine: Engine) -> BlurKernel | None:
    """Return the blur as it is now, where the generator refines estimates of it."""
    blur = engine.transport.blur
    if blur is None or not engine.generator.refines:
        return None
    values = blur.kernel().detach().cpu().numpy()
    return BlurKernel(FixedKernel(values), float(blur.gain), blur.dims)
