"""Every block of shell and Python in README and docs is run, page by page, as written.

Three things are changed: trainings take two steps of a tiny network, deconvolutions few
iterations unless a page says how many, and images are small.
A job in YAML is written to the file that the next ``blurgan run`` names.
A block that is not run says why: ``<!-- not run: reason -->`` above it. Commands of
benchmarks and of make are checked by tests/test_benchmarks.py.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan import Optics, Psf, Stack, deconvolve, preset, train
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.cli import main
from napari_blurgan.methods.presets import PRESETS
from napari_blurgan.optics.phantoms import heads
from napari_blurgan.tasks.samples import bead_sample
from tests.support.noise import noise
from tests.support.vendor_files import write_nd2

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<kind>\w*)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
TINY = [
    "reconstructor.base=2",
    "reconstructor.levels=2",
    "discriminator.base=4",
    "discriminator.scales=1",
    "sampling.patch=16",
    "precision=float32",
]
VOXEL = (0.3, 0.1, 0.1)
SHAPE = (16, 32, 32)
VOLUMES = [
    *("cell", "image", "left", "right", "widefield.ome", "confocal.ome", "measured"),
    *("day1/cell1", "day1/cell3", "day2/cell1", "sharp/one", "sharp/two"),
    *("first/one", "second/one", "first/two", "second/two"),
]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return kind and code of the blocks of a page that are to be run."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [(m["kind"], m["code"]) for m in found if not m["why"]]


def runnable(page: Path) -> list[tuple[str, str]]:
    known = ("sh", "python", "yaml")
    return [(kind, code) for kind, code in blocks(page) if kind in known]


def blobs(seed: int) -> np.ndarray:
    """Return beads on a background, with the noise of photons."""
    rng = np.random.default_rng(seed)
    image = np.full(SHAPE, 130.0)
    for z, y, x in rng.integers(6, (11, 27, 27), (3, 3)):
        grid = np.indices(SHAPE) - np.array([z, y, x])[:, None, None, None]
        image += 2000 * np.exp(-np.square(grid).sum(0) / 4)
    return rng.poisson(image).astype(np.uint16)


def shelf(folder: Path) -> None:
    """Put everything there that pages speak of."""
    for seed, name in enumerate(VOLUMES):
        Stack(blobs(seed), "ZYX", VOXEL).save(folder / f"{name}.tif")
    for seed, name in enumerate(("a/plane1", "a/plane2", "b/plane1", "b/plane2")):
        plane = noise((32, 32), seed).astype(np.uint16)
        plane[15:25, 15:25] *= 2
        Stack(plane, "YX", (None, 0.1, 0.1)).save(folder / f"{name}.tif")
    single = Stack(blobs(2)[8], "YX", (None, 0.065, 0.065))
    single.save(folder / "plane.tif")
    dyes = np.stack([blobs(seed) for seed in range(3)])
    Stack(dyes, "CZYX", VOXEL).save(folder / "plate" / "well1.tif")
    write_nd2(folder / "cell.nd2", blobs(3)[None, :, None])
    movie = np.stack([blobs(0)[8]] * 4)
    Stack(movie, "TYX", (None, 0.1, 0.1)).save(folder / "movie.tif")
    Stack(blobs(0), "ZYX", VOXEL).save(folder / "huge.zarr")
    psf = Psf.from_optics(Optics(1.2, 1.333, 520), VOXEL, (9, 11, 11))
    psf.save(folder / "psf.tif")
    sharp = deconvolve(folder / "measured.tif", psf, num_iter=3, background=100)
    sharp.save(folder / "restored.ome.tif")
    bead_sample().save(folder / "beads.tif")
    wide = np.concatenate([blobs(seed) for seed in range(4)], axis=2)
    Stack(wide, "ZYX", VOXEL).save(folder / "stacks" / "wide.tif")
    kspace = np.fft.fftshift(np.fft.fft2(heads((32, 32), 4, seed=0)), axes=(1, 2))
    np.save(folder / "kspace.npy", kspace)
    for seed, name in enumerate(("undersampled", "full")):
        np.save(folder / f"{name}.npy", heads((32, 32), 4, seed=seed))
    tiny = dict(entry.split("=") for entry in TINY if "discriminator" not in entry)
    recipe = preset("noise2self").updated({k: _value(v) for k, v in tiny.items()})
    model = train(recipe, blobs(0), device="cpu", steps=1)
    for name in ("mine", "dapi", "actin"):
        model.save(folder / f"{name}.blurgan")


def _value(text: str) -> Any:
    return int(text) if text.isdigit() else text


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    for name in (
        "a",
        "b",
        "day1",
        "day2",
        "sharp",
        "first",
        "second",
        "stacks",
        "plate",
    ):
        (folder / name).mkdir()
    shelf(folder)
    return folder


def take(everything: Path, code: str, folder: Path) -> None:
    """Link to what a page names, and to nothing else."""
    for thing in everything.iterdir():
        made = re.search(rf"--out {re.escape(thing.name)}\b", code)
        if not made and re.search(rf"(?<![\w/]){re.escape(thing.name)}\b", code):
            (folder / thing.name).symlink_to(thing)


def lines(code: str) -> list[list[str]]:
    """Return the words of each command of a block of shell."""
    joined = code.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in joined]
    ours = [w for w in words if w and w[0] == "blurgan"]
    known = ("blurgan", "python", "make")
    assert all(w[0] in known for w in words if w), "mark it: <!-- not run: why -->"
    return [shortened(w[1:]) for w in ours]


def shortened(words: list[str]) -> list[str]:
    """Return a command of few iterations, or two steps of a tiny network."""
    if words[0] == "deconvolve":
        set_by_page = "--iterations" in words or not METHODS[words[1]].iterative
        return words if set_by_page else [*words, "--iterations", "3"]
    if words[0] != "train":
        return words
    for length in ("--minutes", "--steps"):
        if length in words:
            place = words.index(length)
            del words[place : place + 2]
    refines = words[1] in PRESETS and preset(words[1]).reconstructor.estimate_iterations
    extra = [*TINY, *(["reconstructor.iterations=2"] if refines else [])]
    if "--set" in words:
        place = words.index("--set")
        return [*words[: place + 1], *extra, *words[place + 1 :], "--steps", "2"]
    return [*words, "--steps", "2", "--set", *extra]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if runnable(page)], ids=lambda page: page.stem
)
def test_the_blocks_of_a_page_run(
    page: Path,
    everything: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    take(everything, "\n".join(code for _, code in blocks(page)), tmp_path)
    names: dict[str, Any] = {"image": blobs(0), "psf": np.ones((3, 3, 3)) / 27}
    for kind, code in runnable(page):
        if kind == "python":
            exec(compile(code, str(page), "exec"), names)
            continue
        if kind == "yaml":
            file = code
            continue
        for job in re.findall(r"blurgan run (\S+)", code):
            (tmp_path / job).write_text(file, encoding="utf-8")
        for words in lines(code):
            assert main(words) == 0, f"{' '.join(words)}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_hides_in_a_block_without_a_language(page: Path) -> None:
    hidden = [
        code
        for kind, code in blocks(page)
        if kind == "" and re.search(r"^(blurgan|pip|python -c) ", code, re.MULTILINE)
    ]
    assert not hidden, "name the language of the block: sh, or text for a pattern"
