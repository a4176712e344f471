"""Power spectra of windowed patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan.errors import DataError
from napari_blurgan.identification.spectra import (
    Rings,
    checked_volumes,
    common_patch,
    cut,
    hann,
    power,
)

RNG = np.random.default_rng(0)
VOLUMES = [RNG.normal(size=(16, 40, 48)) for _ in range(2)]


def test_planes_become_volumes_without_their_mean() -> None:
    found = checked_volumes([v[0] + 100 for v in VOLUMES], "blurred")
    assert found[0].shape == (1, 40, 48)
    assert abs(float(torch.stack(found).mean())) < 1e-4


@pytest.mark.parametrize(
    "images",
    [
        [],
        [np.ones((16, 40, 48))],
        [np.full((16, 40, 48), np.nan)],
        [VOLUMES[0][:, :4]],
    ],
    ids=["none", "constant", "nan", "small"],
)
def test_what_has_no_spectrum_is_refused(images: list[np.ndarray]) -> None:
    with pytest.raises(DataError):
        checked_volumes(images, "blurred")


def test_a_constant_background_leaves_no_trace() -> None:
    patch = (16, 32, 32)
    window = hann(patch)
    assert float((window**2).sum()) == pytest.approx(1, rel=1e-4)
    patches = cut(torch.from_numpy(VOLUMES[0]).float(), patch, 4)
    plain, shifted = (power((p + b for p in patches), window) for b in (0.0, 50.0))
    far = (slice(4, -4), slice(4, -4), slice(4, None))
    torch.testing.assert_close(plain[far], shifted[far], rtol=1e-2, atol=1e-4)


def test_patches_fit_all_volumes() -> None:
    volumes = [torch.zeros(16, 40, 48), torch.zeros(8, 64, 64)]
    assert common_patch(volumes, (64, 32, 64)) == (8, 32, 48)
    with pytest.raises(DataError, match="planes"):
        common_patch([volumes[0], volumes[0][:1]], (64, 32, 64))
    patches = cut(volumes[0], (16, 20, 24), 100)
    assert len(patches) == 9
    assert all(p.shape == (16, 20, 24) for p in patches)


def test_rings_average_equal_frequencies() -> None:
    rings = Rings((8, 16, 16), (0.2, 0.1, 0.1))
    found = rings.mean(torch.full((8, 16, 9), 3.0))
    filled = found[rings.count > 0]
    torch.testing.assert_close(filled, torch.full_like(filled, 3.0))
