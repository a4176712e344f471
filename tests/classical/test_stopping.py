"""Rules stop where they say, keep the best, and look at nothing but counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.classical.gradient_consensus import gradient_consensus
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.stopping import (
    RULES,
    Discrepancy,
    HeldOut,
    RelativeChange,
)
from tests.classical.conftest import Case


def error_path(
    method: Callable[..., Any], case: Case, iterations: int, **options: Any
) -> np.ndarray:
    """The error after each iteration, as a callback sees it."""
    errors = []

    def record(progress: Any) -> None:
        errors.append(case.error(progress.image()))

    method(
        case.image,
        case.psf,
        iterations,
        camera=case.camera,
        callback=record,
        **options,
    )
    return np.array(errors)


def test_fixed_iterations_leave_no_trace(nuclei: Case) -> None:
    result = richardson_lucy(nuclei.image, nuclei.psf, 3, camera=nuclei.camera)
    assert (result.iterations, result.trace, result.criterion) == (3, (), "")
    assert result.reason == "all iterations are done"


def test_relative_change(nuclei: Case) -> None:
    rule, options = RelativeChange(0.02), {"edges": "periodic"}
    result = richardson_lucy(nuclei.image, nuclei.psf, 100, stop=rule, **options)
    assert result.criterion == "relative change"
    assert result.trace[-1] <= 0.02 < min(result.trace[:-1])
    assert len(result.trace) == result.iterations + 1
    done = result.iterations - 1
    before = richardson_lucy(nuclei.image, nuclei.psf, done, **options).image
    change = np.linalg.norm(result.image - before) / np.linalg.norm(result.image)
    assert abs(change / result.trace[-1] - 1) < 1e-3
    again = richardson_lucy(nuclei.image, nuclei.psf, 100, stop=rule, **options)
    np.testing.assert_array_equal(again.image, result.image)  # a run starts afresh


def test_discrepancy_is_one_for_the_truth(nuclei: Case) -> None:
    result = accelerated_richardson_lucy(
        nuclei.image, nuclei.psf, 100, camera=nuclei.camera, stop=Discrepancy()
    )
    assert result.trace[-1] <= 1 < min(result.trace[:-1])
    # At the true object the residual is the noise: one, give or take its spread.
    blur = Blur(torch.from_numpy(nuclei.psf.data), (16, 48, 48))
    rng = np.random.default_rng(0)
    expected = rng.uniform(5, 50, blur.image_shape)
    counts = torch.from_numpy(rng.poisson(expected).astype(np.float32))
    steps = type("Steps", (), {"observation": Observation(counts, blur)})()
    value = Discrepancy().measure(steps, torch.from_numpy(expected).float())
    assert abs(value - 1) < 0.02


def test_rules_for_counts_ask_for_the_camera(nuclei: Case) -> None:
    for name in ("discrepancy", "held-out"):
        with pytest.raises(DataError, match="gain, offset and read noise"):
            richardson_lucy(nuclei.image, nuclei.psf, 3, stop=RULES[name]())


def test_halves_are_binomial_and_independent() -> None:
    """A rounded normal stands for the binomial; compare with the real one."""
    for count in (1, 2, 3, 10, 1000):
        image = torch.full((64, 64, 64), float(count))
        blur = Blur(torch.ones(1, 1, 1), image.shape)
        first, second = Observation(image, blur).halved(seed=1).image.numpy()
        np.testing.assert_array_equal(first + second, count)
        values = np.arange(count + 1)
        found = np.bincount(first.ravel().astype(int), minlength=count + 1)
        binomial = stats.binom(count, 0.5).pmf(values)
        assert np.abs(found / first.size - binomial).max() < 0.021
    rng = np.random.default_rng(0)
    counts = torch.from_numpy(rng.poisson(4.0, (64, 64, 64)).astype(np.float32))
    first, second = Observation(counts, blur).halved(seed=2).image.numpy()
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01


@pytest.mark.parametrize("name", ["nuclei", "filaments"])
def test_held_out_stops_near_the_best(
    name: str, request: pytest.FixtureRequest
) -> None:
    """The rule has not seen the truth, and ends within 5 % of the best on its path."""
    case = request.getfixturevalue(name)
    options: dict[str, Any] = {"camera": case.camera, "stop": HeldOut()}
    result = accelerated_richardson_lucy(case.image, case.psf, 100, **options)
    path = error_path(accelerated_richardson_lucy, case, 60)
    assert result.iterations < 60
    assert case.error(result.image) <= 1.05 * path.min()
    assert path[-1] > 1.05 * path.min()  # else any stop would do


def test_the_best_estimate_is_kept(nuclei: Case) -> None:
    """The rule must wait to see the minimum pass; what is returned is the minimum."""
    options: dict[str, Any] = {"camera": nuclei.camera}
    rule = HeldOut(patience=5)
    result = accelerated_richardson_lucy(
        nuclei.image, nuclei.psf, 100, stop=rule, **options
    )
    assert len(result.trace) == result.iterations + rule.patience + 1
    assert result.iterations == int(np.argmin(result.trace))
    seen = {}

    def keep(progress: Any) -> None:
        seen[progress.iteration] = progress.image()

    accelerated_richardson_lucy(
        nuclei.image,
        nuclei.psf,
        100,
        stop=HeldOut(patience=5),
        callback=keep,
        **options,
    )
    np.testing.assert_array_equal(result.image, seen[result.iterations])


def test_consensus_stops_by_itself_near_the_best(nuclei: Case, filaments: Case) -> None:
    for case in (nuclei, filaments):
        result = gradient_consensus(case.image, case.psf, camera=case.camera)
        path = error_path(gradient_consensus, case, 60, stop=HeldOut(patience=60))
        assert result.iterations < 60
        assert case.error(result.image) <= 1.05 * path.min()


def test_consensus_builds_up_less_noise(nuclei: Case) -> None:
    """Too many iterations cost less where the halves have to agree."""
    options: dict[str, Any] = {"stop": HeldOut(patience=60)}
    with_mask = error_path(gradient_consensus, nuclei, 40, **options)
    without = error_path(accelerated_richardson_lucy, nuclei, 40, **options)
    assert with_mask[-1] - with_mask.min() < 0.8 * (without[-1] - without.min())


def test_consensus_depends_on_its_seed_alone(nuclei: Case) -> None:
    def run(seed: int) -> Any:
        rule = HeldOut(seed=seed)
        return gradient_consensus(
            nuclei.image, nuclei.psf, 5, camera=nuclei.camera, stop=rule
        ).image

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))
    with pytest.raises(DataError, match="its own stopping rule"):
        gradient_consensus(
            nuclei.image, nuclei.psf, camera=nuclei.camera, stop=RelativeChange()
        )


def test_the_callback_may_stop_and_keeps_what_it_saw(nuclei: Case) -> None:
    last = {}

    def stop_at_three(progress: Any) -> Any:
        last["image"] = progress.image()
        return progress.iteration == 3

    result = richardson_lucy(nuclei.image, nuclei.psf, 50, callback=stop_at_three)
    assert (result.iterations, result.reason) == (3, "stopped by the caller")
    np.testing.assert_array_equal(result.image, last["image"])
    three = richardson_lucy(nuclei.image, nuclei.psf, 3)
    np.testing.assert_array_equal(result.image, three.image)
