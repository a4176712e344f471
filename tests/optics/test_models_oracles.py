"""The PSF models against independent implementations, where these are installed."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import jv

from napari_blurgan.optics.diffraction.integrals import (
    gibson_lanni_intensity,
    vectorial_intensity,
)
from napari_blurgan.optics.models import Optics, gibson_lanni, vectorial

pytestmark = pytest.mark.slow

APERTURES = [(0.5, 1.0), (0.95, 1.33), (1.2, 1.33), (1.4, 1.515)]
MISMATCHES = [
    (1.4, 1.515, 1.33, 5.0),
    (1.2, 1.333, 1.38, 10.0),
    (1.3, 1.515, 1.46, 8.0),
]


def ncc(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def gibson_lanni_oracle(
    na: float, ni: float, ns: float
) -> tuple[ModuleType, dict[str, float]]:
    oracle = pytest.importorskip("microscPSF.microscPSF")
    indices = {"ni": ni, "ni0": ni, "ns": ns, "ng": 1.515, "ng0": 1.515}
    return oracle, {**oracle.m_params, "NA": na, **indices}


@pytest.mark.parametrize(("na", "ni"), APERTURES)
def test_gibson_lanni_without_mismatch_is_microscpsf(na: float, ni: float) -> None:
    oracle, parameters = gibson_lanni_oracle(na, ni, ni)
    optics = Optics(na, ni, 525)
    step = optics.nyquist[0] / 3
    z = (np.arange(31) - 15) * step
    reference = oracle.gLZRFocalScan(parameters, np.arange(40) * 0.02, -z, wvl=0.525)
    ours = gibson_lanni(optics, (31, 79, 79), (step, 0.02, 0.02)).data[:, 39, 39:]
    assert ncc(ours, reference) > 0.999


@pytest.mark.parametrize(("na", "ni", "ns", "depth"), MISMATCHES)
def test_gibson_lanni_with_mismatch_is_microscpsf(
    na: float, ni: float, ns: float, depth: float
) -> None:
    oracle, parameters = gibson_lanni_oracle(na, ni, ns)
    optics = Optics(na, ni, 525, ns=ns, depth=depth)
    psf = gibson_lanni(optics, (81, 79, 79), (0.05, 0.02, 0.02))
    travel = psf.provenance["focus"] + (np.arange(81) - 40) * 0.05
    reference = oracle.gLZRFocalScan(
        parameters, np.arange(40) * 0.02, -travel, pz=depth, wvl=0.525
    )
    assert ncc(psf.data[:, 39, 39:], reference) > 0.999


def test_what_is_left_to_microscpsf_is_its_own_approximation() -> None:
    # Its fast path expands the pupil in 100 Bessel functions; its slow one integrates.
    oracle, parameters = gibson_lanni_oracle(1.4, 1.515, 1.515)
    z, r = np.linspace(-1.4, 1.4, 5), np.linspace(0, 0.9, 4)
    slow = oracle.gLZRFocalScanSlow(parameters, r, -z, wvl=0.525)
    fast = oracle.gLZRFocalScan(parameters, r, -z, wvl=0.525)
    ours = gibson_lanni_intensity(Optics(1.4, 1.515, 525), 0.525, z, r)
    ours /= ours.max()
    assert abs(ours - slow).max() < 1e-4
    assert abs(ours - slow).max() < 0.01 * abs(fast - slow).max()


@pytest.mark.parametrize(("na", "ni"), APERTURES)
def test_vectorial_is_psf_generator_over_both_polarisations(
    na: float, ni: float
) -> None:
    module = pytest.importorskip("psf_generator.propagators")
    optics = Optics(na, ni, 525, ng=ni)  # it knows no coverslip
    nz, n = 21, 31
    # In whole nanometres, and such that its range, which it rounds down, is exact.
    dz, dr = 21 * int(22 * optics.nyquist[0]), int(490 * optics.nyquist[1])
    setting = {
        "n_pix_pupil": 201,
        "n_pix_psf": n,
        "wavelength": 525,
        "na": na,
        "pix_size": dr * (n - 1) / n,
        "defocus_step": dz * (nz - 1) // nz,
        "n_defocus": nz,
        "n_i": ni,
        "n_i0": ni,
        "apod_factor": True,
    }
    fields = [
        module.VectorialSphericalPropagator(e0x=x, e0y=1 - x, **setting)
        for x in (1.0, 0.0)
    ]
    reference = sum(
        (abs(f.compute_focus_field().numpy()) ** 2).sum(axis=1) for f in fields
    )
    ours = vectorial(optics, (nz, n, n), (dz * 1e-3, dr * 1e-3, dr * 1e-3)).data
    np.testing.assert_allclose(
        ours / ours.max(), reference / reference.max(), atol=1e-5
    )


def richards_wolf_integrals(
    na: float, n: float, wavelength: float, z: np.ndarray, r: np.ndarray
) -> list[np.ndarray]:
    """Return |I0|², |I1|², |I2|² over (z, r) by the plain trapezoidal rule over θ."""
    theta = np.linspace(0, np.arcsin(na / n), 2001)

    k = 2 * np.pi * n / wavelength
    sin, cos = np.sin(theta), np.cos(theta)
    waves = np.exp(1j * k * np.outer(z, cos)) * np.sqrt(cos) * sin
    factors = (1 + cos, sin, 1 - cos)
    return [
        abs(
            trapezoid((waves * f)[:, None] * jv(m, k * np.outer(r, sin)), theta, axis=2)
        )
        ** 2
        for m, f in enumerate(factors)
    ]


@pytest.mark.parametrize(("na", "ni"), APERTURES)
def test_vectorial_differs_from_psf_by_the_weight_of_the_axial_field_only(
    na: float, ni: float
) -> None:
    # `psf` adds |I0|² + 4|I1|² + |I2|² (read off its numbers): the axial component
    # as it is along the polarisation, where its mean over directions is half of that.
    oracle = pytest.importorskip("psf")
    optics = Optics(na, ni, 525, ng=ni)
    extent = 5 * optics.nyquist[0], 5 * optics.airy_radius / 2
    reference = oracle.PSF(
        oracle.ISOTROPIC | oracle.EXCITATION,
        shape=(61, 61),
        dims=extent,
        ex_wavelen=525,
        em_wavelen=525,
        num_aperture=na,
        refr_index=ni,
        underfilling=1e-3,
    ).data
    z, r = (np.linspace(0, e, 61) for e in extent)
    i0, i1, i2 = richards_wolf_integrals(na, ni, 0.525, z, r)
    assert ncc(i0 + 4 * i1 + i2, reference) > 0.9999
    ours = vectorial_intensity(optics, 0.525, z, r)
    assert ncc(i0 + 2 * i1 + i2, ours) > 0.99999
