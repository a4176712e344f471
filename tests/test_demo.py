"""The demo: what it says is what it did, on a part that it was not trained on.

Its network refines an estimate of few iterations here, which would take a minute.
"""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from napari_blurgan.cli import main
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.methods.presets import preset
from napari_blurgan.optics.models import theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tasks import demo as demo_module
from napari_blurgan.tasks.demo import OPTICS, REACH, TESTED, TRAINED
from napari_blurgan.tasks.samples import sample


@dataclass
class Ran:
    """A demo that has run, for seconds: what it printed and where it wrote."""

    printed: str
    folder: Path

    def figure(self, name: str) -> float:
        """Return the correlation printed for an image."""
        found = re.search(rf"  {name}\s+(-?[\d.]+)", self.printed)
        assert found is not None
        return float(found[1])

    @property
    def moved(self) -> tuple[slice, ...]:
        """Where the measured image is compared, by the shift that was printed."""
        found = re.search(r"\((-?\d+), (-?\d+), (-?\d+)\) voxels", self.printed)
        assert found is not None
        shift = map(int, found.groups())
        return tuple(
            slice(part.start + s, part.stop + s)
            for part, s in zip(TESTED, shift, strict=True)
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("demo") / "out"
    quick = preset("nonblind").updated({"reconstructor.iterations": 5})
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setattr(demo_module, "preset", {"nonblind": quick}.__getitem__)
        assert main(["demo", "--minutes", "0.05", "--out", str(folder)]) == 0
    return Ran(printed.getvalue(), folder)


def test_what_is_compared_took_no_part_in_the_training() -> None:
    assert TRAINED.stop <= TESTED[2].start - REACH


def test_the_psf_is_that_of_the_optics_and_stays_so(demo: Ran) -> None:
    assert "PSF from the optics" in demo.printed
    psf = Psf.load(demo.folder / "psf.ome.tif")
    theory = theoretical_psf(OPTICS, psf.shape, psf.voxel_size)
    np.testing.assert_allclose(psf.data, theory.data, atol=1e-5)


def test_the_figures_are_those_of_the_images(demo: Ran) -> None:
    confocal, widefield = (sample("dna").frame(0, c)[0] for c in (0, 1))
    restored = read_stack(demo.folder / "restored.ome.tif").frame()[0]
    truth = confocal[TESTED]
    for name, image in (("widefield, as measured", widefield), ("trained", restored)):
        expected = correlation(image[demo.moved], truth)
        assert demo.figure(name) == pytest.approx(expected, abs=6e-4)
    assert 0.9 < demo.figure("Richardson-Lucy at its best") < 1
    assert demo.figure("widefield, as measured") < 0.65


def test_the_report_is_a_picture(demo: Ran) -> None:
    assert imread(demo.folder / "report.png").ndim == 3
