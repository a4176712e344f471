from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skimage import filters

from napari_blurgan.cli import main
from napari_blurgan.content.histogram import otsu, triangle
from napari_blurgan.content.picking import Region, threshold_from_regions
from napari_blurgan.data.colour import ChannelMean
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.writing.ome_tiff import write_ome_tiff


@pytest.fixture
def image() -> np.ndarray:
    image = np.full((30, 40), 10.0)
    image[10:20, 20:35] = 50
    return image


def test_the_threshold_lies_between_the_means(image: np.ndarray) -> None:
    dark, light = Region((4, 4), 3), Region((15, 27), 3)
    found = threshold_from_regions(image, [dark], [light])
    assert (found.threshold, found.background, found.foreground) == (30, 10, 50)
    assert (found.overlap, found.bright_background) == (0, False)
    swapped = threshold_from_regions(image, [light], [dark])
    assert swapped.bright_background
    assert swapped.overlap == 0


def test_a_region_half_outside_the_object_overlaps(image: np.ndarray) -> None:
    half = Region((15, 20), 4)
    found = threshold_from_regions(image, [Region((4, 4), 3)], [half])
    assert 0 < found.overlap < 0.5


def test_a_radius_of_zero_is_one_voxel_of_one_plane(image: np.ndarray) -> None:
    volume = np.stack([image, image + 100])
    assert Region((1, 15, 27), 0).values(volume).tolist() == [150]


@pytest.mark.parametrize(
    ("background", "foreground", "message"),
    [
        ([], [Region((1, 1), 1)], "no background was picked"),
        ([Region((1, 1), 1)], [], "no foreground was picked"),
        ([Region((1, 1), 1)], [Region((1, 99), 1)], "outside"),
        ([Region((1, 1), 1)], [Region((1, 1, 1), 1)], "does not fit"),
        ([Region((1, 1), 1)], [Region((2, 2), 1)], "same mean"),
    ],
)
def test_regions_that_say_nothing_are_refused(
    image: np.ndarray,
    background: list[Region],
    foreground: list[Region],
    message: str,
) -> None:
    with pytest.raises(DataError, match=message):
        threshold_from_regions(image, background, foreground)


def test_the_command(
    image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    write_ome_tiff(path, image.astype(np.uint16), "YX")
    regions = ["--background", "4,4,3", "2,8,1", "--foreground", "15,27,3"]
    assert main(["threshold", str(path), *regions, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["threshold"] == 30
    assert main(["threshold", str(path), *regions]) == 0
    assert "threshold  30" in capsys.readouterr().out
    wrong = ["--background", "4,4", "--foreground", "1,1,1"]
    assert main(["threshold", str(path), *wrong]) == 2
    assert "Y,X,R or Z,Y,X,R" in capsys.readouterr().err


def test_a_colour_volume_in_time_is_read_where_it_was_picked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    film = rng.integers(0, 99, (2, 3, 8, 9, 3)).astype(np.uint8)
    film[1, 2, 4, 5] = (200, 230, 230)
    mean = ChannelMean(Stack(film, "TZYXS"))
    assert (mean.axes, mean.shape) == ("TZYX", (2, 3, 8, 9))
    np.testing.assert_array_equal(mean[1, 2], film[1, 2].mean(-1))
    assert Region((1, 2, 4, 5), 0).values(mean).tolist() == [220]
    write_ome_tiff(tmp_path / "a.tif", film, "TZYXS")
    picks = ["--background", "2,0,0,0", "--foreground", "2,4,5,0", "--time", "1"]
    assert main(["threshold", str(tmp_path / "a.tif"), *picks, "--json"]) == 0
    expected = (film[1, 2, 0, 0].mean() + 220) / 2
    assert json.loads(capsys.readouterr().out)["threshold"] == expected
    assert main(["threshold", str(tmp_path / "a.tif"), *picks, "--time", "2"]) == 2
    assert "no T = 2" in capsys.readouterr().err


def test_an_alpha_channel_has_no_part_in_the_mean() -> None:
    rgba = np.zeros((4, 5, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = 60, 255
    assert (ChannelMean(Stack(rgba, "YXS"))[:] == 60).all()


def test_the_automatic_ones_agree_with_an_independent_implementation() -> None:
    rng = np.random.default_rng(0)
    pixels = np.concatenate([rng.normal(20, 3, 9000), rng.normal(60, 8, 1000)])
    width = np.ptp(pixels) / 256
    assert otsu(pixels) == pytest.approx(filters.threshold_otsu(pixels), abs=width)
    for image in (pixels, -pixels):
        expected = filters.threshold_triangle(image)
        assert triangle(image) == pytest.approx(expected, abs=2 * width)
    with pytest.raises(DataError, match="all pixels are equal"):
        otsu(np.full(9, 3))
