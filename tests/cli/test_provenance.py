"""How a result was made, said and done again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import Stack, deconvolve, preset, read_stack, train
from napari_blurgan.cli import main
from napari_blurgan.optics.models import Optics
from tests.support.noise import noise

VOXEL = (0.3, 0.1, 0.1)
OPTICS = ("--na", "1.2", "--ni", "1.33", "--wavelength", "520")


def image(seed: int = 0) -> Stack:
    return Stack(noise((6, 24, 24)) + np.float32(seed), "ZYX", VOXEL, "cell")


def deconvolved(*inputs: str, out: str) -> int:
    words = ("deconvolve", "rl", *inputs, *OPTICS, "--iterations", "3")
    return main([*words, "--device", "cpu", "--out", out])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two images in the current folder."""
    monkeypatch.chdir(tmp_path)
    image().save("one.ome.tif")
    image(3).save("two.ome.tif")
    return tmp_path


def test_a_result_says_how_it_was_made(capsys: pytest.CaptureFixture[str]) -> None:
    deconvolved("one.ome.tif", out="sharp.ome.tif")
    capsys.readouterr()
    assert main(["provenance", "sharp.ome.tif", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["step"] == "deconvolve"
    assert facts["command"][:3] == ["deconvolve", "rl", "one.ome.tif"]
    assert len(facts["content"]) == 64
    assert main(["provenance", "sharp.ome.tif"]) == 0
    assert "command: blurgan deconvolve rl one.ome.tif --na" in capsys.readouterr().out


@pytest.mark.parametrize("out", ["sharp.ome.tif", "sharp.zarr", "sharp.tif"])
def test_a_result_is_made_again_and_compared(
    out: str, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    deconvolved("one.ome.tif", out=out)
    before = set(here.iterdir())
    capsys.readouterr()
    assert main(["provenance", out, "--rerun", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] and found["identical"]
    assert set(here.iterdir()) == before


def test_of_several_results_the_one_of_that_name_is_made_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deconvolved("one.ome.tif", "two.ome.tif", out="sharp/")
    (result,) = Path("sharp").glob("two*")
    capsys.readouterr()
    assert main(["provenance", str(result), "--rerun", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]


def test_another_result_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    deconvolved("one.ome.tif", out="sharp.ome.tif")
    made = read_stack("sharp.ome.tif")
    data = np.array(made.data)
    data[2, 3, 4] += 5
    changed = made.with_data(data)
    changed.save("changed.ome.tif")
    capsys.readouterr()
    assert main(["provenance", "changed.ome.tif", "--rerun", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["equal"]
    assert found["largest difference"] == pytest.approx(5, rel=1e-3)


def test_an_image_that_has_changed_is_said_to_have(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deconvolved("one.ome.tif", out="sharp.ome.tif")
    image(9).save("one.ome.tif", overwrite=True)
    assert main(["provenance", "sharp.ome.tif", "--rerun"]) == 2
    assert "the image has changed" in capsys.readouterr().err


def test_what_python_made_is_named_but_not_made_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = deconvolve(image(), Optics(1.2, 1.33, 520), "rl", iterations=2)
    made.save("python.ome.tif")
    assert main(["provenance", "python.ome.tif"]) == 0
    assert "step: deconvolve" in capsys.readouterr().out
    assert main(["provenance", "python.ome.tif", "--rerun"]) == 2
    assert "in napari or from Python" in capsys.readouterr().err


def test_an_image_of_others_has_no_provenance(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["provenance", "one.ome.tif"]) == 2
    assert "contains no provenance" in capsys.readouterr().err


def test_a_restoration_is_made_again_without_the_cluster_that_a_file_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {"reconstructor.base": 2, "sampling.patch": 16, "steps": 1}
    recipe = preset("noise2self").updated(settings | {"precision": "float32"})
    train(recipe, image(), device="cpu").save("model.blurgan")
    words = ["restore", "model.blurgan", "one.ome.tif", "--device", "cpu"]
    assert main([*words, "--out", "clean.ome.tif"]) == 0
    made = read_stack("clean.ome.tif")
    facts = dict(made.metadata["provenance"])
    facts["command"] = [*facts["command"], "--scheduler", "tcp://127.0.0.1:9"]
    replace(made, metadata=made.metadata | {"provenance": facts}).save("sent.ome.tif")
    capsys.readouterr()
    assert main(["provenance", "sent.ome.tif", "--rerun", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]


def test_what_a_terminal_would_obey_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = {"step": "\x1b[2Jrestore", "command": ["\x1b]0;gone"]}
    replace(image(), metadata={"provenance": facts}).save("odd.ome.tif")
    assert main(["provenance", "odd.ome.tif"]) == 0
    said = capsys.readouterr().out
    assert "restore" in said
    assert "\x1b" not in said


def test_evidence_is_made_again_from_both_images(
    capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    deconvolved("one.ome.tif", out="sharp.ome.tif")
    words = ["evidence", "one.ome.tif", "sharp.ome.tif", *OPTICS, "--device", "cpu"]
    assert main([*words, "--out", "maps.ome.tif"]) == 0
    capsys.readouterr()
    assert main(["provenance", "maps.ome.tif", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["command"][0] == "evidence"
    assert len(facts["content"]) == len(facts["restored content"]) == 64
    before = set(here.iterdir())
    assert main(["provenance", "maps.ome.tif", "--rerun", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]
    assert set(here.iterdir()) == before
