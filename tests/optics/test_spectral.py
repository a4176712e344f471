"""PSFs identified from unpaired power spectra, and the loss behind it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.errors import DataError, OpticsError
from napari_blurgan.identification.identify import SpectralFit, identify_psf
from napari_blurgan.identification.spectral import SpectralLoss
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import PupilKernel, pupil_psf
from napari_blurgan.optics.simulation import margin_for, simulate

pytestmark = pytest.mark.slow

VOXEL = (0.15, 0.08, 0.08)
FIELD = (40, 80, 80)
OPTICS: dict[str, Any] = {"na": 1.3, "ni": 1.515, "wavelength": 525.0}


@cache
def truth() -> Psf:
    return vectorial(Optics(**OPTICS), (21, 31, 31), VOXEL)


@cache
def sharp(
    structure: str, first: int, thickness: float | None = None, margin: Any = (0, 0, 0)
) -> Any:
    shape = [n + 2 * m for n, m in zip(FIELD, margin, strict=True)]
    options: dict[str, Any] = {} if thickness is None else {"thickness": thickness}
    return [phantom(structure, shape, VOXEL, first + i, **options) for i in range(3)]


@cache
def clean(structure: str) -> Any:
    margin = margin_for(truth().data)
    images = sharp(structure, 100, margin=margin)
    return [simulate(x, truth().data, seed=0, margin=margin)[1] for x in images]


def scale(structure: str, photons: float = 120.0) -> float:
    return photons / max(image.max() for image in clean(structure))


@cache
def blurred(structure: str, photons: float = 120.0) -> Any:
    camera = Camera(scale(structure, photons), read_noise=3.0, offset=100.0)
    return [camera.expose(image, seed) for seed, image in enumerate(clean(structure))]


def identify(structure: str, other: str | None = None, **options: Any) -> SpectralFit:
    known: dict[str, Any] = {"na": 1.3, "wavelength": 525.0, "shape": truth().shape}
    images = sharp(other or structure, 200)
    return identify_psf(blurred(structure), images, VOXEL, **(known | options))


def width_errors(psf: Psf) -> np.ndarray:
    return np.array(psf.fwhm()) / np.array(truth().fwhm()) - 1


@pytest.mark.parametrize("structure", ["microtubules", "vesicles", "membranes"])
def test_identifies_the_psf_of_another_model(structure: str) -> None:
    fit = identify(structure)
    assert fit.psf.ncc(truth()) > 0.99
    assert abs(width_errors(fit.psf)).max() < 0.15
    assert max(abs(c) for c in fit.psf.centroid()) < 0.01
    assert fit.matched, fit.message
    assert fit.residual < 2.5 * fit.expected


def test_identifies_without_knowing_the_optics() -> None:
    fit = identify("microtubules", na=None, wavelength=None)
    assert fit.psf.ncc(truth()) > 0.99
    assert abs(width_errors(fit.psf)).max() < 0.1
    assert fit.matched, fit.message


def test_bears_half_the_photons_and_a_wrong_background() -> None:
    dim = [image - 110.0 for image in blurred("microtubules", photons=60.0)]
    images = [x + 0.1 for x in sharp("microtubules", 200)]
    fit = identify_psf(dim, images, VOXEL, na=1.3, wavelength=525, shape=truth().shape)
    assert fit.psf.ncc(truth()) > 0.98


def test_gain_is_the_one_between_the_sets() -> None:
    margin = margin_for(truth().data)
    inner = tuple(slice(m, -m) for m in margin)
    same = [image[inner] for image in sharp("microtubules", 100, margin=margin)]
    term = SpectralLoss(blurred("microtubules"), same, VOXEL)
    term.calibrate(torch.tensor(truth().data))
    assert term.gain(torch.tensor(truth().data)) == pytest.approx(
        scale("microtubules"), rel=0.01
    )


@pytest.mark.parametrize(
    ("structure", "other"),
    [("microtubules", "vesicles"), ("microtubules", "nuclei"), ("membranes", "nuclei")],
)
def test_says_that_the_sets_do_not_match(structure: str, other: str) -> None:
    fit = identify(structure, other)
    assert not fit.matched
    assert "do not match" in fit.message


def test_says_that_the_sharp_set_is_thicker() -> None:
    images = sharp("microtubules", 200, 0.32)
    fit = identify_psf(blurred("microtubules"), images, VOXEL, na=1.3, wavelength=525)
    assert not fit.matched
    assert "thicker" in fit.message or "different kinds" in fit.message


def test_identifies_the_width_of_planes() -> None:
    psf = vectorial(Optics(**OPTICS), (1, 31, 31), VOXEL)
    ys = []
    for seed in range(3):
        image = phantom("microtubules", (222, 222), VOXEL, seed)
        _, image = simulate(image, psf.data, seed=0, margin=(15, 15))
        ys.append(Camera(200 / image.max()).expose(image, seed))
    xs = [phantom("microtubules", (192, 192), VOXEL, 10 + seed) for seed in range(3)]
    fit = identify_psf(ys, xs, VOXEL, shape=(1, 31, 31))
    assert fit.psf.shape == (1, 31, 31)
    assert fit.psf.ncc(psf) > 0.99
    assert fit.psf.fwhm()[2] == pytest.approx(psf.fwhm()[2], rel=0.08)


def loss(**options: Any) -> SpectralLoss:
    ys, xs = blurred("microtubules"), sharp("microtubules", 200)
    return SpectralLoss(ys, xs, VOXEL, **options)


def kernel(wavelength: float = 525.0) -> torch.Tensor:
    return pupil_psf((15, 15, 15), VOXEL, na=1.3, ni=1.515, wavelength=wavelength)


def test_loss_ignores_backgrounds_and_units() -> None:
    plain, h = loss(), kernel()
    ys = [3 * y + 1000 for y in blurred("microtubules")]
    xs = [0.2 * x + 5 for x in sharp("microtubules", 200)]
    other = SpectralLoss(ys, xs, VOXEL)
    assert float(other(h)) == pytest.approx(float(plain(h)), rel=2e-3)
    assert other.gain(h) == pytest.approx(plain.gain(h) * 15, rel=2e-3)


def test_loss_is_least_near_the_truth() -> None:
    term = loss(refresh=0)
    values = {nm: term.misfit(kernel(nm)) for nm in (350, 460, 525, 600, 690)}
    assert min(values, key=values.get) in (460, 525, 600)
    assert values[350] > 1.2 * values[460]
    assert values[690] > 1.2 * values[600]


def test_gradient_descent_on_the_loss_finds_the_kernel() -> None:
    term = loss(largest=(32, 64, 64))
    learned = PupilKernel((15, 15, 15), VOXEL, na=1.3, ni=1.515, wavelength=640.0)
    core = truth().cropped((15, 15, 15))
    optimiser = torch.optim.Adam(learned.parameters(), lr=0.02)
    start = Psf(learned().detach().numpy(), VOXEL).ncc(core)
    for _ in range(60):
        optimiser.zero_grad()
        term(learned()).backward()
        optimiser.step()
    end = Psf(learned().detach().numpy(), VOXEL)
    assert end.ncc(core) > 0.99 > start


def test_correction_travels_with_the_state() -> None:
    term, other = loss(), loss()
    term(kernel(600.0))
    other.load_state_dict(term.state_dict())
    torch.testing.assert_close(other(kernel()), term(kernel()))
    assert set(term.state_dict()) == {"correction", "calls"}


def test_unusable_images_are_refused() -> None:
    ys, xs = blurred("microtubules"), sharp("microtubules", 200)
    noise = [np.random.default_rng(0).normal(size=FIELD) for _ in range(2)]
    with pytest.raises(DataError, match="too weak to estimate"):
        SpectralLoss(noise, xs, VOXEL)
    with pytest.raises(DataError, match="no sharp images"):
        SpectralLoss(ys, [], VOXEL)
    with pytest.raises(DataError, match="blurred image 1 of 1: contains NaN"):
        SpectralLoss([np.full(FIELD, np.nan)], xs, VOXEL)
    with pytest.raises(DataError, match="is constant"):
        SpectralLoss(ys, [np.ones(FIELD)], VOXEL)
    with pytest.raises(DataError, match="too small"):
        SpectralLoss(ys, [np.ones((40, 8, 80))], VOXEL)
    with pytest.raises(DataError, match="some images are planes"):
        SpectralLoss(ys, [xs[0][0]], VOXEL)
    with pytest.raises(OpticsError, match="does not fit"):
        identify_psf(ys, xs, VOXEL, na=1.4, ni=1.333)
    with pytest.raises(OpticsError, match="must be positive"):
        identify_psf(ys, xs, VOXEL, wavelength=-1)
