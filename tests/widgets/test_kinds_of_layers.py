"""Every kind of image layer is restored in its place, or refused in plain words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_blurgan.errors import BlurGANError
from napari_blurgan.tasks.restore_request import RestoreRequest
from napari_blurgan.widgets._layers import result_layer, to_stack

PLACE = {"scale": (0.3, 0.1, 0.1), "units": ("um",) * 3, "translate": (1, 2, 3)}
LOOK = {"contrast_limits": (0, 100), "colormap": "magenta"}


def volume() -> Any:
    return np.random.default_rng(0).random((12, 24, 24)).astype(np.float32)


def framed(axis: Any, unit: Any) -> Any:
    return {
        "scale": (2, *PLACE["scale"]),
        "units": (unit, *PLACE["units"]),
        "translate": (5, *PLACE["translate"]),
        "axis_labels": (axis, "z", "y", "x"),
    }


LAYERS = {
    "lazy": lambda v: Image(da.from_array(v, chunks=(4, 8, 8)), **PLACE, **LOOK),
    "pyramid": lambda v: Image([v, v[:, ::2, ::2]], multiscale=True, **PLACE, **LOOK),
    "movie": lambda v: Image(np.stack([v, v]), **framed("t", "s"), **LOOK),
    "channels": lambda v: Image(np.stack([v, v]), **framed("c", "pixel"), **LOOK),
    "8 bit": lambda v: Image((255 * v).astype(np.uint8), **PLACE, **LOOK),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
def test_it_is_restored_in_its_place(
    make: Callable[..., Any], model_folder: Path
) -> None:
    source = make(volume())
    stack = to_stack(source)
    result = RestoreRequest(model_folder, stack, device="cpu").run(lambda event: None)
    pixels, attributes, _ = result_layer(source, result, "restored", stack.axes)
    layer = ViewerModel().add_image(pixels, **attributes)
    assert layer.data.shape == stack.data.shape
    np.testing.assert_allclose(layer.extent.world, source.extent.world)
    assert (layer.units, layer.axis_labels) == (source.units, source.axis_labels)
    assert layer.colormap.name == "magenta"


def test_what_does_not_fit_the_model_is_refused_in_words(model_folder: Path) -> None:
    plane = to_stack(Image(volume()[0], scale=(0.1, 0.1), name="a plane"))
    with pytest.raises(BlurGANError, match=r"Z|plane|axes"):
        RestoreRequest(model_folder, plane, device="cpu").run(lambda event: None)
