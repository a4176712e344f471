"""Exported models do what `restore` does, on images they have never seen."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from napari_blurgan import Model, preset, restore, train
from napari_blurgan.cli import main
from napari_blurgan.errors import DataError, ModelFileError
from napari_blurgan.export.bioimageio import Description, _accepted, write_package
from napari_blurgan.export.foreign import open_package
from napari_blurgan.export.module import scripted
from tests.export.conftest import TINY, shaken
from tests.support.noise import noise

SHAPES = [(18, 24, 24), (9, 13, 21), (20, 37, 30)]
"""That of the training, one smaller and odd, one larger."""
CPU = torch.device("cpu")


def image_for(model: Model, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return noise(shape[-model.recipe.dims :], seed)


def wanted(model: Model, image: np.ndarray) -> np.ndarray:
    return np.asarray(restore(model, image, device="cpu", precision="float32"))


@pytest.fixture(scope="module")
def package(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "model.zip"
    write_package(model, path, Description("a test", ("A. Person",), licence="MIT"))
    return path


@pytest.fixture(scope="module")
def compiled(model: Model) -> Any:
    return scripted(model)


def apart(found: np.ndarray, right: np.ndarray) -> float:
    """Return the RMS of the difference over that of the image."""
    return float(np.linalg.norm(found - right) / np.linalg.norm(right))


@pytest.mark.parametrize(("seed", "shape"), list(enumerate(SHAPES)))
def test_the_module_restores_other_images_borders_included(
    model: Model, compiled: Any, seed: int, shape: tuple[int, ...]
) -> None:
    image = image_for(model, shape, seed)
    right = wanted(model, image)
    found = compiled(torch.from_numpy(image)[None, None])[0, 0].numpy()
    assert right.std() > 1e-3
    assert apart(found, right) < 1e-5
    assert np.abs(found - right).max() < 1e-5 * np.abs(right).max()


def test_the_module_adds_its_input_where_a_network_changes_it() -> None:
    recipe = preset("noise2self").updated(TINY | {"reconstructor.residual": True})
    model = shaken(train(recipe, noise(SHAPES[0]), device="cpu"), 0.2)
    image = image_for(model, SHAPES[1], 9)
    found = scripted(model)(torch.from_numpy(image)[None, None])[0, 0].numpy()
    assert apart(found, wanted(model, image)) < 1e-5
    assert apart(found, image) > 1e-3


def test_the_estimate_is_not_that_of_another_image(compiled: Any, model: Model) -> None:
    one, two = (image_for(model, SHAPES[0], seed) for seed in (7, 8))
    results = [compiled(torch.from_numpy(i)[None, None]).numpy() for i in (one, two)]
    assert apart(results[0], results[1]) > 1e-4


def contents(package: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return yaml.safe_load(files["rdf.yaml"]), files


def test_a_package_describes_itself(package: Path, model: Model) -> None:
    rdf, files = contents(package)
    assert rdf["authors"] == [{"name": "A. Person"}]
    assert rdf["license"] == "MIT"
    assert b"## Validation" in files["README.md"]
    assert all("doi" in entry or "url" in entry for entry in rdf["cite"])
    for tensor in (*rdf["inputs"], *rdf["outputs"]):
        source = tensor["test_tensor"]
        assert hashlib.sha256(files[source["source"]]).hexdigest() == source["sha256"]
    arrays = [np.load(io.BytesIO(files[f"test_{n}.npy"])) for n in ("input", "output")]
    assert arrays[0].shape[2:] == arrays[1].shape[2:]
    assert len(rdf["inputs"][0]["axes"]) == model.recipe.dims + 2


@pytest.mark.parametrize("name", ["utom", "", "Zellkörper/α", "x" * 300])
def test_any_name_becomes_one_that_the_format_takes(name: str) -> None:
    assert re.fullmatch(r"[\w ()+.-]{5,128}", _accepted(name), re.ASCII)


def test_a_package_is_restored_with_like_a_model(package: Path, model: Model) -> None:
    image = image_for(model, SHAPES[1], 3)
    found = restore(package, image, device="cpu")
    assert apart(np.asarray(found), wanted(model, image)) < 1e-5


def test_a_package_takes_no_psf(package: Path, model: Model) -> None:
    image = image_for(model, SHAPES[1], 0)
    with pytest.raises(DataError, match="takes no psf"):
        restore(package, image, psf="psf.tif")


def altered(package: Path, folder: Path, change: Any, **content: bytes) -> Path:
    rdf, files = contents(package)
    change(rdf)
    for kind, weights in content.items():
        files[rdf["weights"][kind]["source"]] = weights
        rdf["weights"][kind].pop("sha256", None)
    files["rdf.yaml"] = yaml.safe_dump(rdf).encode()
    path = folder / "altered.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, kept in files.items():
            archive.writestr(name, kept)
    return path


def fixed_size(rdf: dict[str, Any]) -> None:
    rdf["inputs"][0]["axes"][-1]["size"] = 256


def other_weights(rdf: dict[str, Any]) -> None:
    rdf["weights"] = {"keras_hdf5": rdf["weights"]["torchscript"]}


def whole_image(rdf: dict[str, Any]) -> None:
    rdf["inputs"][0]["preprocessing"] = [{"id": "scale_range", "kwargs": {}}]


def two_inputs(rdf: dict[str, Any]) -> None:
    rdf["inputs"] *= 2


def older(rdf: dict[str, Any]) -> None:
    rdf["format_version"] = "0.4.10"


def wrong_sum(rdf: dict[str, Any]) -> None:
    rdf["weights"]["torchscript"]["sha256"] = "0" * 64


def channels_last(rdf: dict[str, Any]) -> None:
    axes = rdf["inputs"][0]["axes"]
    axes.append(axes.pop(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (fixed_size, "images of 256 voxels along x only"),
        (other_weights, "weights are keras_hdf5, expected torchscript"),
        (whole_image, "scale_range needs the whole image"),
        (two_inputs, "2 inputs"),
        (older, "format is '0.4.10'"),
        (wrong_sum, "checksum of its weights is wrong"),
        (channels_last, "its axes are"),
    ],
)
def test_packages_that_do_not_fit_are_refused_with_the_reason(
    change: Any, message: str, package: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match=message):
        open_package(altered(package, tmp_path, change), CPU)


def test_fixed_steps_before_and_after_are_done(package: Path, tmp_path: Path) -> None:
    def scaled(rdf: dict[str, Any]) -> None:
        gain = {"id": "scale_linear", "kwargs": {"gain": 2.0, "offset": 1.0}}
        mean = {
            "id": "fixed_zero_mean_unit_variance",
            "kwargs": {"mean": 1.0, "std": 2},
        }
        rdf["inputs"][0]["preprocessing"] = [gain]
        rdf["outputs"][0]["postprocessing"] = [mean]

    plain = open_package(package, CPU)
    stepped = open_package(altered(package, tmp_path, scaled), CPU)
    image = torch.from_numpy(noise((1, 1, 16, 16, 16)[: 2 + len(plain.stride)]))
    expected = (plain(2 * image + 1) - 1) / 2
    torch.testing.assert_close(stepped(image), expected)


@pytest.mark.parametrize("content", [b"", b"PK nonsense"])
def test_what_is_no_package_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is not a readable"):
        restore(path, noise((9, 9, 9)))


def test_the_command_exports(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "m.blurgan", tmp_path / "m.zip"
    model.save(folder)
    line = ["export", str(folder), "--to", "bioimageio", "--out", str(out)]
    assert main([*line, "--author", "A", "--author", "B"]) == 0
    assert "MB" in capsys.readouterr().out
    assert [a["name"] for a in contents(out)[0]["authors"]] == ["A", "B"]
    assert main(line) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*line[:-1], str(tmp_path / "m.onnx")]) == 2
    assert "is written as .zip" in capsys.readouterr().err
    if model.blur is not None:
        onnx = [*line[:3], "onnx", "--out", str(tmp_path / "m.onnx")]
        assert main(onnx) == 2
        assert "export it --to bioimageio" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_group_can_read_the_weights(model: Model, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        model.save(tmp_path / "m.blurgan")
    finally:
        os.umask(before)
    for path in (tmp_path / "m.blurgan").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.slow
def test_onnx_restores_other_images(model: Model, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from napari_blurgan.export.onnx import write_onnx

    if model.blur is not None:  # test_the_command_exports has its refusal
        return
    path = tmp_path / "m.onnx"
    write_onnx(model, path)
    session = runtime.InferenceSession(str(path))
    for seed, shape in enumerate(SHAPES):
        image = image_for(model, shape, seed)
        (found,) = session.run(None, {"raw": image[None, None]})
        assert apart(found[0, 0], wanted(model, image)) < 1e-5
