"""What `Psf` promises whatever is done to it: sum one, centred, nothing lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf

VOXEL = (0.2, 0.1, 0.1)


def gaussian(
    shape: tuple[int, int, int],
    sigma: tuple[float, float, float],
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> np.ndarray:
    """Return a Gaussian of `sigma` voxels, `centre` voxels away from ``n // 2``."""
    axes = [np.arange(n) - n // 2 - c for n, c in zip(shape, centre, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.exp(
        -0.5 * ((z / sigma[0]) ** 2 + (y / sigma[1]) ** 2 + (x / sigma[2]) ** 2)
    )


def random_psf(seed: int, shape: tuple[int, int, int]) -> Psf:
    return Psf(np.random.default_rng(seed).random(shape), VOXEL)


shapes = st.tuples(*[st.integers(2, 12)] * 3)


def test_is_scaled_to_sum_one() -> None:
    psf = Psf(np.full((3, 4, 5), 7, np.uint16), VOXEL)
    assert psf.data.dtype == np.float32
    assert psf.data.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((3, 3, 3), np.nan), "NaN"),
        (-np.ones((3, 3, 3)), "negative"),
        (np.zeros((3, 3, 3)), "zero everywhere"),
        (np.ones((3, 3)), "z, y, x"),
    ],
)
def test_refuses_what_is_no_psf(values: np.ndarray, message: str) -> None:
    with pytest.raises(OpticsError, match=message):
        Psf(values, VOXEL)


@pytest.mark.parametrize("voxel", [(0.1, 0.1), (0.1, 0, 0.1), (0.1, np.nan, 0.1), 0.1])
def test_refuses_what_is_no_voxel_size(voxel: float | tuple[float, ...]) -> None:
    with pytest.raises(OpticsError, match="voxel size"):
        Psf(np.ones((3, 3, 3)), voxel)


@given(seed=st.integers(0, 99), shape=shapes, more=shapes)
def test_padding_then_cropping_gives_the_same_psf(
    seed: int, shape: tuple[int, ...], more: int
) -> None:
    psf = random_psf(seed, shape)
    larger = tuple(np.add(shape, more))
    padded = psf.padded(larger)
    assert padded.shape == larger
    np.testing.assert_allclose(padded.cropped(shape).data, psf.data, rtol=1e-6)


@given(seed=st.integers(0, 99), shape=shapes, smaller=shapes)
def test_cropping_then_padding_keeps_the_middle_and_says_what_was_lost(
    seed: int, shape: tuple[int, ...], smaller: int
) -> None:
    psf = random_psf(seed, shape)
    small = tuple(np.minimum(shape, smaller))
    cropped = psf.cropped(small)
    kept = cropped.provenance["cropped"]["kept"]
    back = cropped.padded(shape).data * kept
    inside = back > 0
    np.testing.assert_allclose(back[inside], psf.data[inside], rtol=1e-5)
    assert psf.data[~inside].sum() == pytest.approx(1 - kept, abs=1e-5)


@given(energy=st.floats(0.5, 1.0))
@settings(max_examples=25)
def test_cropping_to_the_support_keeps_the_energy_asked_for(energy: float) -> None:
    psf = Psf(gaussian((31, 40, 33), (2, 3, 4)), VOXEL)
    cropped = psf.cropped(energy=energy)
    assert cropped.provenance["cropped"]["kept"] >= energy - 1e-6
    assert all(n <= m for n, m in zip(cropped.shape, psf.shape, strict=True))
    assert abs(np.array(cropped.centroid())).max() < 1e-3


def test_cropping_to_the_support_makes_a_wide_array_small() -> None:
    psf = Psf(gaussian((41, 61, 61), (2, 2, 2)), VOXEL)
    assert psf.cropped(energy=0.99).shape == (13, 13, 13)


@given(
    sigma=st.tuples(*[st.floats(1.5, 3.0)] * 3),
    finer=st.tuples(*[st.floats(0.35, 1.0)] * 3),
)
@settings(max_examples=25, deadline=None)
def test_resampling_finer_and_back_gives_the_same_psf(sigma: Any, finer: Any) -> None:
    psf = Psf(gaussian((23, 24, 25), sigma), VOXEL)
    fine = psf.resampled(np.multiply(VOXEL, finer))
    back = fine.resampled(VOXEL)
    assert back.voxel_size == VOXEL
    assert back.relative_error(psf) < 2e-2
    assert back.ncc(psf) > 0.9998


@given(
    shape=st.tuples(*[st.integers(20, 25)] * 3),
    factor=st.tuples(*[st.floats(0.3, 3.0)] * 3),
)
@settings(max_examples=25, deadline=None)
def test_resampling_moves_nothing(shape: tuple[int, ...], factor: float) -> None:
    psf = Psf(gaussian(shape, (2, 2, 2)), VOXEL)
    other = psf.resampled(np.multiply(VOXEL, factor))
    moved = np.multiply(other.centroid(), other.voxel_size)
    assert abs(moved).max() < 0.01 * min(VOXEL)


def test_resampling_coarser_integrates() -> None:
    fine = Psf(np.arange(9.0 * 9 * 9).reshape(9, 9, 9) + 1, (0.1, 0.1, 0.1))
    coarse = fine.resampled((0.3, 0.3, 0.3))
    assert coarse.shape == (3, 3, 3)
    sums = fine.data.reshape(3, 3, 3, 3, 3, 3).sum(axis=(1, 3, 5))
    np.testing.assert_allclose(coarse.data, sums, rtol=1e-5)


def test_resampling_leaves_a_plane_a_plane() -> None:
    psf = Psf(gaussian((1, 21, 21), (1, 2, 2)), VOXEL).resampled((0.05, 0.05, 0.05))
    assert psf.shape[0] == 1


@given(
    seed=st.integers(0, 99), shape=shapes, voxel=st.tuples(*[st.floats(0.02, 5)] * 3)
)
@settings(max_examples=20, deadline=None)
def test_saving_and_loading_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    shape: tuple[int, ...],
    voxel: tuple[float, ...],
) -> None:
    path = tmp_path_factory.mktemp("psf") / "a.ome.tif"
    data = np.random.default_rng(seed).random(shape)
    psf = Psf(data, voxel, {"model": "λ–µ", "n": np.float32(seed), "list": [1, None]})
    psf.save(path)
    loaded = Psf.load(path)
    np.testing.assert_array_equal(loaded.data, psf.data)
    assert loaded.voxel_size == psf.voxel_size
    assert loaded.provenance == {"model": "λ–µ", "n": seed, "list": [1, None]}


@given(
    sigma=st.floats(1.0, 3.0),
    shift=st.tuples(*[st.floats(-2.5, 2.5)] * 3),
    n=st.sampled_from([24, 25]),
)
@settings(max_examples=20, deadline=None)
def test_centring_finds_the_peak_to_a_fraction_of_a_voxel(
    sigma: Any, shift: Any, n: int
) -> None:
    psf = Psf(gaussian((n, n, n), (sigma,) * 3, shift) + 1e-3, VOXEL)
    centred = psf.centred()
    done = centred.provenance["centred"]["shift"]
    np.testing.assert_allclose(done, np.negative(shift), atol=0.01)
    again = centred.centred().provenance["centred"]["shift"]
    assert abs(np.array(again)).max() < 0.01


def test_centring_is_not_drawn_to_the_middle_by_wings_or_noise() -> None:
    rng = np.random.default_rng(0)
    noise = rng.poisson(10, (32, 32, 32))
    psf = Psf(200 * gaussian((32, 32, 32), (2, 2, 2), (3, -4, 5)) + noise, VOXEL)
    np.testing.assert_allclose(
        psf.centred().provenance["centred"]["shift"], (-3, 4, -5), atol=0.1
    )


@given(sigma=st.tuples(*[st.floats(1.0, 4.0)] * 3), shift=st.floats(-0.5, 0.5))
@settings(max_examples=30, deadline=None)
def test_fwhm_of_a_gaussian_wherever_it_lies(sigma: Any, shift: Any) -> None:
    psf = Psf(gaussian((31, 31, 31), sigma, (shift, -shift, shift / 2)), VOXEL)
    truth = np.multiply(sigma, VOXEL) * np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(psf.fwhm(), truth, rtol=0.01)


def test_fwhm_is_unknown_where_the_array_ends_too_early() -> None:
    z, y, x = Psf(gaussian((3, 31, 31), (9, 2, 2)), VOXEL).fwhm()
    assert np.isnan(z)
    assert y == pytest.approx(x)
    assert np.isnan(Psf(gaussian((1, 31, 31), (9, 2, 2)), VOXEL).fwhm()[0])


def test_fwhm_follows_the_main_peak_past_its_first_crossing_only() -> None:
    data = gaussian((31, 31, 31), (2, 2, 2))
    two = Psf(data + 0.8 * np.roll(data, 12, axis=2), VOXEL)
    np.testing.assert_allclose(two.fwhm(), Psf(data, VOXEL).fwhm(), rtol=1e-3)


@pytest.mark.parametrize("shape", [(5, 21, 21), (4, 20, 22)])
def test_rotation_average_of_what_is_round_changes_nothing(
    shape: tuple[int, int, int],
) -> None:
    psf = Psf(gaussian(shape, (2, 3, 3)), VOXEL)
    assert psf.rotation_averaged().relative_error(psf) < 1e-3


def test_rotation_average_makes_round() -> None:
    psf = Psf(gaussian((3, 31, 31), (2, 2, 4)), VOXEL).rotation_averaged()
    middle = psf.data[1]
    np.testing.assert_allclose(middle, middle.T, atol=1e-6)
    np.testing.assert_allclose(middle, middle[::-1], atol=1e-6)


def test_rotation_average_is_round_in_micrometres() -> None:
    psf = Psf(gaussian((1, 41, 41), (1, 4, 2)), (0.1, 0.05, 0.1)).rotation_averaged()
    _, y, x = psf.fwhm()
    assert y == pytest.approx(x, rel=0.01)


def test_comparison_is_at_zero_shift() -> None:
    psf = Psf(gaussian((21, 21, 21), (2, 2, 2)), VOXEL)
    moved = Psf(np.roll(psf.data, 3, axis=1), VOXEL)
    assert psf.ncc(psf) == pytest.approx(1)
    assert psf.relative_error(psf) == 0
    assert psf.ncc(moved) < 0.7
    assert psf.relative_error(moved) > 0.5


def test_comparison_lays_centre_on_centre_whatever_the_sizes() -> None:
    psf = Psf(gaussian((21, 21, 21), (2, 2, 2)), VOXEL)
    assert psf.ncc(psf.padded((30, 31, 40))) == pytest.approx(1)


def test_comparison_refuses_other_voxel_sizes() -> None:
    psf = Psf(gaussian((21, 21, 21), (2, 2, 2)), VOXEL)
    with pytest.raises(OpticsError, match="resample"):
        psf.ncc(psf.resampled((0.1, 0.1, 0.1)))


@pytest.mark.parametrize("n", [20, 21])
def test_otf_of_a_centred_psf_is_real_and_one_at_its_middle(n: int) -> None:
    otf = Psf(gaussian((n, n, n), (1.5, 1.5, 1.5)), VOXEL).otf()
    assert otf[n // 2, n // 2, n // 2] == pytest.approx(1)
    assert abs(otf.imag).max() < 1e-6
    assert abs(otf).max() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(3, 3), (0, 3, 3)])
def test_refuses_impossible_shapes(shape: tuple[int, ...]) -> None:
    psf = random_psf(0, (5, 5, 5))
    with pytest.raises(OpticsError, match="three sizes"):
        psf.cropped(shape)
    with pytest.raises(OpticsError, match="three sizes"):
        psf.padded(shape)


def test_refuses_an_impossible_share_of_energy() -> None:
    with pytest.raises(OpticsError, match="energy must be above 0 and at most 1"):
        random_psf(0, (5, 5, 5)).cropped(energy=99)


def in_fft_order(values: np.ndarray, axes: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    return np.fft.ifftshift(values, axes)


@pytest.mark.parametrize(
    "shape", [(21, 21, 21), (20, 20, 20), (9, 16, 33), (1, 21, 20)]
)
@pytest.mark.parametrize("off", [0.0, 0.4, -1.3])
def test_fft_order_is_put_in_order(shape: tuple[int, int, int], off: float) -> None:
    centre = (0.0 if shape[0] == 1 else off, -off, off)
    values = gaussian(shape, (1.2, 1.6, 1.6), centre)
    found = Psf(in_fft_order(values), VOXEL).in_order()
    np.testing.assert_array_equal(found.data, Psf(values, VOXEL).data)
    assert found.provenance["fft_order"] == ("yx" if shape[0] == 1 else "zyx")


@pytest.mark.parametrize("axes", [(0,), (1, 2), (2,)])
def test_fft_order_along_some_axes_alone(axes: tuple[int, ...]) -> None:
    values = gaussian((15, 18, 21), (2, 1.6, 1.6))
    found = Psf(in_fft_order(values, axes), VOXEL).in_order()
    np.testing.assert_array_equal(found.data, Psf(values, VOXEL).data)


def test_fft_order_of_a_noisy_bead_on_an_offset() -> None:
    bead = 4000 * gaussian((31, 31, 31), (2, 1.6, 1.6)) + 100
    noisy = np.random.default_rng(0).poisson(bead).astype(np.uint16)
    found = Psf(in_fft_order(noisy), VOXEL).in_order()
    np.testing.assert_array_equal(found.data, Psf(noisy, VOXEL).data)


@pytest.mark.parametrize("modality", ["widefield", "confocal"])
def test_fft_order_of_a_theoretical_psf(modality: str) -> None:
    optics = Optics(1.4, 1.515, 520, modality, excitation=488, ns=1.33, depth=5)
    psf = theoretical_psf(optics, (41, 40, 41), VOXEL)
    found = Psf(in_fft_order(psf.data), VOXEL).in_order()
    np.testing.assert_array_equal(found.data, psf.data)


@pytest.mark.parametrize("depth", [0.0, 5.0])
@pytest.mark.parametrize("at", [0, 1, -1])
def test_what_is_cut_off_at_an_end_is_not_in_fft_order(depth: float, at: int) -> None:
    """Half a PSF is no whole one: it must not be joined with what lies opposite."""
    optics = Optics(1.4, 1.515, 520, ns=1.33, depth=depth)
    psf = theoretical_psf(optics, (41, 41, 41), VOXEL).data
    half = psf[20 - at :] if at >= 0 else psf[: 20 - at + 1]
    found = Psf(half, VOXEL).in_order()
    assert "fft_order" not in found.provenance
    assert found.data.argmax() == half.argmax()


def test_centring_puts_in_order_first() -> None:
    values = gaussian((21, 21, 20), (1.2, 1.6, 1.6), (0.3, 0.0, -0.4))
    given = Psf(in_fft_order(values), VOXEL).centred()
    np.testing.assert_array_equal(given.data, Psf(values, VOXEL).centred().data)
    assert given.provenance["fft_order"] == "zyx"


def test_a_flat_psf_is_in_order() -> None:
    flat = Psf(np.ones((3, 3, 3)), (0.3, 0.1, 0.1))
    assert flat.in_order() is flat


def test_a_picture_in_colour_is_no_psf() -> None:
    with pytest.raises(OpticsError, match="probably a colour image"):
        Psf(np.ones((31, 31, 3)), (0.3, 0.1, 0.1))


def test_odd_values_are_counted() -> None:
    data = np.ones((5, 9, 9))
    data[2, 4, 4] = np.nan
    with pytest.raises(OpticsError, match="1 of the 405 values"):
        Psf(data, (0.3, 0.1, 0.1))


def test_a_thick_sample_s_plane_is_blurred_by_the_sum_of_planes() -> None:
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 31, 31), VOXEL)
    thick = psf.projected(1.0)
    assert thick.shape == (1, 31, 31)
    expected = psf.data[3:8].sum(0) / psf.data[3:8].sum()
    np.testing.assert_allclose(thick.data[0], expected, rtol=1e-5)
    np.testing.assert_array_equal(psf.projected(0).data, psf.cropped((1, 31, 31)).data)


def test_a_psf_must_cover_the_thickness() -> None:
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (5, 9, 9), VOXEL)
    with pytest.raises(OpticsError, match="at least 11 planes"):
        psf.projected(2.0)
    with pytest.raises(OpticsError, match="thickness"):
        psf.projected(-1)
