"""`restore` and `blurgan restore` with a model folder, as users call them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
import zarr

from napari_blurgan.cli import main
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, ModelFileError
from napari_blurgan.models.model import Model
from napari_blurgan.reading.images import read_stack
from napari_blurgan.reconstructors.plain import Plain
from napari_blurgan.restoration.events import Finished, Noted
from napari_blurgan.tasks.restore import restore
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.support.models import LEVELS, untrained


@pytest.fixture(scope="module")
def model() -> Model:
    return untrained()


@pytest.fixture(scope="module")
def folder(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "a.blurgan"
    model.save(path)
    return path


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(90, 300, (9, 30, 25)).astype("uint16")


def blurgan(
    *arguments: object, capsys: pytest.CaptureFixture[str] | None = None
) -> Any:
    """Run the command; return the exit code and what it printed."""
    code = main([str(a) for a in arguments])
    return code, capsys.readouterr()


def write(
    path: Path,
    array: np.ndarray,
    axes: str = "ZYX",
    voxel: tuple[float, ...] = (0.3, 0.1, 0.1),
) -> Any:
    write_ome_tiff(path, array, axes, voxel)
    return path


def test_a_model_an_image_a_result(model: Model, folder: Path) -> None:
    image = np.random.default_rng(0).integers(90, 300, (36, 40, 38)).astype("uint16")
    with torch.inference_mode():
        units = torch.from_numpy(LEVELS.apply(image))[None, None]
        direct = LEVELS.undo(model.generator(units))[0, 0].numpy()

    result = restore(folder, image, tile=(16, 20, 20), precision="float32")

    assert isinstance(result, np.ndarray)  # as went in
    assert (result.dtype, result.shape) == (np.float32, image.shape)
    # Away from the border the network alone sees the same.
    reach = model.generator.network.receptive_halo
    inside = tuple(slice(r, n - r) for r, n in zip(reach, image.shape, strict=True))
    assert direct[inside].size > 1000
    assert np.allclose(result[inside], direct[inside], rtol=1e-5, atol=1e-3)


def test_files_in_files_out(folder: Path, image: np.ndarray, tmp_path: Path) -> None:
    source = write(tmp_path / "in.ome.tif", image)
    events = []
    result = restore(
        folder, source, tmp_path / "out.zarr", tile=(4, 16, 16), progress=events.append
    )
    assert result.voxel_size == (0.3, 0.1, 0.1)
    provenance = result.metadata["provenance"]
    assert provenance["model"] == "0123456789ab"
    assert provenance["recipe"] == "supervised"
    assert provenance["source"] == "in"
    assert isinstance(events[-1], Finished)
    whole = restore(folder, source, tile=image.shape).data
    assert np.allclose(np.asarray(result.data), whole, rtol=1e-5, atol=1e-3)


def test_an_image_is_never_overwritten(
    folder: Path, image: np.ndarray, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.ome.tif", image)
    before = source.read_bytes()
    with pytest.raises(DataError, match="is the image itself"):
        restore(folder, source, source)
    assert source.read_bytes() == before


def test_other_voxels_are_noted(model: Model, image: np.ndarray) -> None:
    events = []
    stack = Stack(image, "ZYX", (0.3, 0.2, 0.101), name="cell")
    restore(model, stack, progress=events.append)
    notes = [e.message for e in events if isinstance(e, Noted)]
    assert sum("voxels" in note for note in notes) == 1
    assert "cell: its voxels are 0.2 µm long in y" in notes[0]


def test_instance_norm_is_blended(image: np.ndarray) -> None:
    model = untrained(generator__norm="instance")
    stack = Stack(np.tile(image, (1, 4, 4)), "ZYX")
    tiles: dict[str, Any] = {"tile": (9, 40, 40)}
    blended = restore(model, stack, **tiles).data
    assert np.array_equal(blended, restore(model, stack, blend=True, **tiles).data)
    assert not np.array_equal(blended, restore(model, stack, blend=False, **tiles).data)


def test_bfloat16_is_nearly_as_good_and_said(model: Model, image: np.ndarray) -> None:
    states = {name: t.clone() for name, t in model.generator.state_dict().items()}
    stack = Stack(image * 100, "ZYX")
    whole, low, tiled = (
        restore(model, stack, tile=tile, precision=precision)
        for tile, precision in [
            (image.shape, "float32"),
            (image.shape, "bfloat16"),
            ((4, 16, 16), "bfloat16"),
        ]
    )
    assert whole.metadata["provenance"]["precision"] == "float32"
    assert low.metadata["provenance"]["precision"] == "bfloat16"
    difference = np.abs(low.data - whole.data).max() / np.ptp(whole.data)
    assert 0 < difference < 0.02
    assert np.allclose(tiled.data, low.data, rtol=1e-5)
    # The caller's model is what it was.
    assert model.generator.precision == torch.float32
    now = model.generator.state_dict()
    assert all(torch.equal(now[name], value) for name, value in states.items())


def test_planes(image: np.ndarray) -> None:
    result = restore(untrained(dims=2), Stack(image, "TYX"))
    assert result.axes == "TYX"


def test_the_command_restores_one_image(
    folder: Path, image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.ome.tif", image)
    out = tmp_path / "out.ome.tif"
    code, printed = blurgan("restore", folder, source, "--out", out, capsys=capsys)
    assert code == 0
    assert printed.out == f"{out}: ZYX 9×30×25 float32\n"
    assert "plan: 1 tile of" in printed.err
    result = np.asarray(read_stack(out).data)
    assert np.allclose(result, restore(folder, image))


def test_the_command_restores_many_images(
    folder: Path, image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.ome.tif", image)
    zarr.create_array(tmp_path / "c.zarr", data=image)
    code, _ = blurgan(
        "restore",
        folder,
        tmp_path / "*.tif",
        tmp_path / "c.zarr",
        "--out",
        tmp_path / "out",
        "--tile",
        *(4, 16, 16),
        "--dtype",
        "source",
        capsys=capsys,
    )
    assert code == 0
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["a.ome.tif", "b.ome.tif", "c.zarr"]
    one, *others = (np.asarray(read_stack(tmp_path / "out" / n).data) for n in names)
    assert one.dtype == np.uint16
    assert all(np.array_equal(one, other) for other in others)


def test_one_bad_image_does_not_stop_the_others(
    folder: Path, image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.ome.tif", image)
    (tmp_path / "b.ome.tif").write_bytes(b"")
    write(tmp_path / "c.ome.tif", image)
    code, printed = blurgan(
        "restore", folder, tmp_path / "*.tif", "--out", tmp_path / "out", capsys=capsys
    )
    assert code == 2
    assert "b.ome.tif: the file is empty" in printed.err
    assert "1 of 3 images could not be restored" in printed.err
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["a.ome.tif", "c.ome.tif"]


def all_nan(path: Path) -> None:
    tifffile.imwrite(path, np.full((5, 20, 20), np.nan, "float32"))


def text(path: Path) -> None:
    path.write_text("a letter to the editor\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def one_row(path: Path) -> None:
    # A TIFF has at least two axes: the nearest thing to a 1D array is a zarr.
    zarr.create_array(path, data=np.arange(9, dtype="float32"))


def truncated(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((9, 30, 25), "uint16"), imagej=True)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def plane(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((30, 25), "uint16"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (empty, "the file is empty"),
        (text, "is not a TIFF file"),
        (truncated, "truncated or damaged"),
        (one_row, "1 axes without names"),
        (plane, "restores volumes"),
        (all_nan, "found nan at z = 0, y = 0, x = 0"),
    ],
)
@pytest.mark.parametrize("out", ["out.ome.tif", "out.zarr", "folder"])
def test_bad_images_are_refused_in_one_line(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[..., Any],
    message: str,
    out: str,
) -> None:
    make(tmp_path / "in.tif")
    before = sorted(tmp_path.iterdir())
    code, printed = blurgan(
        "restore", folder, tmp_path / "in.tif", "--out", tmp_path / out, capsys=capsys
    )
    assert code == 2
    assert printed.out == ""
    errors = [line for line in printed.err.splitlines() if line.startswith("blurgan: ")]
    assert len(errors) == 1
    assert message in errors[0]
    left = [p for p in tmp_path.rglob("*") if p not in before and p.is_file()]
    assert [p for p in left if "in.tif" not in p.parts] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tile", "4", "4"], "a tile of (4, 4) does not fit"),
        (["--tile", "0", "4", "4"], "--tile must be a whole number from 1"),
        (["--dtype", "int64"], "cannot be int64"),
        (["--channel", "3"], "no channel 3"),
        (["--time", "1"], "no T 1"),
        (["--device", "cuda:7"], "no device 'cuda:7'"),
        (["--axes", "TYX"], "restores volumes"),
        (["--precision", "int8"], "no precision 'int8'"),
        (["--resume"], "only a result in a .zarr can be resumed"),
        (["--scheduler", "tcp://127.0.0.1:9"], "no dask scheduler answers"),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    folder: Path,
    image: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setattr("napari_blurgan.restoration.cluster.CONNECT_SECONDS", 0.2)
    source = write(tmp_path / "in.ome.tif", image)
    out = tmp_path / "out.ome.tif"
    code, printed = blurgan(
        "restore", folder, source, "--out", out, *arguments, capsys=capsys
    )
    assert code == 2
    assert message in printed.err
    assert sorted(tmp_path.iterdir()) == [source]


def test_where_results_go_must_be_clear(
    folder: Path, image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "in.ome.tif", image)
    sources = [tmp_path / "a" / "in.ome.tif", tmp_path / "b" / "in.ome.tif"]
    for out, message in [("out", "would both become"), ("x.tif", "give a folder")]:
        code, printed = blurgan(
            "restore", folder, *sources, "--out", tmp_path / out, capsys=capsys
        )
        assert code == 2
        assert message in printed.err


def test_a_missing_model_is_said(
    image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.ome.tif", image)
    code, printed = blurgan(
        *("restore", tmp_path / "no.blurgan", source, "--out", tmp_path / "out"),
        capsys=capsys,
    )
    assert code == 2
    assert "no.blurgan" in printed.err
    with pytest.raises(ModelFileError):
        restore(tmp_path / "no.blurgan", image)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4)])
@pytest.mark.parametrize("value", [0, 65535])
def test_constant_and_tiny_stacks_are_restored(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    shape: tuple[int, int, int],
    value: int,
) -> None:
    source = write(tmp_path / "in.ome.tif", np.full(shape, value, "uint16"))
    out = tmp_path / "out.ome.tif"
    code, _ = blurgan("restore", folder, source, "--out", out, capsys=capsys)
    assert code == 0
    result = np.asarray(read_stack(out).data)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_clipped_voxels_are_reported(
    folder: Path, image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = image * 200
    source = write(tmp_path / "in.ome.tif", image)
    out = tmp_path / "out.ome.tif"
    arguments = ["restore", folder, source, "--out", out, "--dtype", "int8"]
    _, printed = blurgan(*arguments, capsys=capsys)
    expected = restore(folder, image)
    below, above = (expected < -128.5).sum(), (expected > 127.5).sum()
    assert below > 0
    assert f", {below} voxels clipped below and {above} above" in printed.out


def test_interrupted_work_says_how_to_go_on(
    folder: Path,
    image: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write(tmp_path / "in.ome.tif", image)
    arguments = ["restore", folder, source, "--out", tmp_path / "out.zarr"]
    tiles = ["--tile", 4, 16, 16]
    calls = []
    original = Plain.forward

    def impatient(self: Plain, *given: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, *given)

    monkeypatch.setattr(Plain, "forward", impatient)
    code, printed = blurgan(*arguments, *tiles, capsys=capsys)
    assert code == 130
    assert "continue with --resume" in printed.err
    assert not (tmp_path / "out.zarr").exists()

    monkeypatch.setattr(Plain, "forward", original)
    code, _ = blurgan(*arguments, "--resume", capsys=capsys)
    assert code == 0
    result = np.asarray(read_stack(tmp_path / "out.zarr").data)
    assert np.allclose(result, restore(folder, image), rtol=1e-5, atol=1e-3)


def test_help_needs_no_torch() -> None:
    script = (
        "import sys; from napari_blurgan.cli import build_parser; "
        "build_parser('restore'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
