"""Numbers of iterations are tried a tenth apart; errors between are interpolated."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.iterations import errors_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel

BLUR = BlurKernel(FixedKernel(gaussian_kernel((5, 7, 7), (1.0, 1.5, 1.5))))
MOST = 50


def halves() -> tuple[torch.Tensor, torch.Tensor]:
    """Return two exposures of some spots of 400 photons."""
    rng = np.random.default_rng(0)
    truth = torch.zeros(1, 1, 12, 32, 32)
    truth[0, 0, 6, 8:24:8, 8:24:8] = 4e4
    seen = BLUR(truth, "zero").clamp(min=0).numpy()
    one, other = (rng.poisson(seen + 4) - 4 for _ in range(2))
    return torch.from_numpy(one).float(), torch.from_numpy(other).float()


def test_each_number_is_followed_by_one_a_tenth_larger() -> None:
    seen, _ = halves()
    tried = list(Estimator(MOST, 4.0).expectations(seen, BLUR))
    numbers = [number for number, _ in tried]
    assert numbers[:20] == list(range(1, 21)) and numbers[-1] > 0.9 * MOST
    steps = np.diff(numbers)
    assert (steps <= np.maximum(1, np.array(numbers[:-1]) / 10)).all()
    for number, expected in tried[::10]:
        torch.testing.assert_close(expected, Estimator(number, 4.0).fit(seen, BLUR)[1])


def test_errors_are_given_for_every_number() -> None:
    errors = errors_of(Estimator(MOST, 4.0), halves(), BLUR)
    assert errors.shape == (MOST,)
    assert 1 <= int(np.argmin(errors)) + 1 < MOST
    # Beyond the best by two fifths the search has ended, and the last error stands.
    assert errors[-1] == errors[-2] >= errors.min()
