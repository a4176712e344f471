"""`blurgan deconvolve`, as users call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.cli import main
from napari_blurgan.cli._common import progress_bar
from napari_blurgan.cli.deconvolve import Follower
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.events import TileDone
from napari_blurgan.tasks.deconvolve import DeconvolutionRequest
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.3, 0.1, 0.1)
CAMERA = ("--gain", 2, "--offset", 100, "--read-noise", 1)


@pytest.fixture(scope="module")
def psf() -> Psf:
    return theoretical_psf(Optics(1.2, 1.33, 520), (7, 11, 11), VOXEL)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (100 + rng.poisson(20, (8, 20, 24)) * 2).astype(np.uint16)


@pytest.fixture
def files(tmp_path: Path, image: np.ndarray, psf: Psf) -> Path:
    write_ome_tiff(tmp_path / "image.ome.tif", image, "ZYX", VOXEL)
    psf.save(tmp_path / "psf.ome.tif")
    return tmp_path


def blurgan(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    method: str,
    *arguments: str | Path | float,
    out: str = "out.ome.tif",
    image: str = "image",
) -> Any:
    code = main(
        [
            str(a)
            for a in (
                "deconvolve",
                method,
                folder / f"{image}.ome.tif",
                "--out",
                folder / out,
                "--device",
                "cpu",
                *arguments,
            )
        ]
    )
    return code, capsys.readouterr()


def with_psf(files: Path) -> tuple[str, Path]:
    return ("--psf", files / "psf.ome.tif")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_by_its_name(
    method: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = ("--iterations", 3) if METHODS[method].iterative else ()
    code, said = blurgan(files, capsys, method, *with_psf(files), *steps, *CAMERA)
    assert code == 0, said.err
    assert "ZYX 8×20×24 float32" in said.out
    result = read_stack(files / "out.ome.tif")
    assert result.voxel_size == pytest.approx(VOXEL)
    provenance = result.metadata["provenance"]
    assert provenance["method"] == method
    assert provenance["parameters"]["gain"] == 2


def test_the_result_is_the_functions(
    files: Path, image: np.ndarray, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (*with_psf(files), "--iterations", 7, "--background", 90)
    assert blurgan(files, capsys, "rl", *arguments)[0] == 0
    expected = richardson_lucy(image, psf, 7, background=90.0, device="cpu").image
    result = np.asarray(read_stack(files / "out.ome.tif").data)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_optics_instead_of_a_psf(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    optics = ("--na", 1.2, "--ni", 1.33, "--wavelength", 520)
    code, said = blurgan(files, capsys, "rl", *optics, "--iterations", 2)
    assert code == 0, said.err
    assert "voxels is larger than the image: " in said.err


def test_series_with_channels_and_their_psfs(
    files: Path, image: np.ndarray, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    movie = np.stack([np.stack([image, image * 2])] * 2)
    write_ome_tiff(files / "movie.ome.tif", movie, "TCZYX", VOXEL, ("a", "b"))
    other = theoretical_psf(Optics(1.2, 1.33, 640), (7, 11, 11), VOXEL)
    other.save(files / "red.ome.tif")
    psfs = ("--psf", files / "psf.ome.tif", files / "red.ome.tif")
    code, said = blurgan(
        files, capsys, "rl", *psfs, "--iterations", 3, out="out.zarr", image="movie"
    )
    assert code == 0, said.err
    result = read_stack(files / "out.zarr")
    assert result.axes == "TCZYX"
    assert result.channel_names == ("a", "b")
    for channel, kernel in enumerate((psf, other)):
        expected = richardson_lucy(movie[0, channel], kernel, 3, device="cpu").image
        found = np.asarray(result.data[1])[channel]
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_film_is_gone_on_with_where_it_ended(
    files: Path, image: np.ndarray, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    films = [np.stack([image, image * 2, image + offset]) for offset in (0, 1)]
    for name, film in zip(("movie", "other"), films, strict=True):
        write_ome_tiff(files / f"{name}.ome.tif", film, "TZYX", VOXEL)
    out, whole = files / "out.zarr", (*with_psf(files), "--iterations", 3)
    request = DeconvolutionRequest(
        read_stack(files / "movie.ome.tif"),
        (Psf.load(files / "psf.ome.tif"),),
        "rl",
        {"iterations": 3},
        out=out,
        device="cpu",
    )

    def interrupt(event: Any) -> None:
        if getattr(event, "done", 0) == 2 and isinstance(event, TileDone):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        request.run(interrupt)
    assert not out.exists()
    psf.resampled((0.3, 0.1, 0.11)).save(files / "wide.ome.tif")
    for name, others, found in (
        ("other", whole, "image"),
        ("movie", (*with_psf(files), "--iterations", 4), "parameters"),
        ("movie", ("--psf", files / "wide.ome.tif", "--iterations", 3), "PSF"),
    ):
        arguments = (*others, "--resume")
        code, said = blurgan(
            files, capsys, "rl", *arguments, out="out.zarr", image=name
        )
        assert code == 2
        assert f"was begun with a different {found};" in said.err
    code, said = blurgan(
        files, capsys, "rl", *whole, "--resume", out="out.zarr", image="movie"
    )
    assert code == 0, said.err
    result = np.asarray(read_stack(out).data)
    for time, frame in enumerate(films[0]):
        expected = richardson_lucy(frame, psf, 3, device="cpu").image
        np.testing.assert_array_equal(result[time], expected)


def test_a_rule_stops_and_says_so(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (*with_psf(files), "--stop", "change", "--iterations", 500)
    code, said = blurgan(files, capsys, "rl", *arguments)
    assert code == 0
    assert "the relative change reached" in said.err


@pytest.mark.parametrize(("stop", "asked"), [("change", 3), ("held-out", 200)])
def test_the_bar_and_the_words_tell_of_the_same_iterations(
    files: Path, stop: str, asked: int
) -> None:
    request = DeconvolutionRequest(
        read_stack(files / "image.ome.tif"),
        (Psf.load(files / "psf.ome.tif"),),
        "rl-accelerated",
        parameters={"iterations": asked},
        camera={"gain": 2.0, "offset": 100.0, "read_noise": 1.0},
        stop=stop,
        device="cpu",
    )
    with progress_bar() as progress:
        follower = Follower(progress, "deconvolution", request.updates)
        request.run(follower)
        (task,) = progress.tasks
    (said,) = (note for note in follower.notes if "iterations: " in note)
    kept, reason = said.split(" iterations: ")
    assert task.completed == task.total
    if stop == "change":
        assert said == "3 iterations: all iterations are done."
        assert task.completed == 3
    else:
        assert int(kept) < task.completed < asked
        assert reason.endswith(f"the best of {task.completed:.0f} was kept.")


def test_saturated_voxels_are_said(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = np.minimum(np.random.default_rng(0).poisson(240, (8, 20, 24)), 255)
    share = (image == 255).mean()
    write_ome_tiff(files / "bright.ome.tif", image.astype(np.uint8), "ZYX", VOXEL)
    steps = ("--iterations", 2)
    code, said = blurgan(files, capsys, "rl", *with_psf(files), *steps, image="bright")
    assert code == 0
    assert f"{share:.1%} of the voxels are saturated (at 255)" in said.err


@pytest.mark.parametrize("method", ["rl", "wiener"])
def test_a_flat_field_is_as_flat_whatever_the_number_of_planes(
    method: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    optics = ("--na", 1.4, "--ni", 1.515, "--wavelength", 520)
    for planes in (9, 3):
        flat = np.full((planes, 20, 24), 100, np.uint16)
        write_ome_tiff(files / f"flat{planes}.ome.tif", flat, "ZYX", VOXEL)
        name = {"image": f"flat{planes}", "out": f"out{planes}.ome.tif"}
        assert blurgan(files, capsys, method, *optics, **name)[0] == 0
        result = np.asarray(read_stack(files / name["out"]).data)
        np.testing.assert_allclose(result, 100, rtol=1e-3)


def test_tiles_and_one_pixel_type(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (*with_psf(files), "--tile", 8, 10, 12, "--dtype", "source")
    code, said = blurgan(files, capsys, "rl", *arguments, "--iterations", 3)
    assert code == 0, said.err
    assert "uint16" in said.out


def test_a_plane(
    tmp_path: Path, image: np.ndarray, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ome_tiff(tmp_path / "image.ome.tif", image[3], "YX", (None, 0.1, 0.1))
    psf.save(tmp_path / "psf.ome.tif")
    arguments = ("--psf", tmp_path / "psf.ome.tif", "--iterations", 2)
    code, said = blurgan(tmp_path, capsys, "rl", *arguments)
    assert code == 0, said.err
    assert "the middle one of the" in said.err


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("rl", (), "give either --psf, or --na"),
        ("rl", ("--na", 1.2), "missing --ni, --wavelength"),
        ("rl", ("--psf", "no.tif"), "no.tif"),
        ("rlgc", ("--psf", "psf.ome.tif"), "gain, offset and read noise"),
        ("rl", ("--psf", "psf.ome.tif", "--gain", 2), "both --gain and --offset"),
        (
            "rl",
            ("--psf", "psf.ome.tif", "--stop", "change", "--tile", 8, 8, 8),
            "--stop does not work with --tile",
        ),
        ("rl", ("--psf", "psf.ome.tif", "psf.ome.tif"), "2 PSFs for 1 channels"),
    ],
)
def test_what_is_at_fault_is_said(
    method: str,
    arguments: tuple[float | str, ...],
    message: str,
    files: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(files)
    code, said = blurgan(files, capsys, method, *arguments)
    assert code == 2
    assert message in said.err
    assert not (files / "out.ome.tif").exists()


def test_an_image_is_not_written_over(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = blurgan(files, capsys, "rl", *with_psf(files), out="image.ome.tif")
    assert code == 2
    assert "is the image itself" in said.err


def test_a_psf_without_voxels(
    files: Path, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(files / "bare.tif", psf.data)
    bare = ("--psf", files / "bare.tif", "--iterations", 2)
    code, said = blurgan(files, capsys, "rl", *bare)
    assert code == 2
    assert "how large its voxels are" in said.err
    assert blurgan(files, capsys, "rl", *bare, "--psf-voxel", *VOXEL)[0] == 0


def test_references_share_no_voxel_with_the_rest(
    tmp_path: Path, psf: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    stack = (100 + rng.poisson(20, (8, 24, 64)) * 2).astype(np.uint16)
    for name in "ab":
        write_ome_tiff(tmp_path / f"{name}.ome.tif", stack, "ZYX", VOXEL)
    psf.save(tmp_path / "psf.tif")
    arguments: tuple[object, ...]
    arguments = ("references", "rl", tmp_path / "?.ome.tif", "--out", tmp_path / "set")
    arguments += ("--psf", tmp_path / "psf.tif", "--iterations", 3, "--device", "cpu")
    assert main([str(a) for a in (*arguments, "--background", 100)]) == 0
    assert "sharp/a.ome.tif" in capsys.readouterr().out
    for name, blurred in (("a", stack[..., -27:]), ("b", stack[..., :27])):
        rest = read_stack(tmp_path / "set" / "blurred" / f"{name}.ome.tif")
        np.testing.assert_array_equal(np.asarray(rest.data), blurred)
        sharp = read_stack(tmp_path / "set" / "sharp" / f"{name}.ome.tif")
        assert sharp.data.shape == (8, 24, 26)  # and the PSF's eleven lie between
        assert sharp.voxel_size == pytest.approx(VOXEL)
