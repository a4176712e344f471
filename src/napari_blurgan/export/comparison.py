"""Agreement of an exported model with `restore`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.models.inference import model_operator
from napari_blurgan.models.model import Model
from napari_blurgan.restoration.events import Finished
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import make_sink

__all__ = ["difference", "restored_by"]


def restored_by(model: Model, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the result of `restore` for (1, c, [z,] y, x) on the CPU, in float32."""
    axes = "C" + "ZYX"[-model.recipe.dims :]
    stack = Stack(image[0], axes)
    operator = model_operator(model, torch.device("cpu"), "float32")
    for event in apply([operator], stack, make_sink(None, False)):
        if isinstance(event, Finished):
            result = np.asarray(event.result, dtype=np.float32)
    return result.reshape(1, model.channels[1], *image.shape[2:])


def difference(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest difference relative to the largest value."""
    largest = float(np.abs(wanted).max())
    return float(np.abs(found - wanted).max()) / max(largest, 1e-30)
