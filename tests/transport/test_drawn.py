"""Blocks and their sampler: what is drawn was made last, and can be drawn again."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.sources.drawn import Drawn
from tests.transport.test_judge import measured
from tests.transport.test_judge import psf as psf  # a fixture
from tests.transport.test_resampled import opened


def drawn(psf: Psf) -> tuple[Drawn, BlurKernel]:
    """Return the halves of the photons of two images, not yet made."""
    source, site, blur = opened(psf, [measured(psf, 200, seed) for seed in (0, 1)])
    rng = np.random.default_rng(5)
    return Drawn(source.drawn.blocks, site, rng), blur


def test_patches_are_those_of_the_block_that_was_made_last(psf: Psf) -> None:
    part, blur = drawn(psf)
    before = [np.asarray(stack.data).copy() for stack in part.stacks]
    part.renew_next(blur)
    after = [np.asarray(stack.data) for stack in part.stacks]
    changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert changed == [True, False]
    assert set(part.draw()) == {"y", "estimate", "residual"}


def test_a_restored_state_draws_the_same_patches(psf: Psf) -> None:
    part, blur = drawn(psf)
    part.renew_next(blur)
    part.draw()
    state = part.state_dict()
    expected = [part.draw() for _ in range(3)]
    part.renew_next(blur)
    part.load_state_dict(state, blur)
    for patch in expected:
        again = part.draw()
        for name, image in patch.items():
            torch.testing.assert_close(again[name], image)


def test_a_small_block_need_not_wait_for_its_turn(psf: Psf) -> None:
    part, blur = drawn(psf)
    before = np.asarray(part.stacks[0].data).copy()
    part.renew_in_time(blur)
    assert not np.array_equal(before, np.asarray(part.stacks[0].data))
