"""Brightness does not depend on where an image was cut out, and flat stays flat."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.richardson_lucy import RichardsonLucySteps
from napari_blurgan.inverse.far_light import cone_of, folded, light_within
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import fit_psf, psf_shape_for
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf

OPTICS = Optics(1.4, 1.515, 520)
VOXEL, COARSE = (0.3, 0.2, 0.2), (0.6, 0.2, 0.2)
FIELD, DEEP = (48, 48), 31


def camera_for(method: str) -> Camera | None:
    return Camera(gain=0.1, offset=0.0, read_noise=0.0) if method == "rlgc" else None


def psf_for(shape: tuple[int, int, int]) -> Psf:
    return theoretical_psf(OPTICS, psf_shape_for(OPTICS, shape, VOXEL), VOXEL)


@pytest.fixture(scope="module")
def spots() -> tuple[np.ndarray, np.ndarray]:
    """A deep world seen by a deep PSF: truth, and the image of all its planes."""
    psf = psf_for((DEEP, *FIELD)).data
    truth = np.zeros((DEEP, *FIELD))
    truth[DEEP // 2, 15, 30] = truth[DEEP // 2, 32, 18] = 1
    truth = gaussian_filter(truth, (1.2, 1.3, 1.3))
    truth *= 5000 / truth.max()
    ends = zip(psf.shape, truth.shape, strict=True)
    field = tuple(slice(k // 2, k // 2 + n) for k, n in ends)
    image = np.maximum(fftconvolve(truth, psf)[field], 0).astype(np.float32)
    return truth, image


def of_planes(planes: int) -> slice:
    low = DEEP // 2 - planes // 2
    return slice(low, low + planes)


# Planes, and voxels along y and x, that are cut out around a spot.
CROPS = [(20, 64), (20, 20), (9, 33), (7, 20)]
SIDE = 64
# Numerical aperture and refractive index: wide and thin cones of light.
APERTURES = [(1.4, 1.515), (1.2, 1.33), (0.8, 1.0)]


@pytest.fixture(scope="module", params=APERTURES, ids=str)
def seen_spot(request: pytest.FixtureRequest) -> Any:
    """Return optics, a spot in a field of 12.8 µm, and its image by the whole PSF."""
    na, ni = request.param
    optics = Optics(na, ni, 520)
    shape = (20, SIDE, SIDE)
    psf = theoretical_psf(optics, psf_shape_for(optics, shape, COARSE), COARSE).data
    truth = np.zeros(shape)
    truth[10, 32, 32] = 1
    truth = gaussian_filter(truth, (0.7, 1.2, 1.2))
    truth *= 5000 / truth.max()
    field = tuple(
        slice(k // 2, k // 2 + n) for k, n in zip(psf.shape, shape, strict=True)
    )
    image = np.maximum(fftconvolve(truth, psf)[field], 0).astype(np.float32)
    return optics, truth, image


@pytest.mark.parametrize("method", ["rl", "rl-accelerated"])
def test_the_light_of_a_spot_is_kept_whatever_is_cut_out(
    seen_spot: Any, method: str
) -> None:
    check_light(method, seen_spot, CROPS)


@pytest.mark.parametrize("seen_spot", APERTURES[:1], indirect=True)
@pytest.mark.parametrize("method", ["rl-tv", "rlgc"])
def test_so_it_is_by_the_slower_methods(seen_spot: Any, method: str) -> None:
    check_light(method, seen_spot, CROPS[1:3])


def check_light(method: str, seen: Any, crops: Any) -> None:
    optics, truth, image = seen
    for planes, side in crops:
        part = tuple(
            slice(n // 2 - k // 2, n // 2 - k // 2 + k)
            for n, k in zip(image.shape, (planes, side, side), strict=True)
        )
        found = deconvolve(
            image[part], optics, method, voxel_size=COARSE, camera=camera_for(method)
        ).image
        assert found.sum() == pytest.approx(truth[part].sum(), rel=0.02)


def test_the_light_is_that_of_the_psf_that_was_given(seen_spot: Any) -> None:
    """Arrays, and what is computed with another box, set a scale of their own."""
    optics, truth, _ = seen_spot
    for box in ((39, 41, 41), (25, 65, 65)):
        psf = theoretical_psf(optics, box, COARSE)
        field = tuple(
            slice(k // 2, k // 2 + n) for k, n in zip(box, truth.shape, strict=True)
        )
        image = np.maximum(fftconvolve(truth, psf.data)[field], 0)
        for given in (psf, psf.data)[optics.na > 1 :]:
            for part in ((slice(6, 15), ...), (..., slice(22, 43), slice(22, 43))):
                found = deconvolve(image[part], given, voxel_size=COARSE).image
                assert found.sum() == pytest.approx(truth[part].sum(), rel=0.02)


@pytest.mark.parametrize("size", [(61, 61), (21, 61, 61)])
def test_a_psf_far_wider_than_the_image_is_no_copy_of_it(size: Any) -> None:
    """Its far light, gathered at a rim, would be as sharp as its core."""
    axes = np.meshgrid(*(np.arange(n) - n // 2 for n in size), indexing="ij")
    far = sum(axis**2 for axis in axes)
    psf = np.exp(-far / 4.0) + 0.02 * np.exp(-far / 400.0)
    truth = np.zeros((11, 61, 61)[-len(size) :])
    truth[tuple(n // 2 for n in truth.shape)] = 1000
    image = np.maximum(fftconvolve(truth, psf / psf.sum(), "same"), 0)
    part = (..., slice(24, 37), slice(24, 37))
    found = deconvolve(image[part], psf, iterations=100).image
    assert found.sum() == pytest.approx(1000, rel=0.05)


@pytest.mark.parametrize("method", ["rl", "rlgc"])
def test_a_spot_is_as_bright_whatever_the_number_of_planes(
    spots: tuple[np.ndarray, np.ndarray], method: str
) -> None:
    truth, image = spots
    peaks = []
    for planes in (31, 9, 5):
        part = image[of_planes(planes)]
        found = deconvolve(
            part, psf_for(part.shape), method, camera=camera_for(method)
        ).image
        peaks.append(found[planes // 2].max())
        light = found.sum() / truth[of_planes(planes)].sum()
        assert light == pytest.approx(1, abs=0.02)  # five planes cut the spot
    assert min(peaks) > 0.8 * max(peaks)


@pytest.mark.parametrize("planes", [2, 3])
def test_thin_stacks_lose_no_light_but_where_it_is_along_z(
    spots: tuple[np.ndarray, np.ndarray], planes: int
) -> None:
    """Two or three planes cannot tell where within 0.6 µm of them light is."""
    truth, image = spots
    part = image[of_planes(planes)]
    plan = Plan(psf_for(part.shape), part.shape, VOXEL, device="cpu")
    steps = RichardsonLucySteps(Observation(torch.from_numpy(part), plan.blur))
    with torch.no_grad():
        for _ in range(50):
            steps.correct(steps.predict())
    seen = steps.estimate[:, :48, :48].roll(2, 0)[: planes + 4]
    first = of_planes(planes).start - 2
    true = truth[first : first + planes + 4].sum()
    assert float(seen.sum()) == pytest.approx(true, rel=0.02)
    assert any("so thin a stack" in note for note in plan.notes)


@pytest.mark.parametrize("method", ["wiener", "tikhonov"])
def test_linear_filters_agree_on_a_spot(
    spots: tuple[np.ndarray, np.ndarray], method: str
) -> None:
    _, image = spots
    peaks = [
        deconvolve(part, psf_for(part.shape), method).image[len(part) // 2].max()
        for part in (image[of_planes(n)] for n in (31, 9, 5))
    ]
    assert min(peaks) > 0.6 * max(peaks)


def test_a_measured_psf_is_as_bright_whatever_the_number_of_planes(
    spots: tuple[np.ndarray, np.ndarray],
) -> None:
    """It is larger than the thin stacks: what does not fit is not scaled away."""
    _, image = spots
    measured = Psf(theoretical_psf(OPTICS, (61, 47, 47), VOXEL).data, VOXEL)
    peaks = [
        deconvolve(image[of_planes(n)], measured, "rl").image[n // 2].max()
        for n in (31, 9, 5)
    ]
    assert min(peaks) > 0.8 * max(peaks)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
@pytest.mark.parametrize("shape", [(12, 40, 33), (3, 40, 33), (1, 40, 33), (40, 33)])
@pytest.mark.parametrize("method", METHODS)
def test_a_flat_field_stays_flat(
    method: str, shape: tuple[int, ...], edges: str
) -> None:
    flat = np.full(shape, 100, np.float32)
    options = {"camera": camera_for(method), "edges": edges, "voxel_size": COARSE}
    found = deconvolve(flat, OPTICS, method, **options).image
    np.testing.assert_allclose(found, 100, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_field_on_a_background_stays_flat(method: str) -> None:
    flat = np.full((5, 33, 40), 100, np.float32)
    options = {"camera": camera_for(method), "background": 30.0}
    found = deconvolve(flat, OPTICS, method, voxel_size=COARSE, **options).image
    np.testing.assert_allclose(found, 70, rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(9, 15, 15), (15, 15)])
def test_light_of_an_object_within_the_image_is_kept(
    method: str, size: tuple[int, ...]
) -> None:
    middle = np.zeros(size)
    middle[tuple(n // 2 for n in size)] = 1
    psf = gaussian_filter(middle, 1.5)
    truth = np.zeros((21, 60, 60)[-len(size) :])
    truth[(Ellipsis, slice(25, 35), slice(20, 30))] = 100
    if truth.ndim == 3:
        truth[:8], truth[13:] = 0, 0
    image = gaussian_filter(truth, 1.5, mode="constant")
    found = deconvolve(image, psf, method, camera=camera_for(method)).image
    assert found.sum() == pytest.approx(image.sum(), rel=0.02)


class TestFarLight:
    def test_what_falls_farther_stands_just_beyond_the_reach(self) -> None:
        data = np.arange(1.0, 12)[:, None, None] * np.ones((11, 3, 3))
        psf = Psf(data, VOXEL)
        found = folded(psf, 1)  # two planes of 0.3 µm are next to it
        assert found.shape == (7, 3, 3)
        np.testing.assert_allclose(found.data[1:-1], psf.data[3:8], rtol=1e-6)
        np.testing.assert_allclose(found.data[0], psf.data[:3].sum(0), rtol=1e-5)
        np.testing.assert_allclose(found.data[-1], psf.data[8:].sum(0), rtol=1e-5)
        assert light_within(psf, (3, 8, 8)) == pytest.approx(30 / 66)

    @pytest.mark.parametrize("shape", [(5, 20, 20), (31, 48, 48), (31, 64, 10)])
    def test_the_share_in_focus_is_that_of_the_reference(
        self, shape: tuple[int, ...]
    ) -> None:
        deep = theoretical_psf(OPTICS, (81, 65, 65), VOXEL)
        found, notes = fit_psf(psf_for(shape), shape, VOXEL)
        in_focus = found.data[found.shape[0] // 2].sum()
        assert in_focus == pytest.approx(deep.data[40].sum(), rel=0.002)
        assert "falls outside the image" in notes[0]

    def test_a_larger_stack_says_how_much_brighter(self) -> None:
        wide = theoretical_psf(OPTICS, (81, 97, 97), VOXEL)
        reference = theoretical_psf(OPTICS, (81, 65, 65), VOXEL)
        _, notes = fit_psf(wide, (41, 99, 99), VOXEL)
        more = reference.data[40].sum() / wide.data[40].sum()
        said = re.search(r"([\d.]+) times as bright as in crops", notes[-1])
        assert float(said[1]) == pytest.approx(more, abs=0.01)
        assert "24 × 12.8 × 12.8 µm" in notes[-1]

    def test_a_psf_that_is_used_as_it_is_needs_no_note(self) -> None:
        middle = np.zeros((9, 9, 9))
        middle[4, 4, 4] = 1
        given = Psf(gaussian_filter(middle, 1.5), VOXEL)
        found, notes = fit_psf(given, (8, 40, 40))
        assert np.array_equal(found.data, given.data)
        assert not any("larger than the image" in note for note in notes)

    def test_other_psfs_have_no_cone(self) -> None:
        confocal = Optics(1.4, 1.515, 520, "confocal", excitation=488)
        for psf in (
            theoretical_psf(confocal, (9, 15, 15), VOXEL),
            theoretical_psf(OPTICS, (9, 15, 15), VOXEL, "gaussian"),
            Psf(np.ones((9, 15, 15)), VOXEL),
        ):
            assert cone_of(psf) is None

    def test_what_was_fitted_is_fitted_once(self) -> None:
        psf, _ = fit_psf(psf_for((5, *FIELD)), (5, *FIELD), VOXEL)
        again, notes = fit_psf(psf, (5, *FIELD), VOXEL)
        assert again is psf
        assert notes == ()

    @pytest.mark.parametrize(("planes", "thin"), [(1, 0), (3, 1), (4, 1), (9, 0)])
    def test_a_stack_hardly_deeper_than_the_psf_is_reported(
        self, planes: int, thin: int
    ) -> None:
        _, notes = fit_psf(psf_for((9, *FIELD)), (planes, *FIELD), VOXEL)
        found = [note for note in notes if "so thin a stack" in note]
        assert len(found) == thin
        assert all(f"the stack has {planes} planes" in note for note in found)

    def test_a_psf_too_shallow_for_the_stack_is_reported(self) -> None:
        psf = theoretical_psf(OPTICS, (11, 15, 15), VOXEL)
        fitted, notes = fit_psf(psf, (20, 30, 30), VOXEL)
        assert fitted is psf
        assert (
            "11 planes, but in a widefield stack of 20 light reaches over 39"
            in notes[0]
        )
