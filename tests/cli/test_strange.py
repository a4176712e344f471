"""Calls of strangers: each is answered, by a result or by one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.errors import DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tiling.plan import check_repetition
from napari_blurgan.tiling.tiling import Tiling
from napari_blurgan.writing.ome_tiff import write_ome_tiff

RL = "deconvolve rl a.tif --psf k.tif --iterations 1 --out"
TRAIN = "train supervised --blurred a.tif --sharp a.tif --out m.blurgan --steps 1"
OPTICS = "--na 1 --ni 1.33 --wavelength 520"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).poisson(50, (8, 20, 22)).astype(np.uint16)
    offsets = np.mgrid[-1:2, -2:3, -2:3]
    kernel = np.exp(-(offsets**2).sum(0) / 2).astype(np.float32)
    write_ome_tiff("a.tif", image, "ZYX", (0.3, 0.1, 0.1))
    write_ome_tiff("k.tif", kernel, "ZYX", (0.3, 0.1, 0.1))
    write_ome_tiff("two.tif", np.stack([image, image]), "CZYX", (0.3, 0.1, 0.1))
    Path("dir").mkdir()
    Path("loop.tif").symlink_to("loop.tif")
    Path("dangling.tif").symlink_to("nowhere.tif")
    (tmp_path / "text.tif").write_text("hello")
    return tmp_path


REFUSED = {
    f"{RL} loop.tif": "exists already and is not overwritten",
    f"{RL} dangling.tif": "exists already and is not overwritten",
    f"{RL} ./a.tif --overwrite": "is the image itself",
    f"{RL} o.tif --axes ZZZ": "must be different letters",
    f"{RL} o.tif --axes QYX": "must be different letters",
    f"{RL} o.tif --channel 5": "no C = 5",
    f"{RL} o.tif --time 3": "no T 3",
    f"{RL} o.tif --dtype int4": "no pixel type",
    f"{RL} o.tif --dtype complex64": "a result cannot be complex64",
    f"{RL} o.tif --tile 8 8": "does not fit a volume",
    f"{RL} o.tif --device tpu": "no device 'tpu' here",
    f"{RL} o.tif --gain 1": "needs both --gain and --offset",
    f"{RL} o.tif --read-noise 2": "needs both --gain and --offset",
    f"{RL} o.tif --psf-voxel 1000 1000 1000": "is one of the sizes in another unit",
    f"{RL} o.tif --voxel 300 100 100": "larger than the whole PSF",
    f"{RL} o.tif --background -1e31": "--background must be",
    "deconvolve rl loop.tif --psf k.tif --out o.tif": "loop.tif",
    "deconvolve rl dangling.tif --psf k.tif --out o.tif": "no such file",
    "deconvolve rl a.tif --psf dir --out o.tif": "cannot be read as a PSF",
    "deconvolve rl a.tif --psf loop.tif --out o.tif": "loop.tif",
    "deconvolve rl two.tif --psf k.tif k.tif k.tif --out o.tif": "3 PSFs for 2",
    f"deconvolve rl a.tif {OPTICS} --psf k.tif --out o.tif": "give either --psf, or",
    f"psf vectorial {OPTICS} --voxel .3 .1 .1 --shape 5 5 5 --out e.zarr": "saved as",
    f"psf gaussian {OPTICS} --voxel .3 .1 .1 --shape 5 5 5 --out x/e.tif": "not exist",
    f"psf vectorial {OPTICS} --voxel .3 .1 .1 --out e.tif --pinhole 2": "is for --mod",
    f"psf gaussian {OPTICS} --voxel .3 .1 .1 --out e.tif --excitation 488": "confocal",
    f"psf gaussian {OPTICS} --voxel .3 .1 .1 --out e.tif --sheet 3": "lightsheet",
    "psf beads a.tif --out e.tif": "no beads were found",
    "threshold a.tif --background 5,5,3 --foreground 5,5,5,3": "Z,Y,X,R for volumes",
    "threshold a.tif --background x,y --foreground 1,1,1,1": "a disc is Y,X,R",
    "evaluate a.tif two.tif": "they must be equal",
    "evaluate a.tif text.tif --json": "is not a TIFF file",
    "info dir": "dir is no model folder: it has no weights.safetensors",
    "recipe nosuch": "no preset 'nosuch'",
    "train dir --blurred a.tif --sharp a.tif --out m.blurgan": "neither a file nor",
    TRAIN.replace("m.blurgan", "a.tif/m"): "is no folder",
    TRAIN.replace("m.blurgan", "loop.tif"): "loop.tif",
    f"{TRAIN} --set a": "KEY=VALUE",
    f"{TRAIN} --alpha 5": "'supervised' does not have",
    f"{TRAIN} --bright-background a": "'supervised' does not have",
    f"{TRAIN} --set sampling.patch=[1,2": "cannot read the value of --set",
    f"{TRAIN} --set steps=!!python/object:os.system": "cannot read the value of --set",
    f"{TRAIN} --set generator=3": "reconstructor",
    "restore a.tif a.tif --out o.tif": "no model folder",
    "restore loop.tif a.tif --out o.tif": "no model folder",
    "split a.tif --out pairs": "no pairs in these",
    "split dir --out pairs": "no images (.tif, .tiff, .zarr) in dir",
    "demo --out a.tif": "is a file",
}


@pytest.mark.parametrize(("line", "words"), REFUSED.items(), ids=list(REFUSED))
def test_what_cannot_be_done_is_refused_in_a_line(
    here: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    before = sorted(here.rglob("*"))
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.count("blurgan: ") == 1
    last = said.strip().splitlines()[-1]
    assert last.startswith("blurgan: ")
    assert words in last
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("name", ["-a.tif", "--out.tif"])
def test_a_name_with_a_dash_in_front_is_taken_for_an_option_and_that_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (here / "a.tif").rename(here / name)
    assert main(["info", name]) == 2
    assert f"starts with a dash: write ./{name}" in capsys.readouterr().err


def test_names_of_files_neither_break_lines_nor_control_the_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\nb\x1b[31m.tif"
    (here / "a.tif").rename(here / name)
    words = RL.split()
    words[words.index("a.tif")] = name
    assert main([*words, "o.tif", "--psf-voxel", ".3", ".1", ".1"]) == 0
    assert main([*words, "o.tif"]) == 2
    assert main(["info", name]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert all(line.startswith(("note: ", "blurgan: ")) for line in said.splitlines())


def test_a_negative_number_may_have_an_exponent(here: Path) -> None:
    assert main(f"{RL} o.tif --background -1e1".split()) == 0
    assert main(f"{RL} p.tif --background -10".split()) == 0
    found = [np.asarray(read_stack(name)) for name in ("o.tif", "p.tif")]
    np.testing.assert_array_equal(*found)


def test_tiles_that_are_nearly_all_halo_are_refused() -> None:
    """Each of thousands of tiles takes its time, few voxels though they are."""
    tiling = Tiling((16, 24, 26), (1, 1, 1), (6, 6, 6), (1, 1, 1))
    with pytest.raises(DataError, match=r"would be computed \d{3} times"):
        check_repetition(tiling)
