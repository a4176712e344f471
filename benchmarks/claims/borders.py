"""What tiles and borders cost: two tables of docs/restore.md.

python -m benchmarks.claims.borders --seams           # tiles against the whole
python -m benchmarks.claims.borders --margin MODEL    # what reflection is worth
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.helpers.presets import preset_operator
from benchmarks.helpers.tables import write_table
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.models.inference import model_operator
from napari_blurgan.models.model import load_model
from napari_blurgan.models.network_operator import NetworkOperator as ModelOperator
from napari_blurgan.restoration.predict import apply
from napari_blurgan.tasks.samples import sample
from napari_blurgan.tiling.operator import Operator


def seams() -> None:
    """Print by how much tiles differ from the whole, for the generators of presets."""
    names: dict[str, list[str]] = {}
    for name in PRESETS:
        recipe = preset(name)
        names.setdefault(f"{recipe.dims} {recipe.reconstructor}", []).append(name)
    rows = []
    for alike in names.values():
        operator = preset_operator(alike[0])
        settings = preset(alike[0]).reconstructor
        iterations = settings.estimate_iterations
        norm = settings.norm + (f", {iterations} iterations" if iterations else "")
        halo = "×".join(map(str, operator.halo))
        rows.append((", ".join(alike), norm, halo, *differences(operator)))
        print(rows[-1], flush=True)
    header = "| presets | norm | halo | tiles | tiles, blended |"
    write_table("restore.md", "seams", header, rows)


def differences(operator: ModelOperator) -> Iterator[str]:
    """Yield the largest difference of any tile from the whole, then if blended."""
    flat = len(operator.stride) == 2
    shape = (256, 256) if flat else (24, 112, 112)
    tiles = [(96, 96), (40, 256)] if flat else [(24, 40, 40), (8, 32, 112)]
    image = np.random.default_rng(0).random(shape, np.float32)
    image[..., shape[-1] // 2 :] *= 0.1
    whole = restored_array(operator, image, shape, False)
    for blend in (False, True):
        errors = [restored_array(operator, image, t, blend) - whole for t in tiles]
        yield f"{np.abs(errors).max() / np.abs(whole).max():.1e}"


def restored_array(
    operator: Operator, image: NDArray[np.float32], tile: Sequence[int], blend: bool
) -> NDArray[np.float32]:
    """Return the result of one tile size."""
    data = list(apply(operator, image, tile=tile, blend=blend))[-1].result.data
    return np.asarray(data)


def margins(model: str) -> None:
    """Print how wrong a cropped stack's border comes out, against the whole stack's."""
    stack = sample("dna")
    operator = model_operator(load_model(Path(model)), torch.device("cpu"), "float32")
    options = {"channel": 1}  # the widefield image
    whole = _array(list(apply(operator, stack, **options))[-1].result.data)
    crop = (..., slice(20, -20), slice(20, -20))
    cropped = stack.with_data(np.asarray(stack.data)[crop])
    rows = []
    for margin in (0, 4, 8, 16):
        events = apply(operator, cropped, margin=[margin] * 3, **options)
        wrong = _array(list(events)[-1].result.data) - whole[crop]
        shells = (_shell(wrong, *edges) for edges in ((0, 4), (4, 8), (8, 16)))
        figures = (f"{np.sqrt(np.mean(s**2)) / whole.std():.4f}" for s in shells)
        rows.append((margin, *figures))
    header = "| voxels of reflection | 0 to 4 from the border | 4 to 8 | 8 to 16 |"
    write_table("restore.md", "border", header, rows)


def _array(data: object) -> NDArray[np.float64]:
    return np.asarray(data, np.float64)


def _shell(image: NDArray[np.float64], near: int, far: int) -> NDArray[np.float64]:
    """Return the voxels from `near` to `far` away from the border, in y and x."""
    y, x = np.indices(image.shape[-2:])
    rows, columns = image.shape[-2:]
    distance = np.minimum.reduce([y, x, rows - 1 - y, columns - 1 - x])
    return image[..., (distance >= near) & (distance < far)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seams", action="store_true", help="tiles against the whole")
    parser.add_argument("--margin", metavar="MODEL", help="what reflection is worth")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.seams:
        seams()
    if options.margin:
        margins(options.margin)


if __name__ == "__main__":
    main()
