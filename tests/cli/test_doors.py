"""What is odd about an image or a PSF is said, or refused, by every command alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_blurgan.cli import main

VOXEL = (0.3, 0.1, 0.1)
SHAPE = (12, 36, 96)
TINY = (
    "--device cpu --set reconstructor.base=2 reconstructor.levels=2 "
    "reconstructor.iterations=2 discriminator.base=4 discriminator.scales=1 "
    "sampling.patch=[8,16,16] precision=float32"
)
PSF = "--psf psf.ome.tif"
DOORS = {
    "deconvolve": f"deconvolve rl y.ome.tif {PSF} --iterations 2 --out o.ome.tif",
    "restore": "restore m.blurgan y.ome.tif --device cpu --out o.ome.tif",
    "references": f"references rl y.ome.tif {PSF} --iterations 2 --out o",
    "evidence": f"evidence y.ome.tif x.ome.tif {PSF} --out o.ome.tif",
    "train": f"train nonblind --blurred y.ome.tif --sharp x.ome.tif {PSF} --steps 1 "
    f"--out o.blurgan {TINY}",
}
OTHER_DOORS = {
    "evaluate": "evaluate y.ome.tif x.ome.tif",
    "threshold": "threshold y.ome.tif --background 2,5,5,2 --foreground 10,16,16,2",
    "psf beads": "psf beads y.ome.tif --out o.ome.tif",
}
WITH_PSF = {
    name: line for name, line in DOORS.items() if PSF in line and name != "restore"
} | {
    "restore": f"{DOORS['restore']} {PSF}",
    "psf measure": "psf measure psf.ome.tif",
}


def written(
    path: str, image: np.ndarray, voxel: tuple[float, ...] = VOXEL, times: int = 1
) -> None:
    sizes = {f"PhysicalSize{a}": v for a, v in zip("ZYX", voxel, strict=True)}
    axes = "ZYX"[-image.ndim :]
    with tifffile.TiffWriter(path, ome=True) as file:
        for _ in range(times):
            file.write(image, photometric="minisblack", metadata={"axes": axes} | sizes)


def image(seed: int, peak: float = 6000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = np.zeros(SHAPE)
    truth[rng.integers(0, 12, 30), rng.integers(0, 36, 30), rng.integers(0, 96, 30)] = 1
    return rng.poisson(gaussian_filter(truth * peak, 1.5) + 20).astype(np.uint16)


def psf() -> np.ndarray:
    z, y, x = np.ogrid[-4:5, -6:7, -6:7]
    return np.exp(-(z**2 + y**2 + x**2) / 3).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        written("y.ome.tif", image(0))
        written("x.ome.tif", image(1))
        written("psf.ome.tif", psf())
        assert main(DOORS["train"].split()) == 0
    return folder / "o.blurgan"


@pytest.fixture
def place(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images, a PSF and a model, as they should be."""
    monkeypatch.chdir(tmp_path)
    written("y.ome.tif", image(0))
    written("x.ome.tif", image(1))
    written("psf.ome.tif", psf())
    Path("m.blurgan").symlink_to(model)
    return tmp_path


def said(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(line.split())
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.parametrize("door", DOORS | OTHER_DOORS)
def test_several_images_in_a_file(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written("y.ome.tif", image(0), times=2)
    assert "2 images" in said((DOORS | OTHER_DOORS)[door], capsys)[1]


@pytest.mark.parametrize("door", DOORS)
def test_saturated_voxels(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written("y.ome.tif", np.minimum(image(0), 255).astype(np.uint8))
    code, words = said(DOORS[door], capsys)
    assert code == 0
    assert "saturated (at 255)" in words


@pytest.mark.parametrize("door", DOORS | OTHER_DOORS)
def test_nanometres_for_micrometres(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand times too long is refused, or said where sizes are not used."""
    written("y.ome.tif", image(0), (300, 100, 100))
    code, words = said((DOORS | OTHER_DOORS)[door], capsys)
    if door in ("evaluate", "threshold", "psf beads"):
        assert code in (0, 2)
    elif door == "restore":
        assert "its voxels are 300 µm long in z" in words
    else:
        assert code == 2
        assert "is one of the sizes" in words
        assert not list(place.glob("o*"))


@pytest.mark.parametrize("door", WITH_PSF)
@pytest.mark.parametrize("odd", ["in FFT order", "on an offset"])
def test_psfs_of_other_programs(
    odd: str, door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fft = odd == "in FFT order"
    found = np.fft.ifftshift(psf()) if fft else (psf() * 4000 + 100).astype(np.uint16)
    written("psf.ome.tif", found)
    code, words = said(WITH_PSF[door], capsys)
    assert code == 0
    assert re.search("FFT order" if fft else "level that ma(d|k)es? up", words)


@pytest.mark.parametrize("door", [door for door in WITH_PSF if door != "psf measure"])
def test_a_psf_of_one_plane_for_a_volume(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written("psf.ome.tif", psf()[4])
    code, words = said(WITH_PSF[door], capsys)
    assert "one plane" in words
    assert code == (2 if door == "restore" else 0)


@pytest.mark.parametrize("door", WITH_PSF)
def test_psfs_of_even_size(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written("psf.ome.tif", psf()[:8, :12, :12])
    assert said(WITH_PSF[door], capsys)[0] == 0


@pytest.mark.parametrize("door", DOORS | OTHER_DOORS)
def test_brackets_in_names(
    door: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("y", "psf"):
        Path(f"{name}.ome.tif").rename(f"{name}[1].ome.tif")
    line = (DOORS | OTHER_DOORS)[door]
    line = line.replace("y.ome", "y[1].ome").replace("psf.ome", "psf[1].ome")
    code, words = said(line, capsys)
    assert code == 0 or "none of the" in words  # beads, of which there are none
