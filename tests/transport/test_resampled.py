"""Measurements simulated from estimates: of what, how noisy, and what G learns."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, preset
from napari_blurgan.errors import RecipeError
from napari_blurgan.estimates.estimator import estimator_of
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.objective.cycles import Bootstrap
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.source import open_source
from napari_blurgan.sources.split import Split
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported
from tests.transport.test_judge import SMALL, VOXEL, measured, trainer
from tests.transport.test_judge import psf as psf  # a fixture

KNOWN = {"reconstructor.grain": 0.5, "forward.thickness": 0, "sampling.flips": False}


class Known:
    """A forward model that is one fixed blur."""

    def __init__(self, blur: BlurKernel) -> None:
        self.blur = blur


def opened(
    psf: Psf, stacks: list[Stack], **changes: Any
) -> tuple[Split, Site, BlurKernel]:
    """Return the source of a site, once everything was made."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    recipe = preset("self-supervised").updated(SMALL | KNOWN | dotted)
    blur = BlurKernel(FixedKernel(psf.data))
    site = Site(recipe, stacks, [], VOXEL, calibrate(recipe, stacks, []), forward=blur)
    source = open_source(site)
    assert isinstance(source, Split)
    assert list(source.renew_all(Known(blur)))[-1] == 1
    return source, site, blur


def resampled(source: Split, number: int = 0) -> np.ndarray:
    """Return x, its measurement and the estimates, of one block."""
    return np.asarray(source.parts[1].stacks[number].data)


def test_estimates_of_the_photons_that_are_not_held_out_are_the_truth(
    psf: Psf,
) -> None:
    source, site, blur = opened(psf, [measured(psf, 200, seed) for seed in (0, 1)])
    estimator = estimator_of(site.recipe.reconstructor, site.calibration)
    assert estimator is not None
    for number in (0, 1):
        kept = np.asarray(source.measured[number].data)[:1]
        whole = site.calibration.y.apply(np.asarray(site.y[number].data))
        assert np.abs(kept[0] - whole).max() > 0.01
        expected = estimator(torch.from_numpy(kept)[None], blur)[0, -1].numpy()
        np.testing.assert_allclose(resampled(source, number)[0], expected, atol=1e-5)


def test_they_are_measured_with_the_noise_of_the_images_and_anew_each_time(
    psf: Psf,
) -> None:
    source, site, blur = opened(psf, [measured(psf, 200)])
    noise: NoiseModel = site.calibration.noise
    before = resampled(source)[:2].copy()
    for _ in range(4):
        source.renew_next(Known(blur))
    after = resampled(source)[:2]
    np.testing.assert_array_equal(before[0], after[0])
    one, other = before[1], after[1]
    variance = noise.slope * np.clip((one + other) / 2, 0, None) + noise.intercept
    inner = (slice(6, -6),) * 3  # beyond the border it is dark, or a mirror image
    ratio = np.square(one - other)[inner].mean() / (2 * variance[inner].mean())
    assert ratio == pytest.approx(1, abs=0.1)


def test_either_part_is_made_anew_in_turn(psf: Psf) -> None:
    source, _, blur = opened(psf, [measured(psf, 200)])

    def state() -> tuple[float, float]:
        halves = np.asarray(source.measured[0].data)[1]
        return float(halves.std()), float(resampled(source)[1].std())

    states = [state()]
    for _ in range(2):
        source.renew_next(Known(blur))
        states.append(state())
    (a, b), (c, d), (e, f) = states
    assert {(a != c, b != d), (c != e, d != f)} == {(True, False), (False, True)}


def test_nothing_is_simulated_unless_it_is_wanted(psf: Psf) -> None:
    source, _, _ = opened(
        psf, [measured(psf, 200)], source__resampled=False, terms__bootstrap=0
    )
    assert source.draw().simulated is None
    assert len(source.parts) == 1


def test_states_of_before_are_restored(psf: Psf) -> None:
    """They know of one part only, whose names were the same."""
    stacks = [measured(psf, 200)]
    source, _, blur = opened(psf, stacks, source__resampled=False, terms__bootstrap=0)
    state = source.state_dict()
    older = {name: state[name] for name in ("sampler", "blocks")}
    expected = source.draw()
    source.renew_next(Known(blur))
    source.load_state_dict(older, Known(blur))
    torch.testing.assert_close(source.draw().y, expected.y)


def test_the_term_needs_such_measurements() -> None:
    with pytest.raises(RecipeError, match="simulated measurements of its estimates"):
        preset("self-supervised").updated({"source.resampled": False})
    with pytest.raises(RecipeError, match="simulated measurements of its estimates"):
        preset("nonblind").updated({"terms.bootstrap": 1})


def test_g_learns_how_estimates_differ_from_the_truth(psf: Psf) -> None:
    training = trainer(psf, 80, terms__remeasured=0, optimiser__generator_rate=5e-3)
    losses = [e.losses["bootstrap"] for e in training if isinstance(e, Stepped)]
    assert np.mean(losses[-20:]) < 0.95 * np.mean(losses[:20])


def test_what_the_blur_does_not_explain_is_no_truth(psf: Psf) -> None:
    _, site, _ = opened(psf, [measured(psf, 200)])
    settings = site.recipe.active_terms["bootstrap"]
    nowhere: Any = SimpleNamespace()
    images = Transported(nowhere, Draw(torch.zeros(1, 1, 8, 8)), (8, 8), 2)
    vars(images).update(x=torch.full((1, 1, 8, 8), 3.0), x_cycle=torch.ones(1, 1, 4, 4))
    terms = [Bootstrap(settings, replace(site, misfit=m)) for m in (-1.0, 0.0, 99.0)]
    assert [float(term(images)) for term in terms] == pytest.approx([4.0, 4.0, 0.04])
