"""Two processes take the steps of one with the doubled batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model
from napari_blurgan.optics.psf import Psf
from napari_blurgan.writing.ome_tiff import write_ome_tiff

TORCHRUN = (
    *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
    *("--nproc-per-node", "2", "-m", "napari_blurgan"),
)


def test_two_processes_equal_one_with_the_doubled_batch(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_ome_tiff(tmp_path / "y.tif", measured[0].data, "ZYX", measured[0].voxel_size)
    write_ome_tiff(tmp_path / "x.tif", unpaired[0].data, "ZYX", unpaired[0].voxel_size)
    psf.save(tmp_path / "psf.ome.tif")
    histories = []
    for processes, batch in ((1, 2), (2, 1)):
        recipe = tiny("nonblind", sampling__batch=batch)
        (tmp_path / "r.yaml").write_text(recipe.to_yaml())
        out = tmp_path / f"{processes}.blurgan"
        command = [
            *("train", "r.yaml", "--psf", "psf.ome.tif", "--blurred", "y.tif"),
            *("--sharp", "x.tif", "--out", str(out), "--steps", "5", "--device", "cpu"),
        ]
        if processes == 1:
            assert main(command) == 0
        else:
            subprocess.run([*TORCHRUN, *command], check=True, capture_output=True)
        histories.append(load_model(out).history)
    one, two = ([list(row.values()) for row in history] for history in histories)
    assert len(one) == 5
    np.testing.assert_allclose(two, one, rtol=1e-4)
