"""What a training says of the blur between two sets before it starts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.forward.identification import identified
from napari_blurgan.forward.start import Start
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import microtubules
from napari_blurgan.optics.simulation import margin_for, simulate

VOXEL = (0.15, 0.08, 0.08)
FIELD = (40, 80, 80)
OPTICS = Optics(1.3, 1.515, 525.0)
TRUTH = theoretical_psf(OPTICS, (21, 31, 31), VOXEL)
USUAL = 0.16


def stacks(images: Any) -> Any:
    return [Stack(x, "ZYX", VOXEL, name=f"{n}") for n, x in enumerate(images)]


@cache
def blurred() -> Any:
    margin = margin_for(TRUTH.data)
    wide = [n + 2 * m for n, m in zip(FIELD, margin, strict=True)]
    clean = [
        simulate(
            microtubules(wide, VOXEL, seed=100 + n, thickness=USUAL),
            TRUTH.data,
            seed=0,
            margin=margin,
        )[1]
        for n in range(4)
    ]
    photons = 120 / max(image.max() for image in clean)
    camera = Camera(photons, read_noise=3.0, offset=100.0)
    return stacks([camera.expose(image, n) for n, image in enumerate(clean)])


def said(thickness: Any, **known: Any) -> Any:
    """Return what is said where the sharp set is drawn `thickness` times as thick."""
    drawn = [
        microtubules(FIELD, VOXEL, seed=200 + n, thickness=thickness * USUAL)
        for n in range(4)
    ]
    start = Start(
        **({"psf": None, "optics": None} | known), voxel_size=VOXEL, largest=FIELD
    )
    return {
        n.code: n.figures for n in identified(start, blurred(), stacks(drawn), 3)[1]
    }


@pytest.mark.parametrize("known", [{"optics": OPTICS}, {"psf": TRUTH}])
def test_a_blur_narrower_than_the_known_one_is_said_to_be(
    known: dict[str, Any],
) -> None:
    assert said(1.5, **known)["sharper-than-optics"]["narrower"] == pytest.approx(
        0.15, abs=0.03
    )


@pytest.mark.parametrize("known", [{"optics": OPTICS}, {"psf": TRUTH}])
def test_nothing_is_said_of_sets_of_one_kind(known: dict[str, Any]) -> None:
    assert said(1.0, **known) == {}


def test_without_optics_nobody_can_tell() -> None:
    """Thick structures and a sharp microscope have the spectra of thin ones."""
    assert said(1.5) == {}
