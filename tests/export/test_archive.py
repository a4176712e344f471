"""Packages of strangers: their code is read before anything of it runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_blurgan.errors import ModelFileError
from napari_blurgan.export.archive import refuse_side_effects
from napari_blurgan.export.bioimageio import Description, write_package
from napari_blurgan.export.foreign import open_package
from napari_blurgan.export.module import torchscript
from tests.export.conftest import trained
from tests.export.test_bioimageio import CPU, altered

Change = Callable[[dict[str, Any]], None]


class Saves(nn.Module):
    """Overwrites a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, self.path)
        return x


class Maps(nn.Module):
    """Makes a file, or changes one."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.from_file(self.path, shared=True, size=4).sum()


class Harmless(nn.Module):
    """Calculates; the name of what it keeps is that of a method elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.load = 2.0

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.irfft(torch.fft.rfft(x)) * self.load


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "model.zip"
    write_package(trained("noise2self"), path, Description("a test", ("A. Person",)))
    return path


def archive(module: nn.Module) -> bytes:
    buffer = io.BytesIO()
    with torchscript():
        torch.jit.save(torch.jit.script(module), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [Saves, Maps])
def test_code_that_touches_files_is_refused_before_it_runs(
    kind: Callable[[str], nn.Module], package: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.bin"
    kept.write_bytes(b"weeks of work")
    odd = archive(kind(str(kept)))
    path = altered(package, tmp_path, lambda rdf: None, torchscript=odd)
    with pytest.raises(ModelFileError, match="may do more than compute"):
        open_package(path, CPU)
    assert kept.read_bytes() == b"weeks of work"


def test_code_that_calculates_is_taken() -> None:
    refuse_side_effects(archive(Harmless()))


@pytest.mark.parametrize(
    "text",
    [
        "x = torch \\\n . save(y)",
        "ops.c10d.send(x)",
        "ops . inductor.f(x)",
        "a : __torch__.torch.classes.dist_c10d.FileStore",
    ],
)
def test_other_ways_to_write_it_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a/code/__torch__.py", text)
    with pytest.raises(ModelFileError, match="may do more than compute"):
        refuse_side_effects(path.read_bytes())


@pytest.mark.parametrize("content", [b"", b"PTMF", b"\x80\x02}q\x00."])
def test_what_holds_no_plain_code_is_refused(content: bytes) -> None:
    with pytest.raises(ModelFileError, match="TorchScript"):
        refuse_side_effects(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda rdf: rdf.update(inputs="x"),
        lambda rdf: rdf.update(weights=[1]),
        lambda rdf: rdf["inputs"][0].update(axes=[1, 2]),
        lambda rdf: rdf["inputs"][0]["axes"][-1].update(size="large"),
        lambda rdf: rdf["outputs"][0]["axes"][-1].update(halo={}, size={"step": "x"}),
        lambda rdf: rdf["weights"]["torchscript"].update(source="../elsewhere.pt"),
    ],
)
def test_odd_descriptions_are_refused_in_a_line(
    change: Change, package: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_package(altered(package, tmp_path, change), CPU)
    assert "\n" not in str(caught.value)
