"""Thresholds from picked regions, and a training between modalities, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.models.model import load_model
from napari_blurgan.optics.phantoms import stained_cells
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

TINY = ("reconstructor.base=2", "discriminator.base=2", "sampling.patch=32", "steps=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.tif, 8 bits and grey; b.tif, 16 bits, in colour, its background bright."""
    folder = tmp_path_factory.mktemp("modalities")
    grey, colour = (
        [stained_cells((48, 48), seed=s + n, count=(2, 2)) for n in range(10)]
        for s in (0, 50)
    )
    a = np.stack([255 * f.grey for f in grey]).astype(np.uint8)
    b = np.stack([65535 * f.colour for f in colour]).astype(np.uint16)
    write_ome_tiff(folder / "a.tif", a, "TYX")
    write_ome_tiff(folder / "b.tif", b, "TYXS")
    return folder


def threshold(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Pick the darkest and the brightest pixel of the first frame."""
    mean = read_stack(path).frame(0).mean(0)
    spots = [np.unravel_index(f(mean), mean.shape) for f in (np.argmin, np.argmax)]
    low, high = (",".join(map(str, (*spot, 0))) for spot in spots)
    flags = ("--foreground", low, "--background", high)
    if "a.tif" in str(path):
        flags = ("--foreground", high, "--background", low)
    assert main(["threshold", str(path), *flags, "--json"]) == 0
    found: dict[str, float] = json.loads(capsys.readouterr().out)
    return found


def test_from_clicks_to_a_model_and_a_stained_image(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = folder / "a.tif", folder / "b.tif"
    alpha, beta = threshold(a, capsys), threshold(b, capsys)
    assert not alpha["bright_background"]
    assert beta["bright_background"]
    assert main(["recipe", "utom"]) == 0
    (tmp_path / "utom.yaml").write_text(capsys.readouterr().out)
    out = tmp_path / "m.blurgan"
    arguments = [
        *("train", str(tmp_path / "utom.yaml"), "--a", str(a), "--b", str(b)),
        *("--alpha", str(alpha["threshold"]), "--beta", str(beta["threshold"])),
        *("--bright-background", "b", "--out", str(out), "--device", "cpu"),
        *("--set", *TINY),
    ]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "content: IoU" in said.out
    assert "on images held out" in said.out
    saliency = load_model(out).recipe.saliency
    assert saliency.alpha == alpha["threshold"]
    assert saliency.beta == beta["threshold"]
    assert saliency.bright_background_b
    stained = tmp_path / "stained.ome.tif"
    assert main(["restore", str(out), str(a), "--out", str(stained)]) == 0
    assert read_stack(stained).axes == "TYXS"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--alpha", "60"), "pick background and foreground in both domains"),
        (("--alpha", "900", "--beta", "50000"), "(alpha) is 900, but its images lie"),
        (("--alpha", "60", "--beta", "0.8"), "(beta) is 0.8, but its images lie"),
        (("--alpha", "60", "--beta", "50000", "--b", "A"), "same"),
        (("--alpha", "60", "--beta", "50000", "--b", "picture.png"), "is a PNG file"),
    ],
)
def test_what_cannot_be_trained_is_reported_in_a_line(
    options: tuple[str, ...],
    message: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    places = {"A": folder / "a.tif", "picture.png": tmp_path / "picture.png"}
    out = tmp_path / "m.blurgan"
    arguments = [
        *("train", "utom", "--a", str(folder / "a.tif"), "--b", str(folder / "b.tif")),
        *("--out", str(out), "--device", "cpu", "--set", *TINY),
        *(str(places.get(option, option)) for option in options),
    ]
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not out.exists()
