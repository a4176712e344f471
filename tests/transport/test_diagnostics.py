"""Every sign of trouble is shown by what has it, and by nothing healthy."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import avg_pool3d

from napari_blurgan.monitoring.diagnostics import CHECKS, Diagnostics, measure_vitals
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, delta_kernel, gaussian_kernel
from napari_blurgan.reconstructors.reconstructor import Reconstructor
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported

PATCH = (8, 16, 16)


class Made(Reconstructor):
    """Returns what it was given to return."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__(torch.nn.Identity())
        self.image = image

    def forward(self, y: torch.Tensor, *_: object) -> torch.Tensor:
        return self.image


def vitals_of(
    made: torch.Tensor, kernel: object = None, sharp: torch.Tensor | None = None
) -> dict[str, float]:
    values = gaussian_kernel((5, 5, 5), (2, 2, 2)) if kernel is None else kernel
    blur = BlurKernel(FixedKernel(values))
    transport = Transport(Made(made), blur)
    x = truth() if sharp is None else sharp
    return measure_vitals(Transported(transport, Draw(truth(), x), PATCH))


def truth() -> torch.Tensor:
    return torch.rand(1, 1, *PATCH, generator=torch.Generator().manual_seed(0))


def codes(vitals: dict[str, Any], step: int = 600) -> set[str]:
    return {warning.code for warning in Diagnostics().observe(step, vitals)}


def shifted() -> object:
    kernel = delta_kernel((5, 5, 5))
    kernel[2, 2, 2], kernel[2, 2, 4] = 0.4, 0.6
    return kernel


def board() -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    return truth() + 0.5 * (-1.0) ** (y + x)


def test_a_healthy_training_says_nothing() -> None:
    assert codes(vitals_of(truth()) | {"discriminator_x": 0.25}) == set()


def test_a_wasserstein_potential_below_zero_is_no_collapse() -> None:
    figures = {"discriminator_x": -0.5, "slope_x": 1.0}
    assert codes(vitals_of(truth()) | figures) == set()


def test_a_flat_wasserstein_potential_is_a_collapse_whatever_its_loss() -> None:
    for loss in (-0.02, 9.9):
        flat = {"discriminator_x": loss, "slope_x": 0.03}
        assert codes(vitals_of(truth()) | flat) == {"flat-discriminator"}


@pytest.mark.parametrize(
    ("made", "step", "expected"),
    [(truth(), 600, set()), (0.5 + 1e-4 * truth(), 300, {"dead-start"})],
)
def test_a_dark_patch_of_the_sharp_set_neither_alarms_nor_hides(
    made: torch.Tensor, step: int, expected: set[str]
) -> None:
    diagnostics = Diagnostics()
    for sharp in (truth(), 0 * truth(), truth()):
        vitals = vitals_of(made, sharp=sharp) | {"discriminator_x": 0.25}
        diagnostics.observe(0, vitals)
    assert {w.code for w in diagnostics.observe(step, vitals)} == expected


@pytest.mark.parametrize(
    ("code", "vitals"),
    [
        ("inverted-contrast", vitals_of(1 - truth())),
        ("unrelated", vitals_of(truth().flip(2, 3))),
        ("generator-collapse", vitals_of(torch.full_like(truth(), 0.5))),
        ("dead-start", vitals_of(torch.full_like(truth(), 0.5))),
        ("intensity-drift", vitals_of(3 * truth())),
        ("shifted-kernel", vitals_of(truth(), shifted())),
        ("kernel-at-border", vitals_of(truth(), gaussian_kernel((5, 5, 5), (9, 9, 9)))),
        ("checkerboard", vitals_of(board())),
        ("discriminator-collapse", {"discriminator_x": 1e-5}),
        ("below-input", vitals_of(board(), sharp=truth() + 0.1) | {"supervised": 0.2}),
    ],
)
def test_trouble_is_named_once_with_a_remedy(code: str, vitals: dict[str, Any]) -> None:
    diagnostics = Diagnostics()
    said = {w.code: w for w in diagnostics.observe(600, vitals)}
    assert code in said
    assert said[code].message
    assert "{" not in said[code].message
    assert said[code].remedy
    assert not diagnostics.observe(620, vitals)


def test_what_is_nearer_to_its_match_than_the_input_is_sound() -> None:
    """Of noisy pairs, too: a mean of both is nearer to either."""
    other = truth() + 0.1
    for made in (other, (truth() + other) / 2):
        found = vitals_of(made, sharp=other) | {"supervised": 0.2}
        assert "below-input" not in codes(found)


def test_a_patch_that_is_hardly_farther_from_its_match_is_sound() -> None:
    """As noisy pairs are by chance."""
    assert "below-input" not in codes({"supervised": 0.2, "farther": 1.05})
    assert "below-input" in codes({"supervised": 0.2, "farther": 1.4})


def test_images_of_other_fields_are_no_measure_of_the_input() -> None:
    assert "below-input" not in codes(vitals_of(board(), sharp=truth() + 0.1))


def test_noise_that_is_not_restored_is_no_stranger() -> None:
    """Voxel by voxel, dim images have little in common with what they show."""
    smooth = avg_pool3d(truth(), 4)
    for axis in (2, 3, 4):
        smooth = smooth.repeat_interleave(4, axis)
    vitals = vitals_of(smooth)
    assert vitals["agreement"] < 0.2
    diagnostics = Diagnostics()
    said = diagnostics.observe(600, vitals)
    assert diagnostics.means["likeness"] > 0.9
    assert "unrelated" not in {warning.code for warning in said}


def test_dark_patches_do_not_make_a_stranger() -> None:
    """In them, what is left of the noise has nothing in common with it."""
    bright = vitals_of(truth())
    dark = dict(bright)
    for name in ("made_variance", "seen_variance"):
        dark[name] = 1e-4 * bright[name]
    dark["covariance"] = -0.3 * dark["made_variance"]
    diagnostics = Diagnostics()
    for patch in (bright, *[dark] * 19, bright):
        said = diagnostics.observe(600, patch)
        assert "unrelated" not in {warning.code for warning in said}


def test_one_bad_patch_is_no_trouble() -> None:
    diagnostics = Diagnostics()
    for step in range(600, 700, 20):
        assert not diagnostics.observe(step, vitals_of(truth()))
    assert not diagnostics.observe(700, vitals_of(1 - truth()))


def test_standing_still_is_noticed() -> None:
    diagnostics = Diagnostics()
    assert not diagnostics.observe(20, {"cycle_x": 1.0})
    assert not diagnostics.observe(1000, {"cycle_x": 0.2})
    assert {w.code for w in diagnostics.observe(2500, {"cycle_x": 0.9})} == {
        "no-improvement"
    }


def test_the_state_survives() -> None:
    one, other = Diagnostics(), Diagnostics()
    one.observe(600, vitals_of(1 - truth()))
    other.load_state_dict(one.state_dict())
    assert one == other


def test_the_codes_are_all_different() -> None:
    assert len({check.code for check in CHECKS}) == len(CHECKS)
