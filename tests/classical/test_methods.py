"""Each method does what it is for, and the table of methods is true."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.classical.accelerated import (
    AcceleratedSteps,
    accelerated_richardson_lucy,
)
from napari_blurgan.classical.blind import blind_richardson_lucy
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.classical.total_variation import curvature, tv_richardson_lucy
from napari_blurgan.inverse.run import run
from napari_blurgan.inverse.stopping import RULES
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from tests.classical.conftest import Case


def test_every_method_sharpens(nuclei: Case) -> None:
    before = nuclei.error(nuclei.image - nuclei.camera.offset)
    for name in METHODS:
        result = deconvolve(nuclei.image, nuclei.psf, name, camera=nuclei.camera)
        assert nuclei.error(result.image) < 0.95 * before, name


def test_acceleration_reaches_the_same_in_a_third_of_the_iterations(
    filaments: Case,
) -> None:
    options: dict[str, Any] = {"camera": filaments.camera}
    plain = richardson_lucy(filaments.image, filaments.psf, 60, **options)
    quick = accelerated_richardson_lucy(filaments.image, filaments.psf, 20, **options)
    assert filaments.error(quick.image) <= filaments.error(plain.image)


def test_total_variation_helps_bodies_and_spares_from_overfitting(nuclei: Case) -> None:
    options: dict[str, Any] = {"camera": nuclei.camera}
    errors = [
        nuclei.error(
            tv_richardson_lucy(
                nuclei.image, nuclei.psf, 60, weight=weight, **options
            ).image
        )
        for weight in (0.0, 0.01)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_no_weight_is_plain_acceleration(nuclei: Case) -> None:
    smooth = tv_richardson_lucy(nuclei.image, nuclei.psf, 5, weight=0.0).image
    plain = run(AcceleratedSteps, nuclei.image, nuclei.psf, 5, {}).image
    np.testing.assert_allclose(smooth, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [1, -1])
def test_curvature_is_the_gradient_of_the_total_variation(side: int) -> None:
    torch.manual_seed(0)
    x = torch.rand(5, 6, 7, dtype=torch.float64, requires_grad=True)
    spacing, flat = (3.0, 1.0, 1.0), 0.1
    total = torch.tensor(flat**2, dtype=x.dtype)
    for axis, h in enumerate(spacing):
        total = total + ((x.roll(-side, axis) - x) * side / h) ** 2
    (gradient,) = torch.autograd.grad(total.sqrt().sum(), x)
    ours = curvature(x.detach(), spacing, flat, side)
    torch.testing.assert_close(ours, -gradient)


def test_blind_narrows_a_psf_that_is_too_wide(filaments: Case) -> None:
    wide = theoretical_psf(Optics(1.2, 1.33, 640), (11, 15, 15), (0.3, 0.1, 0.1))
    result = blind_richardson_lucy(
        filaments.image, wide, 25, rounds=3, camera=filaments.camera
    )
    assert result.iterations == 75
    assert result.psf.ncc(filaments.psf) > wide.ncc(filaments.psf) + 0.003
    assert np.abs(np.array(result.psf.centroid())).max() < 0.3


def test_one_round_is_not_blind(nuclei: Case) -> None:
    result = blind_richardson_lucy(nuclei.image, nuclei.psf, 5, rounds=1)
    plain = run(AcceleratedSteps, nuclei.image, nuclei.psf, 5, {})
    np.testing.assert_array_equal(result.image, plain.image)
    assert result.psf.ncc(nuclei.psf) > 0.9999


def test_filters_are_linear() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 8, 12, 12))
    h = Psf(np.ones((3, 3, 3)), (1, 1, 1))
    for name in ("wiener", "tikhonov"):
        both = deconvolve(a + 2 * b, h, name, edges="periodic")
        # Negative values are for methods that count; a filter must not clip them.
        parts = [deconvolve(v, h, name, edges="periodic").image for v in (a, b)]
        np.testing.assert_allclose(both.image, parts[0] + 2 * parts[1], atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_the_table_is_true(name: str) -> None:
    method = METHODS[name]
    taken = inspect.signature(method.function).parameters
    for parameter in method.parameters:
        assert taken[parameter.name].default == parameter.default
        assert parameter.minimum <= parameter.default <= parameter.maximum
    own = {p.name for p in method.parameters} | {"image", "psf", "options"}
    assert own == set(taken)
    assert set(method.rules) <= set(RULES)


def test_the_table_needs_no_torch() -> None:
    code = (
        "import sys; import napari_blurgan.classical.methods; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
