"""The pupil model: against other models, its gradients, symmetries and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.models import Optics, born_wolf, gibson_lanni, vectorial
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import (
    ABERRATIONS,
    PupilKernel,
    pupil_psf,
    pupil_samples,
)

SHAPE, VOXEL = (15, 17, 17), (0.2, 0.08, 0.08)
OIL: dict[str, Any] = {"na": 1.3, "ni": 1.515, "wavelength": 525.0}


def psf(
    shape: tuple[int, int, int] = SHAPE,
    voxel: tuple[float, float, float] = VOXEL,
    **options: Any,
) -> Psf:
    return Psf(pupil_psf(shape, voxel, **(OIL | options)).detach().numpy(), voxel)


@pytest.mark.parametrize(
    ("na", "ni", "wavelength", "voxel"),
    [
        (1.4, 1.515, 500.0, (0.128, 0.064, 0.064)),
        (1.2, 1.333, 600.0, (0.2, 0.09, 0.09)),
        (0.8, 1.0, 520.0, (0.25, 0.1, 0.1)),
        (0.5, 1.0, 520.0, (0.8, 0.2, 0.2)),
    ],
)
def test_meets_the_vectorial_model(
    na: float, ni: float, wavelength: float, voxel: tuple[float, float, float]
) -> None:
    shape = (31, 41, 41)
    truth = vectorial(Optics(na, ni, wavelength), shape, voxel)
    model = psf(shape, voxel, na=na, ni=ni, wavelength=wavelength)
    assert model.ncc(truth) > 0.999
    np.testing.assert_allclose(model.fwhm(), truth.fwhm(), rtol=0.03)
    scalar = psf(shape, voxel, na=na, ni=ni, wavelength=wavelength, model="scalar")
    assert scalar.ncc(truth) < model.ncc(truth)


def test_meets_the_scalar_models() -> None:
    # Voxels fine enough that no model integrates over them.
    voxel = (0.1, 0.04, 0.04)
    paraxial = psf(voxel=voxel, na=0.9, model="born-wolf")
    truth = born_wolf(Optics(0.9, 1.515, 525), SHAPE, voxel)
    assert paraxial.ncc(truth) > 0.9999
    truth = gibson_lanni(Optics(1.3, 1.515, 525), SHAPE, voxel)
    assert psf(voxel=voxel, model="scalar").ncc(truth) > 0.9999


def test_is_a_centred_symmetric_psf() -> None:
    kernel = pupil_psf(SHAPE, VOXEL, **OIL)
    assert (kernel >= 0).all()
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
    for axis in range(3):
        torch.testing.assert_close(kernel, kernel.flip(axis), rtol=1e-3, atol=1e-7)
    assert np.unravel_index(int(kernel.argmax()), SHAPE) == (7, 8, 8)


def test_is_sampled_finely_enough() -> None:
    samples = pupil_samples(SHAPE, VOXEL, 1.3, 1.515, 525.0)
    fine = psf(samples=4 * samples)
    assert psf().relative_error(fine) < 2e-3


@pytest.mark.parametrize("name", ["na", "wavelength", *ABERRATIONS])
def test_gradient_is_the_slope(name: str) -> None:
    values = OIL | {"aberrations": dict.fromkeys(ABERRATIONS, 0.05)}

    def moment(change: torch.Tensor) -> torch.Tensor:
        if name in OIL:
            options = values | {name: OIL[name] * (1 + change)}
        else:
            options = values | {
                "aberrations": values["aberrations"] | {name: 0.05 + change}
            }
        kernel = pupil_psf(SHAPE, VOXEL, **options, samples=64)
        return kernel.square().sum() + kernel[:5, :, 9:].sum() + kernel[:, :7].sum()

    change = torch.zeros((), requires_grad=True)
    moment(change).backward()
    step = 5e-3
    with torch.no_grad():
        slope = (moment(torch.tensor(step)) - moment(torch.tensor(-step))) / (2 * step)
    assert change.grad is not None
    assert float(change.grad) == pytest.approx(float(slope), rel=0.03, abs=3e-4)


def test_aberrations_are_orthonormal_over_the_disc() -> None:
    line = torch.linspace(-1, 1, 801)
    y, x = torch.meshgrid(line, line, indexing="ij")
    inside = torch.hypot(y, x) <= 1
    r, y, x = torch.hypot(y, x)[inside], y[inside], x[inside]
    modes = torch.stack([mode(r, y, x) for mode in ABERRATIONS.values()])
    table = modes @ modes.mT / inside.sum()
    torch.testing.assert_close(table, torch.eye(len(ABERRATIONS)), rtol=0, atol=0.01)


def test_aberrations_break_the_symmetry_that_they_should() -> None:
    def asymmetry(axis: int, name: str) -> float:
        kernel = pupil_psf(SHAPE, VOXEL, **OIL, aberrations={name: 0.1})
        return float((kernel - kernel.flip(axis)).abs().sum())

    assert asymmetry(0, "spherical") > 0.1 > 1e-3 > asymmetry(2, "spherical")
    assert asymmetry(1, "coma-y") > 0.1 > 1e-3 > asymmetry(2, "coma-y")
    assert asymmetry(2, "coma-x") > 0.1 > 1e-3 > asymmetry(1, "coma-x")


def test_confocal_is_narrower() -> None:
    wide, confocal = psf().fwhm(), psf(confocal=True).fwhm()
    assert all(c < 0.8 * w for c, w in zip(confocal, wide, strict=True))


def test_learned_kernel_starts_from_a_given_kernel_and_stays_within_its_limits() -> (
    None
):
    kernel = PupilKernel(SHAPE, VOXEL, **OIL, limit=0.1, aberrations=["spherical"])
    assert kernel.parameters_now() == pytest.approx(OIL | {"spherical": 0.0}, rel=1e-5)
    np.testing.assert_allclose(kernel().detach(), psf().data, atol=1e-4)
    optimiser = torch.optim.Adam(kernel.parameters(), lr=0.1)
    for _ in range(40):
        optimiser.zero_grad()
        (-kernel()[7, 8, 8]).backward()
        optimiser.step()
    now = kernel.parameters_now()
    assert 525 / 1.101 <= now["wavelength"] < 0.95 * 525
    assert 1.3 < now["na"] <= 1.3 * 1.101
    assert kernel().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_start_at_the_limit_can_move() -> None:
    kernel = PupilKernel(SHAPE, VOXEL, **(OIL | {"na": 1.48}))
    kernel()[7, 8, 8].backward()
    assert abs(float(kernel.na.raw.grad)) > 1e-6


def test_impossible_optics_are_refused() -> None:
    with pytest.raises(OpticsError, match="does not fit the refractive index"):
        PupilKernel(SHAPE, VOXEL, na=1.4, ni=1.333, wavelength=500)
    with pytest.raises(OpticsError, match="odd sizes"):
        PupilKernel((14, 17, 17), VOXEL, **OIL)
    with pytest.raises(OpticsError, match="must be positive"):
        PupilKernel(SHAPE, VOXEL, **(OIL | {"wavelength": 0.0}))
