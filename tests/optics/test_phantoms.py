"""Phantoms: seeded, within [0, 1], true to their sizes in micrometres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import center_of_mass, label

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.phantoms import (
    STRUCTURES,
    bead_positions,
    beads,
    membranes,
    microtubules,
    nuclei,
    phantom,
    vesicles,
    worm_like_chains,
)
from napari_blurgan.optics.phantoms._filaments import _draw_tubes
from napari_blurgan.optics.phantoms._grid import Grid, RandomField

pytestmark = pytest.mark.slow

VOXEL = (0.2, 0.1, 0.1)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 20), st.integers(1, 30), st.integers(1, 30)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)


@settings(max_examples=25, deadline=None)
@given(
    structure=st.sampled_from(list(STRUCTURES)),
    shape=SHAPES,
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_is_drawn_the_same_twice(
    structure: str, shape: tuple[int, ...], seed: int
) -> None:
    first = phantom(structure, shape, VOXEL, seed)
    assert first.shape == shape
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1
    np.testing.assert_array_equal(first, phantom(structure, shape, VOXEL, seed))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_another_seed_draws_another_structure(structure: str) -> None:
    one, two = (phantom(structure, (24, 48, 48), VOXEL, seed) for seed in (1, 2))
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] < 0.5


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(5))
def test_no_field_is_empty(structure: str, seed: int) -> None:
    assert phantom(structure, (16, 64, 64), VOXEL, seed).max() > 0.2


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_single_plane_is_planar(structure: str) -> None:
    plane = phantom(structure, (40, 50), (0.1, 0.1), 3)
    volume = phantom(structure, (1, 40, 50), VOXEL, 3)
    np.testing.assert_array_equal(volume[0], plane)


def _mean(structure: str, **options: Any) -> float:
    draws = [phantom(structure, (32, 64, 64), VOXEL, s, **options) for s in range(6)]
    return float(np.mean(draws))


@pytest.mark.parametrize("structure", ["microtubules", "vesicles", "membranes"])
def test_three_times_the_density_fills_about_three_times_as_much(
    structure: str,
) -> None:
    # Somewhat less, as bodies overlap.
    assert 2.2 < _mean(structure, density=3.0) / _mean(structure) < 3.5


def test_thicker_filaments_lie_where_the_thin_ones_lay() -> None:
    thin, thick = (
        microtubules((32, 64, 64), VOXEL, seed=0, thickness=t) for t in (0.2, 0.3)
    )
    assert thick.sum() / thin.sum() == pytest.approx(1.5**2, rel=0.1)
    assert (thick >= thin - 1e-6).mean() > 0.999


@pytest.mark.parametrize("radius", [0.1, 0.17, 0.3])
def test_a_filament_has_the_cross_section_of_its_thickness(radius: float) -> None:
    grid = Grid.of((40, 40, 60), (0.1, 0.1, 0.1))
    along = np.linspace(-1, 7, 400)
    points = np.stack([2 + 0.03 * along, 1.93 + 0.05 * along, along], axis=1)
    image = _draw_tubes(grid, points, np.ones(len(points)), radius)
    # One slab of voxels across the nearly straight line along x.
    area = image[:, :, 10:50].sum(axis=(0, 1)) * 0.1**2
    assert area.mean() == pytest.approx(np.pi * radius**2, rel=0.1)


def test_tangents_lose_memory_over_the_persistence_length() -> None:
    rng = np.random.default_rng(0)
    grid = Grid.of((50, 50, 50), (0.2, 0.2, 0.2))
    step, persistence = 0.05, 4.0
    chains = worm_like_chains(rng, grid, 3000, 8.0, step, persistence)
    tangents = np.diff(chains, axis=1) / step
    start = tangents.shape[1] // 2
    for path in (1.0, 2.0, 3.0):
        cosine = np.sum(tangents[:, start] * tangents[:, start + int(path / step)], -1)
        assert cosine.mean() == pytest.approx(np.exp(-path / persistence), abs=0.02)


def test_bundles_gather_the_same_number_of_filaments() -> None:
    """Side by side they cover less of the field than apart, but some of it."""
    apart, bundled = (
        np.mean(
            [
                microtubules((24, 64, 64), VOXEL, seed=s, bundling=b) > 0
                for s in range(6)
            ]
        )
        for b in (0.0, 1.0)
    )
    assert 0 < bundled < 0.9 * apart
    with pytest.raises(OpticsError, match=r"parts, 0 to 1; found 0\.75 and 2"):
        microtubules((8, 8, 8), VOXEL, seed=0, bundling=2.0)


def test_flat_networks_stay_near_the_plane() -> None:
    grid = Grid.of((50, 50, 50), (0.2, 0.2, 0.2))

    def climb(flatness: Any) -> Any:
        rng = np.random.default_rng(0)
        chains = worm_like_chains(rng, grid, 200, 5.0, 0.1, 20.0, flatness)
        return np.abs(np.diff(chains[..., 0], axis=1)).mean()

    assert climb(1.0) == pytest.approx(0.0, abs=1e-12)
    assert climb(0.8) < 0.5 * climb(0.0)


def test_a_bead_has_its_volume_and_its_place() -> None:
    voxel = np.array([0.15, 0.1, 0.1])
    for seed in range(5):
        options: dict[str, Any] = {"seed": seed, "density": 1e-9}
        centre = bead_positions((21, 31, 31), voxel, **options)[0]
        if not ((centre > 4) & (centre < np.array([16, 26, 26]))).all():
            continue
        image = beads((21, 31, 31), voxel, diameter=0.5, **options)
        volume = image.sum() * voxel.prod()
        assert volume == pytest.approx(np.pi / 6 * 0.5**3, rel=0.02)
        assert np.abs(np.array(center_of_mass(image)) - centre).max() < 0.02


def test_beads_keep_their_distance_and_are_all_there() -> None:
    shape, voxel = (40, 120, 120), (0.2, 0.1, 0.1)
    positions = bead_positions(shape, voxel, seed=4, density=4.0, spacing=1.0)
    gaps = np.linalg.norm((positions[:, None] - positions) * voxel, axis=-1)
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() >= 1.0
    image = beads(shape, voxel, seed=4, density=4.0, spacing=1.0)
    assert label(image > 0)[1] == len(positions)


def test_vesicles_are_hollow() -> None:
    image = vesicles(
        (60, 60, 60), (0.1, 0.1, 0.1), seed=2, radius=1.5, spread=0.0, density=0.3
    )
    inside = (image > 0) & (image < 0.12)
    wall = image > 0.35
    assert inside.sum() > 1.5 * wall.sum() > 0


def test_nuclei_have_texture_and_do_not_touch() -> None:
    image = nuclei((200, 200), (0.1, 0.1), seed=0, diameter=5.0)
    inside = image[image > 0.05]
    assert inside.std() / inside.mean() > 0.25
    assert label(image > 0)[1] >= 3


def test_a_membrane_is_as_thick_as_asked_for() -> None:
    """Its area, volume over thickness, does not depend on the thickness."""
    volumes = [
        membranes((64, 64, 64), (0.1, 0.1, 0.1), seed=3, thickness=t).sum()
        for t in (0.2, 0.3)
    ]
    assert volumes[1] / volumes[0] == pytest.approx(1.5, rel=0.05)


def test_a_random_field_has_unit_variance_and_the_slope_of_its_differences() -> None:
    field = RandomField.draw(np.random.default_rng(0), 3, 0.3)
    grid = Grid.of((64, 64, 64), (0.2, 0.2, 0.2))
    axes = grid.axes()
    assert field(axes).std() == pytest.approx(1.0, abs=0.1)
    fine = Grid.of((5, 5, 5), (1e-3, 1e-3, 1e-3)).axes()
    numeric = np.sqrt(sum(g**2 for g in np.gradient(field(fine), 1e-3)))
    assert field.slope(fine)[2, 2, 2] == pytest.approx(numeric[2, 2, 2], rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("spaghetti", (8, 8, 8), VOXEL, 0),
            "no structure 'spaghetti'; there are micr",
        ),
        (("beads", (8,), VOXEL, 0), r"a phantom's shape is .* found \(8,\)"),
        (("beads", (8, 0, 8), VOXEL, 0), "all positive"),
        (("beads", (8, 8, 8), (0.1, 0.1), 0), "a voxel size is"),
        (("beads", (8, 8, 8), (0.1, -0.1, 0.1), 0), "a voxel size is"),
    ],
)
def test_impossible_requests_are_refused(
    arguments: tuple[str, tuple[int, ...], tuple[float, ...], int], message: str
) -> None:
    with pytest.raises(OpticsError, match=message):
        phantom(*arguments)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_options_must_be_above_zero(structure: str) -> None:
    with pytest.raises(OpticsError, match="density must be above zero; found 0"):
        phantom(structure, (8, 8, 8), VOXEL, 0, density=0.0)


def test_unknown_options_name_the_known_ones() -> None:
    with pytest.raises(OpticsError, match="no option 'thickness'; there are density"):
        phantom("beads", (8, 8, 8), VOXEL, 0, thickness=1.0)


def test_filaments_thinner_than_a_voxel_are_refused() -> None:
    with pytest.raises(OpticsError, match="thinner than a voxel"):
        microtubules((8, 8, 8), VOXEL, seed=0, thickness=0.05)
