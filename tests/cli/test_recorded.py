"""Optics in the file of an image are used if no others are given, and said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import Stack, read_stack
from napari_blurgan.cli import main
from napari_blurgan.headers.acquisition import Acquisition

VOXEL = (0.3, 0.1, 0.1)
LENS = {"LensNA": "1.2", "RefractiveIndex": "1.333"}
GREEN = {"EmissionWavelength": "520"}
RED = {"EmissionWavelength": "620"}
RL = ["deconvolve", "rl", "a.ome.tif", "--iterations", "2", "--out"]
OPTICS = ["--na", "1.2", "--ni", "1.333", "--wavelength"]


def write(
    folder: Path, *channels: Mapping[str, str], lens: Mapping[str, str] = LENS
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.poisson(50, (len(channels), 8, 24, 26)).astype(np.uint16)
    facts = {"acquisition": Acquisition(channels=channels, lens=lens)}
    image = Stack(pixels, "CZYX", VOXEL, metadata=facts)
    (image if len(channels) > 1 else image.only_channel(0)).save(folder / "a.ome.tif")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_stack_is_deconvolved_with_the_optics_in_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, GREEN)
    assert main([*RL, "b.ome.tif"]) == 0
    said = capsys.readouterr().err
    assert "optics in its file are used: NA 1.2, refractive index 1.333, 520 nm" in said
    assert main([*RL, "c.ome.tif", *OPTICS, "520"]) == 0
    same = [np.asarray(read_stack(name)) for name in ("b.ome.tif", "c.ome.tif")]
    np.testing.assert_array_equal(*same)


def test_each_channel_has_its_own_wavelength(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, GREEN, RED)
    assert main([*RL, "b.ome.tif"]) == 0
    assert "a, channel 1: the optics in its file" in capsys.readouterr().err
    assert main([*RL, "c.ome.tif", "--channel", "1", *OPTICS, "620"]) == 0
    both, red = np.asarray(read_stack("b.ome.tif")), np.asarray(read_stack("c.ome.tif"))
    np.testing.assert_array_equal(both[1], red)


@pytest.mark.parametrize(
    ("channels", "lens", "message"),
    [
        (({},), {}, "does not name objective"),
        ((GREEN, {}), LENS, "emission wavelength of every channel; give either --psf"),
        ((GREEN,), {"LensNA": "1.2"}, "does not name objective"),
        ((GREEN,), LENS | {"LensNA": "1.9"}, "aperture"),
    ],
)
def test_incomplete_or_impossible_optics_are_refused(
    channels: tuple[Mapping[str, str], ...],
    lens: Mapping[str, str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path, *channels, lens=lens)
    assert main([*RL, "b.ome.tif"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "b.ome.tif").exists()


@pytest.mark.parametrize("recipe", ["nonblind", "auto"])
def test_a_training_with_a_known_blur_takes_them(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, GREEN)
    other = np.random.default_rng(1).poisson(50, (8, 24, 26)).astype(np.uint16)
    Stack(other, "ZYX", VOXEL).save("sharp.tif")
    sharp = ["--sharp", "sharp.tif"] if recipe == "nonblind" else []
    tiny = ["reconstructor.base=2", "reconstructor.levels=2", "sampling.patch=16"]
    tiny += [] if sharp else ["reconstructor.iterations=2"]
    train = ["train", recipe, "--blurred", "a.ome.tif", *sharp, "--steps", "1"]
    assert main([*train, "--out", "m.blurgan", "--set", *tiny]) == 0
    assert "the optics in its file are used: NA 1.2" in capsys.readouterr().err
