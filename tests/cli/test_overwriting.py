"""Nothing that is there is overwritten unless it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Model, Psf, deconvolve, load_model, restore, train
from napari_blurgan.cli import main
from napari_blurgan.errors import DataError
from napari_blurgan.methods.presets import preset
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.3, 0.1, 0.1)
OPTICS = ("--na", "1.0", "--ni", "1.33", "--wavelength", "520")
VOXELS = ("--voxel", "0.3", "0.1", "0.1")
TINY = {
    "reconstructor.base": 2,
    "discriminator.base": 4,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
    "steps": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.ome.tif, b.ome.tif, beads.ome.tif, psf.ome.tif and m.blurgan."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name, width in (("a", 1.5), ("b", 0.6)):
        light = 4e4 * (rng.random((18, 40, 40)) > 0.998)
        image = rng.poisson(gaussian_filter(light, width) + 20).astype(np.uint16)
        write_ome_tiff(folder / f"{name}.ome.tif", image, "ZYX", VOXEL)
    z, y, x = np.mgrid[-3:4, -4:5, -4:5]
    psf = np.exp(-(z**2 + y**2 + x**2) / 3)
    Psf(psf, VOXEL).save(folder / "psf.ome.tif")
    beads = np.zeros((21, 64, 64))
    beads[10, 16::32, 16::32] = 2e5
    noisy = rng.poisson(gaussian_filter(beads, (2, 1.5, 1.5)) + 50).astype(np.uint16)
    write_ome_tiff(folder / "beads.ome.tif", noisy, "ZYX", VOXEL)
    stacks = [read_stack(folder / f"{name}.ome.tif") for name in "ab"]
    recipe = preset("supervised").updated(TINY)
    train(recipe, stacks[:1], stacks[1:], out=folder / "m.blurgan", device="cpu")
    return folder


def lines(folder: Path, out: Path) -> dict[str, list[str]]:
    """Return each command that writes, with the place of its first result."""
    a, b, psf = (str(folder / f"{n}.ome.tif") for n in ("a", "b", "psf"))
    model, beads = str(folder / "m.blurgan"), str(folder / "beads.ome.tif")
    tiny = [f"{key}={value}" for key, value in TINY.items()]
    sets = ["--blurred", a, "--sharp", b]
    steps = ["--iterations", "1", "--device", "cpu"]
    return {
        "r.ome.tif": ["restore", model, a, "--out", str(out / "r.ome.tif")],
        "r.zarr": ["restore", model, a, "--out", str(out / "r.zarr")],
        "set/a.ome.tif": ["restore", model, a, b, "--out", str(out / "set")],
        "d.ome.tif": [
            *("deconvolve", "rl", a, "--psf", psf, "--out", str(out / "d.ome.tif")),
            *steps,
        ],
        "sharp/a.ome.tif": [
            *("references", "rl", a, "--psf", psf, "--out", str(out)),
            *steps,
        ],
        "p.ome.tif": [
            *("psf", "gaussian", *OPTICS, *VOXELS, "--out", str(out / "p.ome.tif")),
        ],
        "q.ome.tif": ["psf", "beads", beads, "--out", str(out / "q.ome.tif")],
        "s.ome.tif": ["psf", "spectral", *sets, "--out", str(out / "s.ome.tif")],
        "psf.ome.tif": [
            *("simulate", str(out), "--structure", "beads", "--shape", "8", "16", "16"),
            *(*VOXELS, *OPTICS, "--psf-shape", "7", "7", "7"),
        ],
        "n.blurgan/weights.safetensors": [
            *("train", "supervised", *sets, "--out", str(out / "n.blurgan")),
            *("--device", "cpu", "--set", *tiny),
        ],
    }


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {str(f): f.read_bytes() for f in files if f.is_file()}


@pytest.mark.parametrize("result", lines(Path(), Path()))
def test_results_stay_unless_they_may_be_replaced(
    result: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = lines(folder, tmp_path)[result]
    assert main(line) == 0, capsys.readouterr().err
    before = content(tmp_path)
    assert str(tmp_path / result) in before or (tmp_path / result).is_dir()
    capsys.readouterr()
    assert main(line) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert content(tmp_path) == before
    assert main([*line, "--overwrite"]) == 0


def test_a_model_that_is_there_can_be_resumed(folder: Path, tmp_path: Path) -> None:
    line = lines(folder, tmp_path)["n.blurgan/weights.safetensors"]
    assert main(line) == 0
    assert main([*line, "steps=2", "--resume"]) == 0
    assert load_model(tmp_path / "n.blurgan").provenance["steps"] == 2


def test_images_restored_already_are_not_restored_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = str(folder / "m.blurgan"), str(tmp_path / "set")
    a, b = (str(folder / f"{n}.ome.tif") for n in "ab")
    assert main(["restore", model, a, "--out", out]) == 0
    before = content(tmp_path)
    capsys.readouterr()
    assert main(["restore", model, a, b, "--out", out, "--resume"]) == 0
    assert "a.ome.tif: is complete" in capsys.readouterr().out
    assert before.items() <= content(tmp_path).items()
    assert (tmp_path / "set" / "b.ome.tif").exists()


@pytest.mark.parametrize("more", [[], ["--overwrite"], ["--resume"]])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_place_that_is_no_model_is_never_a_place_for_one(
    kind: str,
    more: list[str],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / "n.blurgan"
    if kind == "folder":
        place.mkdir()
    (place / "notes.txt" if kind == "folder" else place).write_text("mine")
    before = content(tmp_path)
    line = lines(folder, tmp_path)["n.blurgan/weights.safetensors"]
    assert main([*line, *more]) == 2
    assert "such as mine.blurgan" in capsys.readouterr().err
    assert content(tmp_path) == before


def test_a_demo_keeps_out_of_a_folder_of_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "psf.ome.tif").write_text("mine")
    assert main(["demo", "--minutes", "0.1", "--out", str(tmp_path)]) == 2
    assert "not from an earlier demo" in capsys.readouterr().err
    assert content(tmp_path) == {str(tmp_path / "psf.ome.tif"): b"mine"}


def test_in_python_too(folder: Path, tmp_path: Path) -> None:
    model = load_model(folder / "m.blurgan")
    image = folder / "a.ome.tif"
    stacks = [read_stack(folder / f"{name}.ome.tif") for name in "ab"]
    recipe = preset("supervised").updated(TINY)

    def trained(overwrite: bool) -> Model:
        place = tmp_path / "t.blurgan"
        pair = stacks[:1], stacks[1:]
        return train(recipe, *pair, out=place, device="cpu", overwrite=overwrite)

    psf = Psf.load(folder / "psf.ome.tif")
    calls = {
        "p.tif": lambda may: psf.save(tmp_path / "p.tif", overwrite=may),
        "m.blurgan": lambda may: model.save(tmp_path / "m.blurgan", overwrite=may),
        "r.tif": lambda may: restore(model, image, tmp_path / "r.tif", overwrite=may),
        "t.blurgan": trained,
    }
    for name, call in calls.items():
        call(False)
        before = content(tmp_path / name)
        with pytest.raises(DataError, match="overwrite=True"):
            call(False)
        assert content(tmp_path / name) == before
        call(True)


def test_the_psf_among_the_images_is_left_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    psf = str(folder / "psf.ome.tif")
    images = str(folder / "[abp]*.ome.tif"), str(folder / "a.ome.tif")
    line = ["deconvolve", "rl", images[0], "--psf", psf, "--out", str(tmp_path)]
    assert main([*line, "--iterations", "1", "--device", "cpu"]) == 0
    assert "psf.ome.tif: was left out because it is the PSF" in capsys.readouterr().err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.ome.tif", "b.ome.tif", "beads.ome.tif"]


def test_a_result_of_another_kind_makes_no_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, psf, out = folder / "a.ome.tif", folder / "psf.ome.tif", tmp_path / "o.png"
    line = ["deconvolve", "rl", str(a), "--psf", str(psf), "--iterations", "1"]
    assert main([*line, "--out", str(out)]) == 2
    assert "written as .ome.tif, .tif or .zarr" in capsys.readouterr().err
    assert not out.exists()
    assert main([*line, "--out", f"{tmp_path}/day.one/"]) == 0
    assert (tmp_path / "day.one" / "a.ome.tif").exists()


def test_a_file_name_with_brackets_is_a_name(folder: Path, tmp_path: Path) -> None:
    image = tmp_path / "a[1].ome.tif"
    image.write_bytes((folder / "a.ome.tif").read_bytes())
    psf, out = str(folder / "psf.ome.tif"), str(tmp_path / "o.ome.tif")
    line = ["deconvolve", "rl", str(image), "--psf", psf, "--iterations", "1"]
    assert main([*line, "--out", out]) == 0
    expected = deconvolve(read_stack(image).data[:], Psf.load(psf), iterations=1).image
    np.testing.assert_allclose(np.asarray(read_stack(out).data), expected, rtol=1e-4)


def test_what_is_read_is_never_written_over_not_even_if_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, psf, model = (tmp_path / n for n in ("a.zarr", "p.ome.tif", "m.blurgan"))
    read_stack(folder / "a.ome.tif").save(image)
    shutil.copy(folder / "psf.ome.tif", psf)
    shutil.copytree(folder / "m.blurgan", model)
    (tmp_path / "link.ome.tif").symlink_to(psf)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    line = ["deconvolve", "rl", str(image), "--psf", str(psf), "--overwrite"]
    for out, words in (
        (image, "is the image itself"),
        (image / "r.zarr", "lies within the image"),
        (psf, "is the PSF itself"),
        (tmp_path / "link.ome.tif", "is the PSF itself"),
        (model, "is a model"),
    ):
        assert main([*line, "--out", str(out)]) == 2
        assert words in capsys.readouterr().err
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert after == before


def test_python_refuses_to_write_into_an_image(folder: Path, tmp_path: Path) -> None:
    image = tmp_path / "a.zarr"
    read_stack(folder / "a.ome.tif").save(image)
    with pytest.raises(DataError, match="lies within the image"):
        restore(folder / "m.blurgan", image, image / "r.zarr", device="cpu")


def test_python_says_what_the_command_line_says(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dim = np.asarray(read_stack(folder / "a.ome.tif")) // 20
    restore(folder / "m.blurgan", dim, voxel_size=VOXEL, device="cpu")
    assert "times the contrast" in caplog.text
    caplog.clear()
    restore(folder / "m.blurgan", dim, device="cpu", progress=lambda event: None)
    assert not caplog.text
