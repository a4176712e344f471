"""Deconvolution without sharp images: what is foretold, what judges, what is safe."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, preset, restore
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.judge import Judgement, standard_error
from napari_blurgan.estimates.projected import ProjectedError
from napari_blurgan.heldout.iterations import best_iterations
from napari_blurgan.monitoring.events import Finished, Judged, Stepped
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur as blurred_by
from napari_blurgan.preparation.calibration import NoiseModel

VOXEL = (0.2, 0.1, 0.1)
SHAPE = (20, 40, 40)
SMALL = {
    "reconstructor.base": 2,
    "reconstructor.levels": 2,
    "reconstructor.iterations": 8,
    "sampling.patch": 16,
    "precision": "float32",
}


@pytest.fixture(scope="module")
def psf() -> Psf:
    torch.set_num_threads(1)
    return theoretical_psf(Optics(0.9, 1.33, 520), (11, 11, 11), VOXEL)


def measured(psf: Psf, photons: float, seed: int = 0) -> Stack:
    truth = phantom("vesicles", SHAPE, VOXEL, seed)
    image = blurred_by(truth, psf.data)
    camera = Camera(photons=photons / image.max(), read_noise=1.0, offset=100.0)
    return Stack(camera.expose(image, seed), "ZYX", VOXEL, name=f"y{seed}")


def trainer(psf: Psf, steps: int, **changes: object) -> Trainer:
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    recipe = preset("self-supervised").updated(SMALL | dotted)
    stacks = [measured(psf, 200, seed) for seed in (0, 1)]
    return Trainer(recipe, stacks, [], psf=psf, steps=steps, device="cpu")


def test_the_projected_error_is_that_of_the_object_itself() -> None:
    """Within the pass-band the blur has no say, and noise adds a constant."""
    blur = BlurKernel(FixedKernel(gaussian_kernel((9, 9, 9), (3, 2, 2))))
    wide = gaussian_kernel((13, 13, 13), (6, 5, 5))
    rng = np.random.default_rng(0)
    grain = torch.from_numpy(rng.normal(size=(1, 1, 32, 48, 48)).astype(np.float32))
    error = BlurKernel(FixedKernel(wide))(grain, "zero")
    error = torch.nn.functional.pad(error[..., 8:-8, 8:-8, 8:-8], [8] * 6)
    measure = ProjectedError(blur, (32, 48, 48), 1e-3)
    through_blur = float(measure(blur(error, "zero")))
    assert through_blur == pytest.approx(float(error.square().mean()), rel=0.1)
    noise = 0.1 * torch.from_numpy(rng.normal(size=error.shape).astype(np.float32))
    added = float(measure(blur(error, "zero") + noise)) - through_blur
    assert added == pytest.approx(float(measure(noise)), rel=0.2)


def test_brighter_images_are_worth_more_iterations(psf: Psf) -> None:
    blur = BlurKernel(FixedKernel(psf.data))
    found = []
    for photons in (10.0, 2000.0):
        image = np.asarray(measured(psf, photons).data, np.float32)
        levels = Normalization(100.0, photons)
        noise = NoiseModel(1 / photons, (1 / photons) ** 2)
        found.append(best_iterations([levels.apply(image)], blur, noise))
    assert found[1] > 2 * found[0] >= 2


def test_it_starts_as_richardson_lucy_and_ends_no_worse(psf: Psf) -> None:
    training = trainer(psf, 100)
    events = list(training)
    judged = [e.judgement for e in events if isinstance(e, Judged)]
    assert judged[0].error == judged[0].of_estimate
    assert any(judgement.better for judgement in judged)
    model = events[-1].model
    unseen = model.provenance["unseen"]
    assert unseen["error"] == min(j.error for j in judged) <= unseen["of_estimate"]


def test_the_error_bar_is_that_of_repeated_measurements() -> None:
    """Of filtered noise, whose neighbours are alike."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(64, 1, 32, 64, 64, generator=generator)
    smooth = torch.nn.functional.avg_pool3d(images, 3, stride=1)
    means = smooth.flatten(1).mean(1)
    bars = [standard_error(image[None]) for image in smooth]
    assert np.mean(bars) == pytest.approx(float(means.std()), rel=0.3)


def test_better_by_chance_is_no_better() -> None:
    # Of a dozen looks, one is better by two standard errors for one training in four.
    assert not Judgement(0.95, 1.0, 0.02).better
    assert Judgement(0.945, 1.0, 0.02).better
    assert Judgement(0.93, 1.0, 0.02).better
    assert "better than Richardson–Lucy by 7.00% ± 2.00%" in str(
        Judgement(0.93, 1.0, 0.02)
    )


def test_where_training_harms_the_result_is_richardson_lucy(psf: Psf) -> None:
    # Nearly all of this loss is noise that the blur lets nothing through of.
    harmful = {"optimiser__generator_rate": 1.0, "optimiser__final": 1.0}
    training = trainer(psf, 20, terms__remeasured__floor=1e-6, **harmful)
    finished = list(training)[-1]
    assert isinstance(finished, Finished)
    unseen = finished.model.provenance["unseen"]
    assert unseen["error"] == unseen["of_estimate"], "training must harm here"
    stack = measured(psf, 200)
    restored = np.asarray(restore(finished.model, stack, precision="float32").data)
    site = training._parts.prepared.site
    levels = site.calibration
    estimator = Estimator(8, levels.noise.pedestal)
    image = torch.from_numpy(levels.y.apply(np.asarray(stack.data)))[None, None]
    estimate = estimator(image, site.forward.blur)[0, 0].numpy()
    expected = levels.output.undo(estimate)
    np.testing.assert_allclose(restored, expected, rtol=1e-3, atol=0.5)


def test_it_goes_on_as_if_it_had_not_been_interrupted(
    psf: Psf, tmp_path: object
) -> None:
    recipe = preset("self-supervised").updated(SMALL | {"reconstructor.renew": 3})
    stacks = [measured(psf, 200)]

    def run(out: str, steps: int, resume: bool = False) -> list[dict[str, float]]:
        training = Trainer(
            recipe,
            stacks,
            [],
            f"{tmp_path}/{out}.blurgan",
            psf=psf,
            steps=12,
            device="cpu",
            resume=resume,
        )
        losses = []
        for event in training:
            if isinstance(event, Stepped):
                losses.append(event.losses)
                if event.step == steps:
                    training.stop()
        return losses

    whole = run("whole", 12)
    assert run("parts", 5) + run("parts", 12, resume=True) == whole
