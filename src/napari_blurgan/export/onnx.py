"""A model as one ONNX file, for programs without PyTorch."""

from __future__ import annotations

import importlib.util
import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import torch

from napari_blurgan.errors import DataError
from napari_blurgan.export.module import module_of
from napari_blurgan.models.model import Model
from napari_blurgan.writing.atomic import replacing

__all__ = ["write_onnx"]

OPSET = 18
EXAMPLE = {"z": 20, "y": 36, "x": 44}


def write_onnx(model: Model, path: Path) -> None:
    """Write an ONNX file: ``raw`` in, ``restored`` out, grey levels, any size.

    Parameters
    ----------
    model : Model
        One whose network refines no estimate.
    path : Path
        The file.

    Raises
    ------
    DataError
        If the network refines an estimate, if what the export needs is not installed,
        or the file cannot be written.
    """
    if model.blur is not None:
        raise DataError(
            f"{model.recipe.name} refines a Richardson-Lucy estimate, whose Fourier "
            "transforms ONNX runs too slowly to be of use; export it --to bioimageio"
        )
    missing = [n for n in ("onnx", "onnxscript") if importlib.util.find_spec(n) is None]
    if missing:
        raise DataError(
            f"ONNX needs {' and '.join(missing)}: pip install 'napari-blurgan[export]'"
        )
    axes = "zyx"[-model.recipe.dims :]
    example = torch.zeros(1, model.channels[0], *(EXAMPLE[a] for a in axes))
    sizes = {i + 2: torch.export.Dim(axis, min=8) for i, axis in enumerate(axes)}
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()):  # it prints its progress
            torch.onnx.export(
                module_of(model),
                (example,),
                str(temporary),
                input_names=["raw"],
                output_names=["restored"],
                dynamic_shapes=({0: torch.export.Dim("batch"), **sizes},),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
