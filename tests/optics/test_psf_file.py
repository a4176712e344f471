"""PSFs on disk: what files tell, what they do not, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from napari_blurgan.errors import OpticsError
from napari_blurgan.headers.units import micrometres
from napari_blurgan.inverse.psf_fit import fit_psf
from napari_blurgan.optics.psf import Psf

DATA = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
MINIS = "minisblack"


def test_a_plain_tiff_needs_a_voxel_size(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, DATA, photometric="minisblack")
    with pytest.raises(OpticsError, match="voxel_size"):
        Psf.load(path)
    assert Psf.load(path, (0.3, 0.1, 0.1)).voxel_size == (0.3, 0.1, 0.1)


def test_an_imagej_tiff_tells_its_own(tmp_path: Path) -> None:
    path = tmp_path / "imagej.tif"
    metadata = {"axes": "ZYX", "spacing": 0.3, "unit": "micron"}
    resolution = (1 / 0.1, 1 / 0.05)
    tifffile.imwrite(path, DATA, imagej=True, resolution=resolution, metadata=metadata)
    psf = Psf.load(path)
    np.testing.assert_allclose(psf.voxel_size, (0.3, 0.05, 0.1), rtol=1e-5)
    assert psf.provenance == {"file": "imagej.tif"}


def test_units_are_turned_into_micrometres(tmp_path: Path) -> None:
    path = tmp_path / "nm.ome.tif"
    sizes = {f"PhysicalSize{a}": 100 for a in "ZYX"}
    units = {f"PhysicalSize{a}Unit": "nm" for a in "ZYX"}
    tifffile.imwrite(path, DATA, metadata={"axes": "ZYX", **sizes, **units})
    np.testing.assert_allclose(Psf.load(path).voxel_size, (0.1, 0.1, 0.1))


def test_what_is_given_overrules_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    assert Psf.load(path, (0.2, 0.1, 0.1)).voxel_size == (0.2, 0.1, 0.1)


def test_a_damaged_description_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"<Pixels", b"<Pixel>", 1))
    with pytest.raises(OpticsError, match="voxel_size"):
        Psf.load(path)


def test_nan_psfs_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "nan.tif"
    tifffile.imwrite(path, np.full((5, 6, 7), np.nan, np.float32))
    with pytest.raises(OpticsError, match=r"nan\.tif: .*NaN"):
        Psf.load(path, (0.1, 0.1, 0.1))


def test_a_single_plane_is_a_psf_for_images(tmp_path: Path) -> None:
    path = tmp_path / "plane.tif"
    tifffile.imwrite(path, DATA[0])
    assert Psf.load(path, (1, 0.1, 0.1)).shape == (1, 4, 5)


def test_more_than_a_volume_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "czyx.ome.tif"
    tifffile.imwrite(path, np.stack([DATA, DATA]), metadata={"axes": "CZYX"})
    with pytest.raises(OpticsError, match="one volume"):
        Psf.load(path)


@pytest.mark.parametrize("content", [b"", b"not a tiff at all"])
def test_what_is_no_tiff_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    with pytest.raises(OpticsError, match=r"broken\.tif: cannot be read"):
        Psf.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpticsError, match="cannot be read"):
        Psf.load(tmp_path / "nowhere.tif")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    before = path.read_bytes()
    with pytest.raises(OpticsError, match="provenance"):
        Psf(DATA, (0.3, 0.1, 0.1), {"bad": object()}).save(path, overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(tifffile, "imwrite", fail)
    with pytest.raises(OpticsError, match="no space left"):
        Psf(DATA[::-1], (0.3, 0.1, 0.1)).save(path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


def test_saving_into_no_folder_or_under_another_kind_is_refused(tmp_path: Path) -> None:
    psf = Psf(DATA, (0.3, 0.1, 0.1))
    with pytest.raises(OpticsError, match="cannot be written"):
        psf.save(tmp_path / "nowhere" / "a.ome.tif")
    with pytest.raises(OpticsError, match=r"\.ome\.tif"):
        psf.save(tmp_path / "a.npy")


def peaked(shape: tuple[int, int, int]) -> np.ndarray:
    axes = [np.exp(-(((np.arange(n) - n // 2) / 1.6) ** 2) / 2) for n in shape]
    return np.einsum("i,j,k->ijk", *axes).astype(np.float32)


@pytest.mark.parametrize("shape", [(9, 15, 15), (8, 16, 14), (1, 15, 16), (9, 15, 16)])
def test_a_psf_in_fft_order_is_put_in_order_and_that_is_said(
    tmp_path: Path, shape: tuple[int, int, int]
) -> None:
    psf = peaked(shape)
    tifffile.imwrite(tmp_path / "a.tif", np.fft.ifftshift(psf), photometric=MINIS)
    found = Psf.load(tmp_path / "a.tif", (0.3, 0.1, 0.1))
    np.testing.assert_allclose(found.data, psf / psf.sum(), rtol=1e-5)
    assert "FFT order" in found.provenance["notes"][-1]


def test_fft_order_in_the_plane_alone_is_seen_too(tmp_path: Path) -> None:
    psf = peaked((9, 15, 15))
    given = np.fft.ifftshift(psf, (1, 2))
    tifffile.imwrite(tmp_path / "a.tif", given, photometric=MINIS)
    found = Psf.load(tmp_path / "a.tif", (0.3, 0.1, 0.1))
    np.testing.assert_allclose(found.data, psf / psf.sum(), rtol=1e-5)


@pytest.mark.parametrize("offset", [0, 2])
def test_a_psf_at_the_border_is_not_in_fft_order(tmp_path: Path, offset: int) -> None:
    psf = peaked((9, 31, 31))[:, 15 - offset :, 15 - offset :]
    tifffile.imwrite(tmp_path / "a.tif", psf, photometric=MINIS)
    found = Psf.load(tmp_path / "a.tif", (0.3, 0.1, 0.1))
    np.testing.assert_allclose(found.data, psf / psf.sum(), rtol=1e-5)


def test_noise_and_an_offset_do_not_hide_fft_order(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).poisson(300 * peaked((21, 31, 31)) + 100)
    given = np.fft.ifftshift(noisy).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", given, photometric=MINIS)
    found = Psf.load(tmp_path / "a.tif", (0.3, 0.1, 0.1))
    np.testing.assert_allclose(found.data, noisy / noisy.sum(), rtol=1e-5)


def test_notes_of_reading_are_not_saved(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", peaked((9, 15, 15)), photometric=MINIS)
    first = Psf.load(tmp_path / "a.tif", (0.3, 0.1, 0.1))
    assert first.provenance["notes"]
    first.save(tmp_path / "b.ome.tif")
    assert Psf.load(tmp_path / "b.ome.tif").provenance == {"file": "a.tif"}


@pytest.mark.parametrize("axes", ["YXS", "CYX", "TZYX"])
def test_pictures_channels_and_movies_are_no_psfs(tmp_path: Path, axes: str) -> None:
    path = tmp_path / "a.ome.tif"
    shape = {"T": 2, "C": 2, "Z": 3, "Y": 8, "X": 9, "S": 3}
    image = np.ones([shape[a] for a in axes], np.uint8)
    tifffile.imwrite(path, image, ome=True, metadata={"axes": axes})
    with pytest.raises(OpticsError, match=r"colour|one volume"):
        Psf.load(path, (0.3, 0.1, 0.1))


@pytest.mark.parametrize("unit", ["m", "cm", "inch", "nanometer", "micrometers"])
def test_psfs_know_the_units_of_images(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "a.tif"
    factor = micrometres(1, unit)
    metadata = {"axes": "ZYX", "spacing": 0.3 / factor, "unit": unit}
    resolution = (10 * factor, 10 * factor)
    tifffile.imwrite(path, DATA, imagej=True, resolution=resolution, metadata=metadata)
    np.testing.assert_allclose(Psf.load(path).voxel_size, (0.3, 0.1, 0.1), rtol=1e-5)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_psfs_are_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, DATA, imagej=True, metadata={"axes": "ZYX"})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(OpticsError, match="cannot be read"):
        Psf.load(path, (0.3, 0.1, 0.1))


def test_psfs_are_read_from_zarr(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "psf.zarr", data=DATA)
    psf = Psf.load(tmp_path / "psf.zarr", (0.3, 0.1, 0.1))
    np.testing.assert_allclose(psf.data, DATA / DATA.sum(), rtol=1e-5)


def test_an_unknown_step_along_z_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeY": 0.1, "PhysicalSizeX": 0.1}
    tifffile.imwrite(path, DATA, ome=True, metadata=metadata)
    with pytest.raises(OpticsError, match="along z; give voxel_size"):
        Psf.load(path)


ODD_OPTICS = {"na": 1.2, "ni": 1.33, "wavelength": 520, "modality": "widefield"}


@pytest.mark.parametrize(
    "said",
    [
        {"model": "vectorial", "optics": ODD_OPTICS | {"more": 1}},
        {"model": "vectorial", "optics": ODD_OPTICS | {"na": "x"}},
        {"fitted": True, "notes": 3},
    ],
)
def test_a_description_of_anybody_is_not_believed(
    tmp_path: Path, said: dict[str, Any]
) -> None:
    """In FFT order, and yet "fitted": it is put in order, whatever it says."""
    data = np.fft.ifftshift(ball())
    sizes = {f"PhysicalSize{axis}": 0.1 for axis in "ZYX"}
    metadata = {"axes": "ZYX", "Description": json.dumps(said), **sizes}
    path = tmp_path / "psf.ome.tif"
    tifffile.imwrite(path, data, ome=True, metadata=metadata, photometric="minisblack")
    fitted, notes = fit_psf(Psf.load(path), (40, 30, 30), (0.1, 0.1, 0.1))
    assert "FFT order" in notes[0]
    assert fitted.data.argmax() == fitted.data.size // 2


def test_what_was_made_to_fit_is_not_saved_as_such(tmp_path: Path) -> None:
    fitted, _ = fit_psf(Psf(ball(), (0.1, 0.1, 0.1)), (3, 9, 9))
    assert fitted.provenance["fitted"]
    fitted.save(tmp_path / "psf.ome.tif")
    assert "fitted" not in Psf.load(tmp_path / "psf.ome.tif").provenance


@pytest.mark.parametrize("size", [5, "abc", (0, 1, 1), (1e9, 0.1, 0.1)])
def test_an_impossible_voxel_size_is_refused(tmp_path: Path, size: Any) -> None:
    tifffile.imwrite(tmp_path / "psf.tif", ball())
    with pytest.raises(OpticsError, match="three positive numbers"):
        Psf.load(tmp_path / "psf.tif", size)


def ball() -> np.ndarray:
    ramps = np.meshgrid(*(np.arange(-5, 6),) * 3, indexing="ij")
    return np.exp(-sum(r**2 for r in ramps) / 6).astype(np.float32)
