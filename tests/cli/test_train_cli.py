"""blurgan recipe, train and info, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.models.model import load_model
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import heads, phantom
from napari_blurgan.optics.simulation import simulate
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.2, 0.1, 0.1)
TINY = (
    *("reconstructor.base=2", "discriminator.base=4", "discriminator.scales=1"),
    *("sampling.patch=16", "precision=float32", "discriminator.history=3"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """blurred.tif, sharp.tif and psf.ome.tif."""
    folder = tmp_path_factory.mktemp("data")
    psf = theoretical_psf(Optics(0.9, 1.33, 520), (7, 7, 7), VOXEL)
    psf.save(folder / "psf.ome.tif")
    truth, other = (phantom("vesicles", (18, 36, 36), VOXEL, seed) for seed in (1, 2))
    _, blurred = simulate(truth, psf.data, seed=1, camera=Camera().expose)
    write_ome_tiff(folder / "blurred.tif", blurred, "ZYX", VOXEL)
    write_ome_tiff(folder / "sharp.tif", other.astype(np.float32), "ZYX", VOXEL)
    slices = heads((32, 32), 4, seed=0)
    np.save(folder / "sharp.npy", slices[:2])
    np.save(folder / "blurred.npy", slices[2:])
    return folder


def arguments(
    folder: Path, out: Path, *more: str, recipe: str = "nonblind"
) -> list[str]:
    alone = preset(recipe).source.most_domains == 1
    kind = "npy" if preset(recipe).values == "complex" else "tif"
    return [
        *("train", recipe, "--blurred", str(folder / f"blurred.{kind}")),
        *(() if alone else ("--sharp", str(folder / f"sharp.{kind}"))),
        *("--psf", str(folder / "psf.ome.tif")),
        *("--out", str(out), "--device", "cpu", "--set", *TINY, *more),
    ]


def test_train_then_info(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.blurgan"
    assert main(arguments(folder, out, "--steps", "3", "--seed", "5")) == 0
    assert "3 steps" in capsys.readouterr().out
    assert main(["info", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["recipe"] == "nonblind"
    assert summary["provenance"]["seed"] == 5
    assert summary["provenance"]["precision"] == "float32"
    assert summary["voxel_size_um"] == list(VOXEL)
    assert main(["info", str(out)]) == 0
    assert "psf_fwhm_um" in capsys.readouterr().out


def test_resume_goes_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.blurgan"
    assert main(arguments(folder, out, "--steps", "2")) == 0
    assert main(arguments(folder, out, "--steps", "4", "--resume")) == 0
    assert "4 steps" in capsys.readouterr().out
    assert len(load_model(out).history) == 4


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_and_resumes(
    name: str, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.blurgan"
    transforms = ("utom", "utom-as-published", "isotropic")
    picked = ("--alpha", "200", "--beta", "0.5") if name in transforms else ()
    larger = ("sampling.patch=32", "reconstructor.blocks=1") if picked else ()
    # The light tells how many iterations: once with, once without sharp images.
    refines = preset(name).reconstructor.estimate_iterations
    given = refines and name not in ("nonblind", "auto")
    few = ("reconstructor.iterations=2",) if given else ()
    line = arguments(folder, out, *larger, *few, recipe=name)
    assert main([*line, *picked, "--steps", "2"]) == 0
    assert main([*line, *picked, "--steps", "3", "--resume"]) == 0
    model = load_model(out)
    assert model.recipe.name == name
    assert [row["step"] for row in model.history] == [1, 2, 3]


def test_a_recipe_can_be_printed_changed_and_trained(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe"]) == 0
    assert "blind" in capsys.readouterr().out
    assert main(["recipe", "nonblind"]) == 0
    mine = tmp_path / "mine.yaml"
    mine.write_text(capsys.readouterr().out.replace("cycle_x: 4000.0", "cycle_x: 7.0"))
    out = tmp_path / "a.blurgan"
    options = arguments(folder, out, "--steps", "1")
    options[1] = str(mine)
    assert main(options) == 0
    assert load_model(out).recipe.weights_at(0)["cycle_x"] == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: ["train", "sighted", *a[2:]], "neither a file nor a preset"),
        (lambda a: [*a, "generator.bse=3"], "did you mean reconstructor.base?"),
        (lambda a: [*a, "nonsense"], "KEY=VALUE"),
        (lambda a: [*a, "--device", "abacus"], "no device 'abacus'"),
        (lambda a: [*a, "--na", "1.2"], "missing --ni, --wavelength"),
        (lambda a: [*a, "--channel", "3"], "no C = 3"),
        (lambda a: [*a, "--sharp", a[3]], "same image"),
        (lambda a: [*a, "--blurred", "nowhere.tif"], "nowhere.tif"),
        (lambda a: [*a, "--blurred", "nowhere/*.tif"], "no file matches"),
    ],
)
def test_a_request_at_fault_costs_one_clear_line(
    change: object,
    message: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert callable(change)
    out = tmp_path / "a.blurgan"
    plain = arguments(folder, out)
    assert main(change(plain)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("blurgan: ")
    assert message in error
    assert not out.exists()


def test_info_on_what_is_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(tmp_path / "none.blurgan")]) == 2
    assert "no model folder" in capsys.readouterr().err


def test_twenty_kills_lose_nothing(folder: Path, tmp_path: Path) -> None:
    """Every time it resumes, and in the end it is as if nothing had happened."""
    paths = [tmp_path / "whole.blurgan", tmp_path / "parts.blurgan"]
    quick = "reconstructor.iterations=2"  # each of them prepares anew
    whole, parts = (
        arguments(folder, path, quick, "--steps", "240", "--resume") for path in paths
    )
    first = arguments(folder, tmp_path / "first.blurgan", quick, "--steps", "1")
    jobs = json.dumps([first, whole, parts, str(paths[1])])
    subprocess.run(
        [sys.executable, "-c", KILLER, jobs],
        check=True,
        capture_output=True,
    )
    one, other = (load_model(path) for path in paths)
    assert [row["step"] for row in one.history] == list(range(1, 241))
    assert one.history == other.history


# Children of one process that has trained already, and so has loaded all it needs: a
# fresh interpreter for each of twenty kills would take minutes.
KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
import torch
import napari_blurgan.training.trainer as trainer
from napari_blurgan.cli import main
from napari_blurgan.models.model import load_model
from napari_blurgan.methods.presets import PRESETS

torch.set_num_threads(1)
trainer.SAVE_SECONDS = 0.1
first, whole, parts, folder = json.loads(sys.argv[1])
weights = Path(folder) / "weights.safetensors"

def child(arguments):
    pid = os.fork()
    if pid == 0:
        os._exit(main(arguments))
    return pid

def new_checkpoint(since, pid):
    while not weights.exists() or weights.stat().st_mtime_ns == since:
        if os.waitpid(pid, os.WNOHANG)[0]:  # it has ended by itself
            return False
        time.sleep(0.01)
    return True

assert main(first) == 0
assert os.waitpid(child(whole), 0)[1] == 0
random_generator = random.Random(0)
kills = 0
for _ in range(20):
    since = weights.stat().st_mtime_ns if weights.exists() else 0
    pid = child(parts)
    if not new_checkpoint(since, pid):
        break
    time.sleep(random_generator.uniform(0, 0.1))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    load_model(folder)
    kills += 1
assert kills >= 10, kills
assert os.waitpid(child(parts), 0)[1] == 0
"""


def test_without_sharp_images_the_way_to_make_some_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blurred, out = folder / "blurred.tif", folder / "none.blurgan"
    assert main(["train", "blind", "--blurred", str(blurred), "--out", str(out)]) == 2
    assert "blurgan references" in capsys.readouterr().err
    assert not out.exists()


def test_planes_are_trained_on_in_two_dimensions(folder: Path, tmp_path: Path) -> None:
    for name in ("blurred", "sharp"):
        plane = read_stack(folder / f"{name}.tif").data[9]
        write_ome_tiff(tmp_path / f"{name}.tif", plane, "YX", VOXEL)
    out = tmp_path / "planes.blurgan"
    start = ("forward.start=gaussian", "terms.spectral=0")
    command = [
        *("train", "blind", "--blurred", str(tmp_path / "blurred.tif")),
        *("--sharp", str(tmp_path / "sharp.tif"), "--out", str(out)),
        *("--device", "cpu", "--steps", "2", "--set", *TINY, *start),
    ]
    assert main(command) == 0
    assert load_model(out).recipe.dims == 2
    assert main([*command, "dims=3", "--overwrite"]) == 0


@pytest.mark.parametrize("recipe", ["noise2self", "noise2void", "noise2noise"])
def test_noisy_images_alone_are_enough_to_denoise(
    recipe: str, folder: Path, tmp_path: Path
) -> None:
    blurred, out = str(folder / "blurred.tif"), tmp_path / "n.blurgan"
    command = ["train", recipe, "--blurred", blurred, "--out", str(out)]
    assert main([*command, "--device", "cpu", "--steps", "2", "--set", *TINY]) == 0
    denoised = tmp_path / "n.ome.tif"
    assert main(["restore", str(out), blurred, "--out", str(denoised)]) == 0
    assert read_stack(denoised).shape == read_stack(blurred).shape
