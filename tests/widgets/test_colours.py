"""Colours that mean something are told apart by colour-blind people, too.

Dichromacies are simulated with the matrices of Machado, Oliveira and Fernandes (2009,
severity 1), which act on linear RGB; differences are Euclidean in CIELAB, where two are
just noticeable side by side and ten are seen at a glance.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_blurgan.widgets import _bead_layers as beads
from napari_blurgan.widgets import _evidence as evidence
from napari_blurgan.widgets._arrangement import COLOURS as OVERLAY
from napari_blurgan.widgets._loss_names import LOOKS, look
from napari_blurgan.widgets._picks import COLOURS as PICKS
from napari_blurgan.widgets._psf_inset import COLOURS as PROFILES
from napari_blurgan.writing.omero import TOGETHER

VISION = {
    "usual": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SEEN_AT_A_GLANCE = 10.0
NAMED = {"magenta": "#FF00FF", "green": "#00FF00"}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(colour: str) -> NDArray[np.float64]:
    digits = NAMED.get(colour, colour)[-6:]
    rgb = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = np.cbrt(XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: str, other: str, vision: str) -> float:
    seen = [lab(np.asarray(VISION[vision]) @ linear(c)) for c in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


SETS = {
    "picks": tuple(PICKS.values()),
    "profiles": tuple(PROFILES.values()),
    "beads": (beads.CLICKED, beads.TAKEN, beads.LEFT_OUT),
    "overlay": OVERLAY,
    "evidence": (evidence.ORANGE, evidence.BLUE, "#000000"),
    "channels": TOGETHER[:4],
}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", SETS)
def test_colours_of_one_picture_are_told_apart(name: str, vision: str) -> None:
    for one, other in combinations(SETS[name], 2):
        assert difference(one, other, vision) > SEEN_AT_A_GLANCE, (one, other)


@pytest.mark.parametrize("vision", VISION)
def test_losses_differ_in_colour_or_in_line(vision: str) -> None:
    for one, other in combinations(LOOKS, 2):
        (colour, style), (second, dashes) = look(one), look(other)
        if style == dashes and {one, other} != {"cycle_y", "criterion"}:
            assert difference(colour, second, vision) > SEEN_AT_A_GLANCE, (one, other)


def test_red_and_green_would_not_pass() -> None:
    assert difference("#C00000", "#6E6E00", "deutan") < SEEN_AT_A_GLANCE
