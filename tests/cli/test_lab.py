"""Defaults of a laboratory: optics and camera, in one file for all commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_blurgan.cli import main
from napari_blurgan.cli._lab import lab_words

ALL = [f"--{n}" for n in ("na", "ni", "wavelength", "psf", "device", "gain", "offset")]
ALL.append("--read-noise")
OPTICS = "na: 1.2\nni: 1.33\n"
CAMERA = "gain: 2\noffset: 100\nread_noise: 1.5\n"


def defaults(folder: Path, text: str, patch: pytest.MonkeyPatch) -> Path:
    path = folder / "lab.yaml"
    path.write_text(text)
    patch.setenv("BLURGAN_DEFAULTS", str(path))
    return path


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (OPTICS, "--wavelength 520", "--na 1.2 --ni 1.33"),
        (OPTICS, "--wavelength=520 --na 1.4", "--ni 1.33"),
        (OPTICS, "", ""),  # incomplete
        (OPTICS + "wavelength: 500", "", "--na 1.2 --ni 1.33 --wavelength 500"),
        (OPTICS + "wavelength: 500", "--psf a.tif", ""),
        (CAMERA, "", "--gain 2 --offset 100 --read-noise 1.5"),
        (CAMERA, "--gain 3", "--offset 100 --read-noise 1.5"),
        ("device: cpu", "", "--device cpu"),
        ("device: cpu", "--device cuda", ""),
    ],
)
def test_what_is_not_given_is_completed(
    text: str,
    given: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defaults(tmp_path, text, monkeypatch)
    assert lab_words(given.split(), ALL) == expected.split()


def test_commands_without_these_options_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults(tmp_path, OPTICS + "wavelength: 500\n" + CAMERA, monkeypatch)
    assert lab_words([], ["--out", "--na"]) == []


def test_a_command_uses_them_and_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = defaults(tmp_path, OPTICS, monkeypatch)
    line = "psf gaussian --wavelength 520 --voxel .3 .1 .1 --out"
    assert main([*line.split(), str(tmp_path / "psf.ome.tif")]) == 0
    assert f"note: from {path}: --na 1.2 --ni 1.33" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aperture: 1.2", "takes no 'aperture'"),
        ("- 1.2", "expected lines such as na: 1.2"),
        ("na: [", "cannot read the file of defaults"),
        (OPTICS.replace("1.2", "9"), "aperture"),
    ],
)
def test_an_impossible_file_is_refused(
    text: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    defaults(tmp_path, text, monkeypatch)
    line = "psf gaussian --wavelength 520 --voxel .3 .1 .1 --out p.ome.tif"
    assert main(line.split()) == 2
    assert message in capsys.readouterr().err


def test_the_file_of_the_user_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLURGAN_DEFAULTS")
    for variable in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert lab_words([], ["--device"]) == []
    (tmp_path / "blurgan.yaml").write_text("device: cpu")
    assert lab_words([], ["--device"]) == ["--device", "cpu"]
