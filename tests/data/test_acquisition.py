"""Results open in plain ImageJ as they are, and how an image was taken survives."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_blurgan import Stack, deconvolve, read_stack
from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_optics import channel_optics
from napari_blurgan.writing.ome_tiff import write_ome_tiff

SIZES = {"T": 3, "C": 2, "Z": 5, "Y": 24, "X": 32, "S": 3}
VOXEL = (0.3, 0.1, 0.11)
JAR = Path("/usr/share/java/ij.jar")
MACRO = """
setBatchMode(true);
open("{path}");
getDimensions(w, h, c, z, t); getVoxelSize(x, y, d, unit);
print(c, z, t, h, w, d, y, x, unit, Stack.getFrameInterval());
"""


def stack_of(axes: str, dtype: str = "uint16") -> Stack:
    shape = [SIZES[axis] for axis in axes]
    pixels = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    names = ("dapi", "gfp") if "C" in axes else ()
    facts = {"provenance": {"a": 1}, "acquisition": Acquisition(interval=2.5)}
    return Stack(pixels, axes, VOXEL, channel_names=names, metadata=facts)


@pytest.mark.parametrize("axes", ["YX", "ZYX", "CZYX", "TCZYX", "TYX", "YXS"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_tif_is_a_hyperstack_that_reads_back(
    axes: str, dtype: str, tmp_path: Path
) -> None:
    dtype = "uint8" if "S" in axes else dtype  # ImageJ has no other colours
    stack = stack_of(axes, dtype)
    stack.save(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_imagej
        assert not tif.is_ome
    found = read_stack(tmp_path / "a.tif")
    order = [axes.index(axis) for axis in found.axes]
    np.testing.assert_array_equal(np.asarray(found), stack.data.transpose(order))
    known = VOXEL if "Z" in axes else (None, *VOXEL[1:])
    assert found.voxel_size == pytest.approx(known)
    assert found.channel_names == stack.channel_names
    assert found.metadata["provenance"] == {"a": 1}
    assert found.metadata["acquisition"].interval == (2.5 if "T" in axes else None)


@pytest.mark.parametrize(
    ("axes", "dtype"),
    [("ZYX", "int32"), ("ZYX", "float64"), ("ZYX", "int16"), ("YXS", "uint16")],
)
def test_what_imagej_cannot_hold_is_an_ome_tiff(
    axes: str, dtype: str, tmp_path: Path
) -> None:
    stack_of(axes, dtype).save(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_ome


@pytest.mark.skipif(
    not (JAR.is_file() and shutil.which("xvfb-run") and shutil.which("java")),
    reason="ImageJ is not installed (apt install imagej)",
)
@pytest.mark.slow
@pytest.mark.parametrize("axes", ["ZYX", "CZYX", "TCZYX"])
def test_imagej_shows_axes_voxels_and_interval(axes: str, tmp_path: Path) -> None:
    path, macro = tmp_path / "a.tif", tmp_path / "a.ijm"
    stack_of(axes).save(path)
    macro.write_text(MACRO.replace("{path}", str(path)), encoding="utf-8")
    command = ["xvfb-run", "-a", "java", "-jar", str(JAR), "-batch", str(macro)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    sizes = [SIZES[a] if a in axes else 1 for a in "CZTYX"]
    (said,) = re.findall(r"^\d.*$", run.stdout, re.MULTILINE)
    *numbers, unit, interval = said.split()
    assert [float(n) for n in numbers] == pytest.approx([*sizes, *VOXEL], rel=1e-5)
    assert unit == "µm"
    assert float(interval) == (2.5 if "T" in axes else 0)


TAKEN = {
    "Name": "well A1",
    "axes": "TCYX",
    "TimeIncrement": 500.0,
    "TimeIncrementUnit": "ms",
    "PhysicalSizeX": 0.1,
    "PhysicalSizeY": 0.1,
    "Channel": {
        "Name": ["dapi", "gfp"],
        "EmissionWavelength": [455.0, 520.0],
        "EmissionWavelengthUnit": ["nm", "nm"],
        "Color": [65535, 16711935],
    },
}


def test_how_an_image_was_taken_survives_processing(tmp_path: Path) -> None:
    source, out = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    pixels = np.random.default_rng(0).poisson(50, (2, 2, 24, 24)).astype(np.uint16)
    tifffile.imwrite(source, pixels, ome=True, metadata=TAKEN)
    kernel = np.ones((3, 3), np.float32) / 9
    deconvolve(source, kernel, num_iter=2).save(out)
    found = read_stack(out).metadata["acquisition"]
    assert found.interval == pytest.approx(0.5)
    assert [c["EmissionWavelength"] for c in found.channels] == ["455.0", "520.0"]
    assert [c["Color"] for c in found.channels] == ["65535", "16711935"]
    assert found.image == "well A1"
    only = read_stack(out).only_channel(1).metadata["acquisition"]
    assert [c["EmissionWavelength"] for c in only.channels] == ["520.0"]


def test_the_lens_survives(tmp_path: Path) -> None:
    lens = {"LensNA": "1.4", "Immersion": "Oil", "RefractiveIndex": "1.518"}
    waves = ({"EmissionWavelength": "520", "EmissionWavelengthUnit": "nm"},)
    stack = stack_of("ZYX")
    stack.metadata["acquisition"] = Acquisition(channels=waves, lens=lens)
    stack.save(tmp_path / "a.ome.tif")
    found = read_stack(tmp_path / "a.ome.tif").metadata["acquisition"]
    assert found.lens == lens
    known = {"na": 1.4, "ni": 1.518, "wavelength": 520.0}
    assert channel_optics(tmp_path / "a.ome.tif") == [known]


def test_the_tiff_itself_has_a_resolution(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", np.zeros((4, 4), np.uint8), "YX", VOXEL)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        top, bottom = tif.pages.first.tags["XResolution"].value
        assert tif.pages.first.tags["ResolutionUnit"].value == 3
    assert 1e4 * bottom / top == pytest.approx(0.11, rel=1e-4)
