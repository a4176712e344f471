"""PSFs on disk: what files tell, what they do not, and what is refused."""

import numpy as np
import pytest
import tifffile

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.psf import Psf

DATA = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def test_a_plain_tiff_needs_a_voxel_size(tmp_path):
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, DATA, photometric="minisblack")
    with pytest.raises(OpticsError, match="voxel_size"):
        Psf.load(path)
    assert Psf.load(path, (0.3, 0.1, 0.1)).voxel_size == (0.3, 0.1, 0.1)


def test_an_imagej_tiff_tells_its_own(tmp_path):
    path = tmp_path / "imagej.tif"
    metadata = {"axes": "ZYX", "spacing": 0.3, "unit": "micron"}
    resolution = (1 / 0.1, 1 / 0.05)
    tifffile.imwrite(path, DATA, imagej=True, resolution=resolution, metadata=metadata)
    psf = Psf.load(path)
    np.testing.assert_allclose(psf.voxel_size, (0.3, 0.05, 0.1), rtol=1e-5)
    assert psf.provenance == {"file": "imagej.tif"}


def test_units_are_turned_into_micrometres(tmp_path):
    path = tmp_path / "nm.ome.tif"
    sizes = {f"PhysicalSize{a}": 100 for a in "ZYX"}
    units = {f"PhysicalSize{a}Unit": "nm" for a in "ZYX"}
    tifffile.imwrite(path, DATA, metadata={"axes": "ZYX", **sizes, **units})
    np.testing.assert_allclose(Psf.load(path).voxel_size, (0.1, 0.1, 0.1))


def test_what_is_given_overrules_the_file(tmp_path):
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    assert Psf.load(path, (0.2, 0.1, 0.1)).voxel_size == (0.2, 0.1, 0.1)


def test_a_damaged_description_is_as_good_as_none(tmp_path):
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"<Pixels", b"<Pixel>", 1))
    with pytest.raises(OpticsError, match="voxel_size"):
        Psf.load(path)


def test_nan_psfs_are_refused_by_name(tmp_path):
    path = tmp_path / "nan.tif"
    tifffile.imwrite(path, np.full((5, 6, 7), np.nan, np.float32))
    with pytest.raises(OpticsError, match=r"nan\.tif: .*NaN"):
        Psf.load(path, (0.1, 0.1, 0.1))


def test_a_single_plane_is_a_psf_for_images(tmp_path):
    path = tmp_path / "plane.tif"
    tifffile.imwrite(path, DATA[0])
    assert Psf.load(path, (1, 0.1, 0.1)).shape == (1, 4, 5)


def test_more_than_a_volume_is_refused(tmp_path):
    path = tmp_path / "czyx.ome.tif"
    tifffile.imwrite(path, np.stack([DATA, DATA]), metadata={"axes": "CZYX"})
    with pytest.raises(OpticsError, match="one volume"):
        Psf.load(path)


@pytest.mark.parametrize("content", [b"", b"not a tiff at all"])
def test_what_is_no_tiff_is_refused(tmp_path, content):
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    with pytest.raises(OpticsError, match=r"broken\.tif: cannot be read"):
        Psf.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(OpticsError, match="cannot be read"):
        Psf.load(tmp_path / "nowhere.tif")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)
    before = path.read_bytes()
    with pytest.raises(OpticsError, match="provenance"):
        Psf(DATA, (0.3, 0.1, 0.1), {"bad": object()}).save(path, overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.ome.tif"
    Psf(DATA, (0.3, 0.1, 0.1)).save(path)

    def fail(*_args, **_kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(tifffile, "imwrite", fail)
    with pytest.raises(OpticsError, match="no space left"):
        Psf(DATA[::-1], (0.3, 0.1, 0.1)).save(path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


def test_saving_into_no_folder_or_under_another_kind_is_refused(tmp_path):
    psf = Psf(DATA, (0.3, 0.1, 0.1))
    with pytest.raises(OpticsError, match="cannot be written"):
        psf.save(tmp_path / "nowhere" / "a.ome.tif")
    with pytest.raises(OpticsError, match=r"\.ome\.tif"):
        psf.save(tmp_path / "a.npy")
