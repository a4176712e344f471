"""A model as operators: one per device, in a suitable precision."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch

from napari_blurgan.devices import fast_bfloat16
from napari_blurgan.errors import DataError
from napari_blurgan.models.draws import Draws, DrawsOperator
from napari_blurgan.models.model import Model
from napari_blurgan.reconstructors.reconstructor import Reconstructor
from napari_blurgan.reconstructors.variational import Variational
from napari_blurgan.tiling.operator import Normalized, Operator

__all__ = ["inference_precision", "model_operator"]

LAYOUT = {2: torch.channels_last, 3: torch.channels_last_3d}
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def inference_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the precision in which the network computes.

    Parameters
    ----------
    name : str
        ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 where the device has
        instructions for it. What is measured stays float32: the image, an estimate
        that the network refines, and their sum.
    device : torch.device
        Where it computes.

    Raises
    ------
    DataError
        If `name` is none of these.
    """
    if name == "auto":
        return torch.bfloat16 if fast_bfloat16(device) else torch.float32
    if name not in PRECISIONS:
        raise DataError(
            f"there is no precision {name!r}; expected auto, {' or '.join(PRECISIONS)}"
        )
    return PRECISIONS[name]


def model_operator(
    model: Model,
    device: torch.device,
    precision: str = "auto",
    draws: Draws | None = None,
) -> Operator:
    """Return a copy of the model as an operator from grey levels to grey levels.

    Parameters
    ----------
    model : Model
        Stays as it is.
    device : torch.device
        Where it computes.
    precision : str
        See `inference_precision`.
    draws : Draws, optional
        What is asked for, where its generator draws from a distribution.
    """
    # Restoring moves and rearranges weights: not those of the caller.
    own = copy.deepcopy(model)
    dtype = inference_precision(precision, device)
    own.generator.precision = dtype
    if dtype != torch.float32:
        # Convolutions of low precision are fastest with channels last.
        layout = LAYOUT[model.recipe.dims]
        own.generator.network.to(memory_format=layout)  # type: ignore[call-overload]

    def operator_of(generator: Reconstructor) -> Normalized:
        drawing = replace(own, generator=generator)
        return Normalized(drawing.operator(device), own.input, own.output)

    if draws is None:
        return operator_of(own.generator)
    assert isinstance(own.generator, Variational), "draws are checked"
    return DrawsOperator(own.generator, draws, operator_of)
