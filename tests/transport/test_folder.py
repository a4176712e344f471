"""Full disks and models of other times: a clear error, and nothing lost."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import ModelFileError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models import model as model_module
from napari_blurgan.models.model import load_model
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training.trainer import Trainer


@pytest.fixture
def folder(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
    tmp_path: Path,
) -> Path:
    out = tmp_path / "a.blurgan"
    list(Trainer(tiny("nonblind"), measured, unpaired, out, psf=psf, steps=2))
    return out


def test_a_full_disk_leaves_the_last_checkpoint(folder: Path, tmp_path: Path) -> None:
    """The limit on the size of a file stands for a full disk."""
    limited = tmp_path / "limited.py"
    limited.write_text(
        f"""
import resource, signal, sys
from napari_blurgan.models.model import load_model
from napari_blurgan.errors import BlurGANError
model = load_model({str(folder)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))
try:
    model.save({str(folder)!r}, overwrite=True)
except BlurGANError as error:
    print(error)
"""
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, str(limited)], check=True, capture_output=True, text=True
    )
    assert "cannot be written" in done.stdout
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert load_model(folder).provenance["steps"] == 2


def test_a_model_of_another_version_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "FORMAT", 99)
    with pytest.raises(ModelFileError, match="is of format 1, this program reads"):
        load_model(folder)


@pytest.mark.parametrize("name", ["weights.safetensors"])
def test_damaged_weights_are_refused(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="checksum"):
        load_model(folder)


def test_no_file_of_a_model_is_a_pickle(folder: Path) -> None:
    for path in folder.iterdir():
        assert path.suffix in {
            *(".safetensors", ".yaml", ".json", ".csv", ".tif", ".png", ".md")
        }
        assert not path.read_bytes().startswith((b"\x80", b"PK"))
    json.loads((folder / "model.json").read_text())
