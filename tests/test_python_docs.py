"""docs/python.md: every line of its table does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import torch
from napari.layers import Image

import napari_blurgan
from napari_blurgan import Psf, errors, preset, train
from napari_blurgan.writing.ome_tiff import write_ome_tiff

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
ROW = re.compile(r"^\| `(.+?)` \| (raises )?`(.+?)` \|", re.M)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))
TINY = {
    "reconstructor.base": 2,
    "discriminator.base": 4,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
    "steps": 1,
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page says there is."""
    rng = np.random.default_rng(0)
    image = rng.poisson(60, (18, 24, 24)).astype(np.float32)
    folder = tmp_path_factory.mktemp("page")
    path = folder / "cell.ome.tif"
    write_ome_tiff(path, image, "ZYX", (0.3, 0.1, 0.1))
    z, y, x = np.mgrid[-2:3, -3:4, -3:4]
    kernel = np.exp(-(z**2 + y**2 + x**2) / 2).astype(np.float32)
    recipe = preset("supervised").updated(TINY)
    offered = {name: getattr(napari_blurgan, name) for name in napari_blurgan.__all__}
    layer = Image(image, scale=(0.3, 0.1, 0.1), units=("µm",) * 3, name="cell")
    return offered | {
        "np": np,
        "torch": torch,
        "dask": dask.array,
        "tensor": torch.from_numpy(image),
        "lazy": dask.array.from_array(image),
        "layer": layer,
        "folder": folder,
        "image": image,
        "kernel": kernel,
        "psf": Psf(kernel, (0.3, 0.1, 0.1)),
        "movie": np.stack([image, image]),
        "picture": np.moveaxis(image[:3], 0, -1).copy(),
        "path": path,
        "recipe": recipe,
        "model": train(recipe, image, image[::-1].copy(), device="cpu"),
    }


def test_every_line_of_the_table_is_found() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(ROWS) == sum(line.startswith("| `") for line in lines) > 25


@pytest.mark.parametrize(("call", "fails", "then"), ROWS, ids=[row[0] for row in ROWS])
def test_the_call_gives_what_the_page_says(
    call: str,
    fails: str,
    then: str,
    names: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(names["folder"])
    if fails:
        with pytest.raises(getattr(errors, then)):
            eval(call, names)
        return
    it = eval(call, names)
    assert eval(then, names | {"it": it})
