"""The PSF is made to fit, and said how; plans, tiles and references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.classical import memory
from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.classical.deconvolution_operator import DeconvolutionOperator
from napari_blurgan.classical.memory import peak_bytes, tile_for
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.references import make_sharp_references
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, OutOfMemoryError, RecipeError
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import fit_psf, psf_shape_for
from napari_blurgan.optics.models import Optics, support_shape
from napari_blurgan.optics.psf import Psf
from napari_blurgan.restoration.events import Finished
from napari_blurgan.restoration.predict import apply
from tests.classical.conftest import Case

VOXEL = (0.3, 0.1, 0.1)


def gaussian(
    shape: tuple[int, int, int] = (9, 11, 11),
    centre: tuple[float, float, float] = (0, 0, 0),
    sigma: tuple[float, float, float] = (1.5, 1.5, 1.5),
    voxel: tuple[float, ...] = VOXEL,
) -> Psf:
    axes = [np.arange(n) - n // 2 - c for n, c in zip(shape, centre, strict=True)]
    grids = np.meshgrid(*axes, indexing="ij")
    return Psf(
        np.exp(-0.5 * sum((g / s) ** 2 for g, s in zip(grids, sigma, strict=True))),
        voxel,
    )


class TestFit:
    def test_what_fits_is_left_alone(self) -> None:
        psf = gaussian()
        fitted, notes = fit_psf(psf, (20, 30, 30), VOXEL)
        assert fitted is psf
        assert notes == ()

    def test_off_centre_is_centred_and_reported(self) -> None:
        fitted, notes = fit_psf(gaussian(centre=(1, -2, 0.5)), (20, 30, 30))
        assert np.abs(fitted.centroid()).max() < 0.05
        assert "off centre by (+1.00, -2.00, +0.50) voxels" in notes[0]

    def test_an_off_centre_psf_does_not_move_the_image(self) -> None:
        truth = np.zeros((20, 30, 30), np.float32)
        truth[10, 15, 15] = 100
        plan = Plan(gaussian(), truth.shape)
        image = plan.blur.forward(plan.blur.embed(torch.from_numpy(truth))).numpy()
        result = richardson_lucy(image, gaussian(centre=(1, -2, 0)), 30).image
        assert np.unravel_index(result.argmax(), result.shape) == (10, 15, 15)

    def test_voxels_are_those_of_the_image(self) -> None:
        psf = gaussian(sigma=(1.5, 2, 2))
        fitted, notes = fit_psf(psf, (20, 30, 30), (0.15, 0.2, 0.2))
        assert fitted.voxel_size == (0.15, 0.2, 0.2)
        # A coarser voxel widens what falls into it; a finer one does not.
        np.testing.assert_allclose(fitted.fwhm(), psf.fwhm(), rtol=0.1)
        assert "resampled from 0.3 × 0.1 × 0.1 µm to 0.15 × 0.2 × 0.2 µm" in notes[0]

    def test_unknown_voxels_are_those_of_the_psf(self) -> None:
        psf = gaussian()
        assert fit_psf(psf, (20, 30, 30), (None, 0.1, None))[0] is psf

    def test_larger_than_the_image_is_cropped(self) -> None:
        psf = gaussian((41, 41, 41), sigma=(2, 2, 2))
        fitted, notes = fit_psf(psf, (6, 30, 30))
        assert fitted.shape[0] == 15  # six planes either side, and one next to them
        assert fitted.shape[1] == fitted.shape[2] < 20
        assert (
            "the PSF of 41 × 41 × 41 voxels is larger than the image: 15 × " in notes[0]
        )
        assert "of its light, of which 0.5% falls outside the image" in notes[0]
        assert abs(fitted.data.sum() - 1) < 1e-5

    def test_theory_reaches_as_far_as_the_light(self) -> None:
        optics, voxel = Optics(1.4, 1.515, 520), (0.3, 0.1, 0.1)
        depth, width, _ = psf_shape_for(optics, (61, 800, 200), voxel)
        assert depth == 121
        # Half the depth times the tangent of 67.5 degrees, either side.
        assert abs(width * 0.1 - 2 * 9.0 * np.tan(np.arcsin(1.4 / 1.515))) < 0.3
        assert psf_shape_for(optics, (61, 800, 200), voxel)[2] == 199
        # Of less than 12 µm and 12.8 µm across the light counts as of those.
        assert psf_shape_for(optics, (9, 20, 300), voxel) == (81, 129, 129)
        assert psf_shape_for(optics, (9, 20, 300), voxel, depths=0.5)[0] < 20
        core = support_shape(optics, voxel)
        assert psf_shape_for(optics, (800, 200), voxel) == core
        thin = replace(optics, modality="lightsheet", sheet_thickness=2.0)
        assert psf_shape_for(thin, (41, 800, 200), voxel) == core

    @pytest.mark.parametrize("shape", [(30, 30), (1, 30, 30)])
    def test_a_plane_takes_the_middle_plane(self, shape: tuple[int, ...]) -> None:
        psf = gaussian()
        fitted, notes = fit_psf(psf, shape)
        np.testing.assert_allclose(
            fitted.data[0], psf.data[4] / psf.data[4].sum(), rtol=1e-5
        )
        assert "the middle one of the 9 planes of the PSF" in notes[0]


def test_a_plan_serves_every_frame(nuclei: Case) -> None:
    plan = Plan(nuclei.psf, nuclei.image.shape, device="cpu")
    blur = plan.blur
    for frame in (nuclei.image, nuclei.image[::-1]):
        warm = richardson_lucy(frame, plan, 3)
        cold = richardson_lucy(frame, nuclei.psf, 3)
        np.testing.assert_array_equal(warm.image, cold.image)
    assert plan.blur is blur
    with pytest.raises(DataError, match=r"a plan for \(16, 48, 48\)"):
        richardson_lucy(nuclei.image[1:], plan, 3)


def restored(
    operator: DeconvolutionOperator,
    image: np.ndarray,
    axes: str,
    tile: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """Carry an image through the engine."""
    stack = Stack(image, axes, VOXEL)
    size = tile or stack.spatial_shape
    last = list(apply(operator, stack, tile=size, margin=(0,) * len(size)))[-1]
    assert isinstance(last, Finished)
    return np.asarray(last.result.data)


def operator(
    psfs: list[Psf], method: str = "rl", dims: int = 3, **options: Any
) -> DeconvolutionOperator:
    return DeconvolutionOperator(
        METHODS[method], psfs, dims, device="cpu", iterations=5, **options
    )


class TestOperator:
    def test_whole_images_are_those_of_the_function(self, nuclei: Case) -> None:
        result = restored(operator([nuclei.psf]), nuclei.image, "ZYX")
        expected = richardson_lucy(nuclei.image, nuclei.psf, 5).image
        np.testing.assert_array_equal(result, expected)

    def test_channels_have_their_own_psfs(self, nuclei: Case) -> None:
        other = gaussian()
        image = np.stack([nuclei.image, nuclei.image])
        result = restored(operator([nuclei.psf, other]), image, "CZYX")
        for channel, psf in enumerate((nuclei.psf, other)):
            expected = richardson_lucy(nuclei.image, psf, 5).image
            np.testing.assert_array_equal(result[channel], expected)

    def test_frames_share_a_plan(self, nuclei: Case) -> None:
        deconvolve = operator([nuclei.psf])
        image = np.stack([nuclei.image, nuclei.image * 2, nuclei.image])
        result = restored(deconvolve, image, "TZYX")
        np.testing.assert_array_equal(result[0], result[2])
        # One for the engine's trial of the memory, one for all the frames.
        assert len(deconvolve._plans) == 2

    @pytest.mark.parametrize("method", ["rl", "rl-accelerated", "rl-tv"])
    def test_tiles_agree_with_the_whole(self, filaments: Case, method: str) -> None:
        level = float(filaments.image.mean()) - 100
        options: dict[str, Any] = {"camera": filaments.camera, "method": method}
        whole = restored(operator([filaments.psf], **options), filaments.image, "ZYX")
        tiles = operator([filaments.psf], levels=[level], **options)
        assert tiles.halo == (10, 14, 14)
        tiled = restored(tiles, filaments.image, "ZYX", (16, 24, 24))
        error = np.linalg.norm(tiled - whole) / np.linalg.norm(whole)
        assert 0 < error < 0.01

    def test_a_wrong_number_of_psfs_is_refused(self) -> None:
        with pytest.raises(ValueError, match="2 PSFs for 3 channels"):
            operator([gaussian(), gaussian()]).channels_out(3)


class TestMemory:
    SHAPE = (64, 512, 512)

    def test_what_fits_is_not_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "free_bytes", lambda device: 10**12)
        assert tile_for(METHODS["rl"], self.SHAPE, [gaussian()]) is None

    def test_what_does_not_is_cut_until_it_fits(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        method, psf = METHODS["rl"], gaussian()
        free = peak_bytes(method, self.SHAPE, psf) // 3
        monkeypatch.setattr(memory, "free_bytes", lambda device: free)
        tile = tile_for(method, self.SHAPE, [psf])
        assert tile[0] == 64
        seen = [t + 2 * (k - 1) for t, k in zip(tile, psf.shape, strict=True)]
        seen = np.minimum(seen, self.SHAPE).tolist()
        assert peak_bytes(method, seen, psf) <= 0.7 * free

    def test_what_must_not_be_cut_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "free_bytes", lambda device: 10**6)
        with pytest.raises(OutOfMemoryError, match="a method that works in tiles"):
            tile_for(METHODS["rlgc"], self.SHAPE, [gaussian()], may_tile=False)
        with pytest.raises(OutOfMemoryError, match="not even small tiles"):
            tile_for(METHODS["rl"], self.SHAPE, [gaussian((41, 41, 41))])


class TestSharpReferences:
    def stacks(self, nuclei: Case) -> list[Stack]:
        return [Stack(nuclei.image, "ZYX", VOXEL, name=f"s{n}") for n in range(2)]

    def test_parts_are_apart(self, nuclei: Case) -> None:
        psf = gaussian((5, 7, 7))
        for number, found in enumerate(
            make_sharp_references(self.stacks(nuclei), psf, "rl", iterations=3)
        ):
            used = np.zeros(nuclei.image.shape, int)
            used[found.sharp_region] += 1
            used[found.blurred_region] += 1
            assert used.max() == 1
            assert (used == 0).sum() == 7 * used.size // 48
            # By turns first and last.
            starts = [s.start or 0 for s in found.sharp_region]
            assert (max(starts) > 0) == (number == 1)

    def test_the_rest_of_the_stack_has_no_say(self, nuclei: Case) -> None:
        psf = gaussian((5, 7, 7))
        (first,) = make_sharp_references(self.stacks(nuclei)[:1], psf, iterations=3)
        other = nuclei.image.copy()
        mask = np.ones(other.shape, bool)
        mask[first.sharp_region] = False
        other[mask] = 1e4
        changed = Stack(other, "ZYX", VOXEL)
        (second,) = make_sharp_references([changed], psf, iterations=3)
        np.testing.assert_array_equal(first.sharp.data, second.sharp.data)
        np.testing.assert_array_equal(
            first.blurred.data, nuclei.image[first.blurred_region]
        )

    def test_it_is_the_method_that_was_asked_for(self, nuclei: Case) -> None:
        psf = gaussian((5, 7, 7))
        stack = Stack(np.stack([nuclei.image] * 2), "TZYX", VOXEL)
        (found,) = make_sharp_references(
            [stack], psf, "rl-accelerated", iterations=4, background=100.0
        )
        assert found.sharp.axes == found.blurred.axes == "TZYX"
        crop = np.ascontiguousarray(nuclei.image[found.sharp_region])
        expected = accelerated_richardson_lucy(crop, psf, 4, background=100.0).image
        np.testing.assert_array_equal(found.sharp.data[1], expected)

    def test_impossible_requests_are_refused(self, nuclei: Case) -> None:
        with pytest.raises(RecipeError, match="no method"):
            make_sharp_references([], gaussian(), "gold")
        with pytest.raises(RecipeError, match="share is between 0 and 1"):
            make_sharp_references([], gaussian(), share=1.0)
        with pytest.raises(DataError, match="too few"):
            make_sharp_references(self.stacks(nuclei), gaussian((5, 31, 31)))
