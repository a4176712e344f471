"""The PSF models against closed forms, conservation laws and one another."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import special

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.diffraction.integrals import vectorial_intensity
from napari_blurgan.optics.models import (
    MODELS,
    Optics,
    OpticsWarning,
    born_wolf,
    gaussian,
    gibson_lanni,
    support_shape,
    theoretical_psf,
    vectorial,
)

DRY = Optics(0.5, 1.0, 525)
OIL = Optics(1.4, 1.515, 525)
FINE = (0.1, 0.02, 0.02)


def scaled(values: np.ndarray) -> np.ndarray:
    return values / values.max()


def test_born_wolf_in_focus_is_the_airy_disc() -> None:
    psf = born_wolf(DRY, (1, 101, 101), FINE)
    x = (np.arange(101) - 50) * FINE[2]
    v = 2 * np.pi / 0.525 * 0.5 * np.hypot(x[:, None], x)
    v[50, 50] = 1e-9
    airy = (2 * special.j1(v) / v) ** 2
    np.testing.assert_allclose(scaled(psf.data[0]), airy, atol=1e-6)


def test_born_wolf_on_the_axis_is_a_sinc_squared() -> None:
    psf = born_wolf(DRY, (201, 1, 1), FINE)
    z = (np.arange(201) - 100) * FINE[0]
    u = 2 * np.pi / 0.525 * 0.5**2 * z
    np.testing.assert_allclose(
        scaled(psf.data[:, 0, 0]), np.sinc(u / 4 / np.pi) ** 2, atol=1e-6
    )


@pytest.mark.filterwarnings("ignore::napari_blurgan.optics.models.OpticsWarning")
@pytest.mark.parametrize(
    ("na", "ni"), [(0.5, 1.0), (0.95, 1.33), (1.2, 1.33), (1.4, 1.515)]
)
def test_born_wolf_off_axis_and_out_of_focus_is_lommels_series(
    na: float, ni: float
) -> None:
    # Principles of Optics, §8.8.1: I = (2 / u)² (U₁² + U₂²).
    optics = Optics(na, ni, 525)
    dr, dz = optics.nyquist[1] / 4, 0.25 * 0.525 * ni / na**2
    psf = born_wolf(optics, (9, 81, 81), (dz, dr, dr))
    u = 2 * np.pi / 0.525 * na**2 / ni * dz * np.arange(1, 5)[:, None]
    v = 2 * np.pi / 0.525 * na * dr * np.arange(1, 41)
    u1, u2 = (
        sum(
            (-1) ** s * (u / v) ** (n + 2 * s) * special.jv(n + 2 * s, v)
            for s in range(30)
        )
        for n in (1, 2)
    )
    lommel = (2 / u) ** 2 * (u1**2 + u2**2)
    ours = scaled(psf.data)[5:, 40, 41:]
    np.testing.assert_allclose(ours, lommel, atol=1e-5)


def test_every_model_agrees_at_a_small_aperture() -> None:
    small = Optics(0.1, 1.0, 525)
    voxel = (10.0, 0.4, 0.4)
    reference = born_wolf(small, (21, 31, 31), voxel)
    for model in (gibson_lanni, vectorial):
        assert model(small, (21, 31, 31), voxel).ncc(reference) > 0.9999
    widths = gaussian(small, (21, 31, 31), voxel).fwhm()
    np.testing.assert_allclose(widths, reference.fwhm(), rtol=0.02)


def dipole_images(optics: Optics, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the image of freely turning dipoles over (z, x), ray by ray.

    The plane waves of a dipole along x, y or z are split into the two polarisations of
    each ray, transmitted into the immersion, carried over into the parallel beam
    behind the objective, and focused by a weak lens: a sum over the pupil, without any
    Bessel function.
    """
    q = (np.arange(-100, 100) + 0.5) / 100 * optics.na
    qy, qx = (c[np.hypot(*np.meshgrid(q, q)) < optics.na] for c in np.meshgrid(q, q))
    phi, q = np.arctan2(qy, qx), np.hypot(qx, qy)
    ns, ni = optics.sample_index, optics.ni
    cos_s, cos_i = (np.sqrt(1 - (q / n) ** 2 + 0j) for n in (ns, ni))
    polar = np.stack([np.cos(phi) * cos_s, np.sin(phi) * cos_s, -q / ns])
    azimuthal = np.stack([-np.sin(phi), np.cos(phi), 0 * phi])
    # Fresnel, out of the sample; a wave's share of the far field goes with cos θ.
    polar = polar * 2 * ns * cos_s / (ni * cos_s + ns * cos_i)
    azimuthal = azimuthal * 2 * ns * cos_s / (ns * cos_s + ni * cos_i)
    share = ni * cos_i / (ns * cos_s) / np.sqrt(cos_i)
    path = optics.depth * ns * cos_s - z[:, None, None] * ni * cos_i + x[:, None] * qx
    waves = np.exp(2e3j * np.pi / optics.wavelength * path) * share
    return sum(
        abs(waves @ beam) ** 2
        for p, a in zip(polar, azimuthal, strict=True)  # dipoles along x, y, z
        for beam in (
            p * np.cos(phi) - a * np.sin(phi),
            p * np.sin(phi) + a * np.cos(phi),
        )
    )


@pytest.mark.parametrize(
    ("ns", "depth"), [(1.515, 0.0), (1.33, 0.0), (1.33, 2.0), (1.46, 2.0)]
)
def test_the_vectorial_model_is_the_image_of_freely_turning_dipoles(
    ns: float, depth: float
) -> None:
    optics = replace(OIL, ns=ns, depth=depth)
    z, x = depth * 1.515 / ns + np.array([0.0, 0.3, 0.6]), np.arange(30) * 0.03
    ours = vectorial_intensity(optics, 0.525, z, x)
    np.testing.assert_allclose(
        scaled(ours), scaled(dipole_images(optics, z, x)), atol=4e-3
    )


def test_born_wolf_warns_at_high_apertures_and_is_too_long_there() -> None:
    with pytest.warns(OpticsWarning, match="too long along z"):
        paraxial = born_wolf(OIL, (41, 41, 41), (0.1, 0.05, 0.05))
    exact = gibson_lanni(OIL, (41, 41, 41), (0.1, 0.05, 0.05))
    assert 1.3 < paraxial.fwhm()[0] / exact.fwhm()[0] < 1.45


def test_models_without_depth_say_so() -> None:
    deep = replace(DRY, ns=1.33, depth=10.0)
    for model in (gaussian, born_wolf):
        with pytest.warns(OpticsWarning, match="depth"):
            model(deep, (3, 3, 3), FINE)


def test_without_mismatch_depth_changes_nothing() -> None:
    for model in (gibson_lanni, vectorial):
        shallow = model(OIL, (11, 21, 21), (0.1, 0.05, 0.05))
        deep = model(replace(OIL, depth=20.0), (11, 21, 21), (0.1, 0.05, 0.05))
        assert deep.relative_error(shallow) < 1e-4


@pytest.mark.parametrize("model", [gibson_lanni, vectorial])
def test_depth_in_water_under_oil_makes_long_lopsided_and_farther(
    model: Callable[..., Any],
) -> None:
    voxel, shape = (0.1, 0.05, 0.05), (81, 41, 41)
    flat = model(OIL, shape, voxel)
    deep = model(replace(OIL, ns=1.33, depth=5.0), shape, voxel)
    # The objective must travel farther than the depth, by more than n_i / n_s.
    assert deep.provenance["focus"] > 5.0 * 1.515 / 1.33
    assert deep.fwhm()[0] > 1.5 * flat.fwhm()[0]
    axis = deep.data[:, 20, 20]
    assert axis.argmax() == 40
    # Rays of the rim focus at a longer travel: the tail points there.
    assert axis[60:].sum() > 3 * axis[:21].sum()


def test_a_thicker_coverslip_aberrates() -> None:
    voxel, shape = (0.1, 0.05, 0.05), (61, 21, 21)
    water = Optics(1.2, 1.333, 525)
    thick = replace(water, tg=180.0, tg0=170.0)
    right, wrong = vectorial(water, shape, voxel), vectorial(thick, shape, voxel)
    assert wrong.fwhm()[0] > 1.1 * right.fwhm()[0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(9, 15, 15), (8, 14, 16)])
def test_every_model_is_centred_round_and_of_the_shape_asked_for(
    name: str, shape: tuple[int, int, int]
) -> None:
    psf = theoretical_psf(DRY, shape, (0.5, 0.1, 0.1), name)
    assert psf.shape == shape
    assert psf.data.sum() == pytest.approx(1)
    assert psf.provenance["model"] == name
    peak = np.unravel_index(psf.data.argmax(), shape)
    assert peak == tuple(n // 2 for n in shape)
    odd = psf.cropped(tuple(n - 1 + n % 2 for n in shape)).data
    np.testing.assert_array_equal(odd, odd[:, ::-1, ::-1])


def test_coarse_voxels_are_integrated() -> None:
    fine = vectorial(OIL, (45, 63, 63), (0.05, 0.03, 0.03))
    coarse = vectorial(OIL, (9, 9, 9), (0.25, 0.21, 0.21))
    sums = fine.data.reshape(9, 5, 9, 7, 9, 7).sum(axis=(1, 3, 5))
    np.testing.assert_allclose(coarse.data, sums, atol=0.01 * sums.max())
    sampled = fine.data[2::5, 3::7, 3::7]
    assert abs(scaled(sampled) - scaled(sums)).max() > 0.05


def test_a_wide_open_pinhole_leaves_the_excitation() -> None:
    voxel, shape = (0.1, 0.04, 0.04), (11, 21, 21)
    open_ = replace(OIL, modality="confocal", excitation=488.0, pinhole=10.0)
    light = vectorial(replace(OIL, wavelength=488.0), shape, voxel)
    assert vectorial(open_, shape, voxel).relative_error(light) < 0.03


def test_a_tiny_pinhole_multiplies_excitation_and_emission() -> None:
    voxel, shape = (0.05, 0.02, 0.02), (11, 21, 21)
    tiny = replace(OIL, modality="confocal", excitation=488.0, pinhole=1e-3)
    product = (
        vectorial(replace(OIL, wavelength=488.0), shape, voxel).data
        * vectorial(OIL, shape, voxel).data
    )
    np.testing.assert_allclose(
        scaled(vectorial(tiny, shape, voxel).data), scaled(product), atol=1e-4
    )


def test_the_pinhole_is_a_disc() -> None:
    voxel, shape = (0.1, 0.02, 0.02), (1, 81, 81)
    confocal = replace(OIL, modality="confocal", excitation=488.0, pinhole=1.0)
    x = (np.arange(81) - 40) * 0.02
    disc = np.hypot(x[:, None], x) <= 0.61 * 0.525 / 1.4
    emission = vectorial(OIL, (1, 161, 161), voxel).data[0]
    behind = np.fft.fftshift(
        np.fft.ifft2(np.fft.fft2(emission) * np.fft.fft2(disc, emission.shape)).real
    )
    behind = np.roll(behind, (-(40 - 80), -(40 - 80)), (0, 1))
    peak = np.unravel_index(behind.argmax(), behind.shape)
    window = tuple(slice(p - 40, p + 41) for p in peak)
    light = vectorial(replace(OIL, wavelength=488.0), shape, voxel).data[0]
    expected = scaled(light * behind[window])
    got = scaled(vectorial(confocal, shape, voxel).data[0])
    np.testing.assert_allclose(got, expected, atol=0.01)


def test_a_light_sheet_multiplies_along_z() -> None:
    voxel, shape = (0.1, 0.05, 0.05), (31, 11, 11)
    sheet = replace(DRY, modality="lightsheet", sheet_thickness=1.0)
    ratio = vectorial(sheet, shape, voxel).data / vectorial(DRY, shape, voxel).data
    profile = ratio[:, 5, 5] / ratio[15, 5, 5]
    np.testing.assert_allclose(profile[[10, 20]], 0.5, rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"na": 1.6}, "NA 1.6 with ni 1.515"),
        ({"na": 0.0}, "numerical aperture"),
        ({"wavelength": 0.525}, "525, not 0.525"),
        ({"wavelength": math.nan}, "nanometres"),
        ({"ni": 0.9}, "refractive index"),
        ({"ns": 15.0}, "refractive index"),
        ({"depth": -1.0}, "depth must be from 0 to 2000 µm"),
        ({"tg": 1e9}, "tg must be from 0 to 1000 µm"),
        ({"na": "1.2"}, "na is a number"),
        ({"ng": 1.0}, "refractive index ng"),
        ({"modality": "confocal"}, "excitation"),
        ({"modality": "confocal", "excitation": 0.488}, "nanometres"),
        ({"modality": "confocal", "excitation": 488.0, "pinhole": 0.0}, "pinhole"),
        ({"modality": "lightsheet"}, "sheet_thickness"),
        ({"modality": "darkfield"}, "not one of"),
    ],
)
def test_optics_that_cannot_be_are_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(OpticsError, match=message):
        replace(OIL, **change)


def test_unknown_models_and_shapes_are_refused() -> None:
    with pytest.raises(OpticsError, match="vectorial"):
        theoretical_psf(DRY, (3, 3, 3), FINE, "airy")
    with pytest.raises(OpticsError, match="voxel size"):
        theoretical_psf(DRY, (3, 3, 3), (0.1, 0.1))
    with pytest.raises(OpticsError, match="three sizes"):
        theoretical_psf(DRY, (3, 3), FINE)
    with pytest.raises(OpticsError, match=r"0.0003 × 0.0001 × 0.0001 µm right, or in"):
        theoretical_psf(OIL, (80001, 128001, 128001), (3e-4, 1e-4, 1e-4))


def test_support_is_odd_and_follows_the_optics() -> None:
    voxel = (0.1, 0.05, 0.05)
    dry, oil = support_shape(DRY, voxel), support_shape(OIL, voxel)
    assert all(n % 2 for n in dry + oil)
    assert all(d > o for d, o in zip(dry, oil, strict=True))
    finer = support_shape(OIL, (0.05, 0.025, 0.025))
    assert all(f > o for f, o in zip(finer, oil, strict=True))
    whole = vectorial(OIL, (oil[0], 401, 401), voxel)
    assert whole.cropped(oil).provenance["cropped"]["kept"] > 0.7


def test_auto_is_vectorial_and_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        psf = theoretical_psf(OIL, (3, 5, 5), FINE)
    assert psf.provenance["model"] == "vectorial"
