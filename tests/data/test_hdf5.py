"""HDF5 files: which dataset is read, and what it becomes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.optics.phantoms import heads
from napari_blurgan.reading.images import read_stack


def written(path: Path, **datasets: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name.replace("__", "/")] = values
    return path


def to_kspace(images: np.ndarray) -> np.ndarray:
    spectra = np.fft.fft2(np.fft.ifftshift(images, axes=(1, 2)))
    return np.fft.fftshift(spectra, axes=(1, 2)).astype(np.complex64)


@pytest.mark.parametrize("name", ["a.h5", "a.HDF5"])
def test_the_only_image_is_read(tmp_path: Path, name: str) -> None:
    values = np.arange(60, dtype=">u2").reshape(3, 4, 5)
    path = written(tmp_path / name, entry__data=values, mask=np.ones(4), title="x")
    stack = read_stack(path)
    assert stack.axes == "ZYX"
    np.testing.assert_array_equal(stack.data, values)
    assert np.asarray(stack.data).dtype.isnative


def test_complex_numbers_are_two_channels(tmp_path: Path) -> None:
    images = heads((16, 20), 3, seed=0)
    stack = read_stack(written(tmp_path / "a.h5", images=images))
    assert (stack.axes, stack.channel_names) == ("CZYX", ("real", "imaginary"))
    np.testing.assert_array_equal(stack.data[0], images.real)
    np.testing.assert_array_equal(stack.data[1], images.imag)


def test_k_space_becomes_images_and_that_is_said(tmp_path: Path) -> None:
    images = heads((16, 20), 3, seed=0)
    stack = read_stack(written(tmp_path / "a.h5", kspace=to_kspace(images)))
    np.testing.assert_allclose(stack.data[0], images.real, atol=1e-6)
    np.testing.assert_allclose(stack.data[1], images.imag, atol=1e-6)
    assert "Fourier transform" in stack.metadata["notes"][0]


def test_which_one_of_several_has_to_be_said(tmp_path: Path) -> None:
    values = np.ones((2, 6, 6), np.float32)
    path = written(tmp_path / "a.h5", kspace=values + 1j, group__rss=values)
    with pytest.raises(DataError, match=r"several.*a\.h5/group/rss: .*kspace complex"):
        read_stack(path)
    with pytest.raises(DataError, match=r"no dataset 'image'.*\(2, 6, 6\)"):
        read_stack(path / "image")
    chosen = read_stack(path / "group/rss")
    assert chosen.axes == "ZYX"
    assert chosen.metadata["source"] == str(path / "group/rss")


def test_four_axes_have_to_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", images=np.ones((2, 3, 4, 5), np.complex64))
    with pytest.raises(AxesError, match="axes"):
        read_stack(path)
    assert read_stack(path, axes="TZYX").axes == "TCZYX"


def test_nothing_is_read_from_other_files(tmp_path: Path) -> None:
    values = np.ones((4, 4), np.float32)
    other = written(tmp_path / "other.h5", image=values)
    raw = tmp_path / "raw"
    raw.write_bytes(values.tobytes())
    path = written(tmp_path / "a.h5", short=np.ones(3))
    with h5py.File(path, "a") as file:
        file["link"] = h5py.ExternalLink(other, "image")
        place = [(str(raw), 0, 64)]
        file.create_dataset("raw", (4, 4), np.float32, external=place)
        layout = h5py.VirtualLayout((4, 4), np.float32)
        layout[:] = h5py.VirtualSource(other, "image", (4, 4))
        file.create_virtual_dataset("virtual", layout)
    for name in ("", "link", "raw", "virtual"):
        with pytest.raises(DataError, match="no image"):
            read_stack(path / name)


def test_damaged_and_huge_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", image=np.ones((64, 64)))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"a\.h5: is no HDF5 file"):
        read_stack(path)
    huge = tmp_path / "b.h5"
    with h5py.File(huge, "w") as file:
        file.create_dataset("image", (1 << 20, 1 << 20), np.float32, chunks=(64, 64))
    with pytest.raises(DataError, match="memory"):
        read_stack(huge)


def test_without_the_package_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.h5", image=np.ones((4, 4)))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"napari-blurgan\[formats\]"):
        read_stack(path)


def test_a_dataset_is_trained_with_and_restored_from_the_command_line(
    tmp_path: Path,
) -> None:
    images = heads((32, 32), 4, seed=0)
    kspace = to_kspace(images)
    kspace[:, np.random.default_rng(0).permutation(32)[:20]] = 0
    kspace[:, 15:18] = to_kspace(images)[:, 15:18]
    path = written(tmp_path / "scan.h5", kspace=kspace, rss=np.abs(images))
    out, result = tmp_path / "m.blurgan", tmp_path / "r.ome.tif"
    small = ["reconstructor.base=2", "sampling.batch=2", "steps=1"]
    line = ["train", "ssdu", "--blurred", str(path / "kspace"), "--out", str(out)]
    assert main([*line, "--set", *small, "--device", "cpu"]) == 0
    assert main(["restore", str(out), str(path / "kspace"), "--out", str(result)]) == 0
    assert read_stack(result).data.shape == (2, 4, 32, 32)
