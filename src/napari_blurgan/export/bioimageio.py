"""A model as a bioimage.io package (model description 0.5), in one zip.

https://github.com/bioimage-io/spec-bioimage-io describes the content. It is written
with PyTorch, numpy and YAML; nothing else is needed.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from napari_blurgan.errors import DataError
from napari_blurgan.export.module import scripted, torchscript
from napari_blurgan.methods.references import references_of
from napari_blurgan.models.model import Model
from napari_blurgan.writing.atomic import replacing

__all__ = ["Description", "write_package"]

FORMAT = "0.5.4"
SHORTEST = 5
"""Smallest number of characters that the format allows in a name."""
SIZES = {"z": 13, "y": 41, "x": 38}
"""Size of the test image: no axis is a multiple of a stride."""
LEAST = 8
"""Shortest axis in voxels for which reflection is useful."""


@dataclass(frozen=True)
class Description:
    """Metadata of a package that only the user can provide.

    Parameters
    ----------
    name : str
        Of the model, for people.
    authors : sequence of str
        Who trained it.
    text : str
        What it is for, in a sentence or more.
    licence : str or None
        Its SPDX identifier.
    """

    name: str
    authors: Sequence[str] = ("not named",)
    text: str = ""
    licence: str | None = None


def write_package(model: Model, path: Path, described: Description) -> None:
    """Write a zip that other programs can run, completely or not at all.

    Parameters
    ----------
    model : Model
        What is exported, in float32.
    path : Path
        The zip.
    described : Description
        What is said of it.

    Raises
    ------
    DataError
        If what the package calculates is not what `restore` does, or the zip cannot be
        written.
    """
    module = scripted(model)
    image = _test_image(model)
    restored, apart = _checked(model, module, image)
    files = {
        "weights.pt": _saved(module),
        "test_input.npy": _npy(image),
        "test_output.npy": _npy(restored),
        "README.md": _readme(model, described, apart).encode(),
    }
    rdf = _rdf(model, described, files)
    files["rdf.yaml"] = yaml.safe_dump(
        rdf, sort_keys=False, allow_unicode=True
    ).encode()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _test_image(model: Model) -> NDArray[np.float32]:
    """Return blobs with noise in the grey levels of the training, (n, c, [z,] y, x)."""
    rng = np.random.default_rng(0)
    axes = "zyx"[-model.recipe.dims :]
    shape = (1, model.channels[0], *(SIZES[a] for a in axes))
    blobs = np.zeros(shape)
    blobs[rng.random(shape) > 0.99] = 1.0
    for axis in range(2, len(shape)):
        blobs = (np.roll(blobs, 1, axis) + 2 * blobs + np.roll(blobs, -1, axis)) / 4
    light = rng.poisson(1000 * blobs / max(float(blobs.max()), 1e-9)) / 1000
    level = model.input
    return (level.offset + level.scale * light).astype(np.float32)


def _checked(
    model: Model, module: Any, image: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """Return what `restore` makes of an image, and how closely the module agrees."""
    from napari_blurgan.export.comparison import difference, restored_by

    wanted = restored_by(model, image)
    with torch.inference_mode():
        found = module(torch.from_numpy(image)).numpy()
    apart = difference(found, wanted)
    if apart > 1e-4:
        raise DataError(
            f"the results of the exported network differ by {apart:.2g} from "
            "those of this program; nothing was written; please report this"
        )
    return wanted, apart


def _saved(module: Any) -> bytes:
    buffer = io.BytesIO()
    with torchscript():
        torch.jit.save(module, buffer)
    return buffer.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _rdf(
    model: Model, described: Description, files: Mapping[str, bytes]
) -> dict[str, Any]:
    """Return the description required by the format."""
    sha = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    rdf = {
        "type": "model",
        "format_version": FORMAT,
        "name": _accepted(described.name),
        "description": described.text or model.recipe.name,
        "authors": [{"name": name} for name in described.authors],
        "cite": _cited(model),
        "tags": ["restoration", "deconvolution", "napari-blurgan", model.recipe.name],
        "documentation": "README.md",
        "inputs": [_tensor(model, "raw", sha)],
        "outputs": [_tensor(model, "restored", sha)],
        "weights": {
            "torchscript": {
                "source": "weights.pt",
                "sha256": sha["weights.pt"],
                "pytorch_version": torch.__version__.partition("+")[0],
            }
        },
        "config": {"napari_blurgan": {"model": model.id, "recipe": model.recipe.name}},
    }
    if described.licence is not None:
        rdf["license"] = described.licence
    return rdf


def _accepted(name: str) -> str:
    """Return a name allowed by the format: 5 to 128 plain characters."""
    plain = re.sub(r"[^\w ()+.-]", " ", name, flags=re.ASCII).strip()[:110]
    return plain if len(plain) >= SHORTEST else f"{plain} restoration".strip()


def _cited(model: Model) -> list[dict[str, str]]:
    return [
        {key: value for key, value in reference.items() if value is not None}
        for reference in references_of(model.recipe)
    ]


def _tensor(model: Model, name: str, sha: Mapping[str, str]) -> dict[str, Any]:
    result = name == "restored"
    file = "test_output.npy" if result else "test_input.npy"
    channels = [f"channel{i}" for i in range(model.channels[result])]
    axes: list[dict[str, Any]] = [
        {"type": "batch"},
        {"type": "channel", "channel_names": channels},
    ]
    for axis, size in zip("zyx", model.voxel_size, strict=True):
        if axis in "zyx"[-model.recipe.dims :]:
            axes.append(_axis(axis, size, result))
    return {
        "id": name,
        "description": "restored image" if result else "measured image, in grey levels",
        "axes": axes,
        "test_tensor": {"source": file, "sha256": sha[file]},
        "data": {"type": "float32"},
    }


def _axis(name: str, voxel: float | None, result: bool) -> dict[str, Any]:
    any_size = {"min": LEAST, "step": 1}
    same = {"tensor_id": "raw", "axis_id": name}
    axis: dict[str, Any] = {"type": "space", "id": name}
    axis["size"] = same if result else any_size
    if voxel is not None:
        axis |= {"scale": voxel, "unit": "micrometer"}
    return axis


def _readme(model: Model, described: Description, apart: float) -> str:
    voxel = " × ".join("?" if v is None else f"{v:.4g}" for v in model.voxel_size)
    cited = "\n".join(
        f"- {r['text']}. {('doi:' + r['doi']) if r['doi'] else r['url']}"
        for r in references_of(model.recipe)
    )
    return f"""# {described.name}

{described.text or "A restoration network trained with napari-blurgan."}

Recipe `{model.recipe.name}`, model {model.id}. It was trained on voxels of {voxel} µm
(z, y, x).

Grey levels in, grey levels out: normalisation, the reflected border and, where the
network refines one, the Richardson–Lucy estimate are part of the weights. Axes are
batch, channel, {"z, " if model.recipe.dims == 3 else ""}y, x, float32, of any size.

It is meant for images like the training images: same microscope, stain, exposure.

## Validation

On the test image of this package, these weights and `blurgan restore` differ by at most
{apart:.1g} of the largest value. Whether a result is right can only be seen on your own
images: compare it with a sharper image of the same field before you rely on it.

## Please cite

{cited}
"""
