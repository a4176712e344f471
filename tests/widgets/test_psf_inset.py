"""The PSF in the dock: drawn, measured in words, also of planes."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QImage

from napari_blurgan import Psf
from napari_blurgan.optics.models import Optics, gaussian
from napari_blurgan.optics.psf import VOXELS
from napari_blurgan.widgets._psf_inset import PsfInset, widths
from napari_blurgan.widgets.psf import description

VOXEL = (0.3, 0.1, 0.1)
NARROW = gaussian(Optics(na=1.0, ni=1.33, wavelength=520), (21, 31, 31), VOXEL)
WIDE = gaussian(Optics(na=0.6, ni=1.33, wavelength=520), (21, 31, 31), VOXEL)


@pytest.fixture
def inset(qtbot: QtBot) -> PsfInset:
    widget = PsfInset()
    qtbot.addWidget(widget)
    widget.resize(330, 150)
    widget.show()
    return widget


def picture(inset: PsfInset) -> QImage:
    return inset._drawing.grab().toImage()


def thirds(image: QImage) -> tuple[QImage, QImage]:
    """Return the sections, and the profiles beside them."""
    width = image.width() // 3
    left = image.copy(0, 0, width, image.height())
    return left, image.copy(2 * width, 0, width, image.height())


def test_widths_stand_beside_theory(inset: PsfInset) -> None:
    inset.show_psf(WIDE, NARROW)
    z, y, _ = WIDE.fwhm()
    assert f"{y:.2f} µm across, {z:.2f} µm in z" in inset.text()
    assert f"(theory {NARROW.fwhm()[1]:.2f}, {NARROW.fwhm()[0]:.2f})" in inset.text()


def test_a_plane_has_no_width_in_z() -> None:
    plane = Psf(NARROW.data[10][None], VOXEL)
    words = widths(plane, plane)
    assert "nan" not in words
    assert "in z" not in words


def test_an_unknown_width_is_no_nan() -> None:
    assert "nan" not in widths(Psf(np.ones((5, 9, 9)), VOXEL), None)


def test_without_the_size_of_a_voxel_widths_are_in_voxels() -> None:
    plane = Psf(NARROW.data[10][None], (1, 1, 1), {"unit": VOXELS})
    words = widths(plane, None)
    assert words.endswith(" voxels across")
    assert description(plane, plane).count("voxels") == 2


def test_what_is_seen_changes_with_the_psf(inset: PsfInset) -> None:
    empty = picture(inset)
    inset.show_psf(NARROW)
    sections, profiles = thirds(picture(inset))
    assert sections != thirds(empty)[0]
    inset.show_psf(NARROW, WIDE)
    again, with_theory = thirds(picture(inset))
    assert again == sections
    assert with_theory != profiles
    inset.clear()
    assert picture(inset) == empty
    assert inset.text() == ""


def test_the_brightest_place_of_the_section_is_its_middle(inset: PsfInset) -> None:
    inset.show_psf(NARROW)
    image, aspect = inset._drawing._sections["xy"]
    assert aspect == pytest.approx(1)
    middle = image.pixelColor(image.width() // 2, image.height() // 2).lightness()
    corner = image.pixelColor(0, 0).lightness()
    assert middle > 200 > 60 > corner
