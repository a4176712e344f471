"""What the Train widget hands to the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.monitoring.events import Started
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import vesicles
from napari_blurgan.optics.simulation import simulate
from napari_blurgan.tasks import train as train_module
from napari_blurgan.tasks.train_request import TrainingRequest
from napari_blurgan.training.budget import Budget

VOXEL = (0.2, 0.1, 0.1)


def test_the_offset_of_the_camera_is_no_part_of_a_made_sharp_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    psf = theoretical_psf(Optics(0.9, 1.33, 520), (9, 9, 9), VOXEL)
    truth = vesicles((16, 32, 80), VOXEL, seed=1)
    camera = Camera(photons=500, offset=100)
    _, image = simulate(truth, psf.data, seed=1, camera=camera.expose)
    stack = Stack(image, "ZYX", VOXEL, name="y")
    given = {}

    class Recorder:
        def __init__(self, recipe: Any, y: Any, x: Any, **options: Any) -> None:
            given.update(y=y, x=x)

            self.budget = Budget(1)

    monkeypatch.setattr(train_module, "Trainer", Recorder)
    request = TrainingRequest(
        "blind", [stack], make_sharp="richardson-lucy", psf=psf, options={"out": "o"}
    )
    request.trainer(lambda _: None)
    [blurred], [sharp] = given["y"], given["x"]
    assert np.median(blurred.data) > 95
    assert np.median(sharp.data) < 10
    # Light is where the structure is, not spread as the camera's offset is.
    plain = image[:, :, : sharp.data.shape[2]] - 100.0
    assert sharp.data.sum() < 1.5 * plain.clip(0).sum()
    assert sharp.data.std() > 1.3 * plain.std()


@pytest.mark.parametrize("make_sharp", ["layers", "richardson-lucy", "microtubules"])
def test_recipes_of_the_measured_images_alone_ask_for_no_others(
    make_sharp: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    planes = [Stack(rng.poisson(9, (70, 70)).astype(np.float32), "YX", name="p")]
    options = {"out": str(tmp_path / "m.blurgan"), "steps": 1, "device": "cpu"}
    request = TrainingRequest("noise2self", planes, (), make_sharp, options=options)
    request.check()
    events = list(request.trainer(lambda _: None))
    assert type(events[-1]).__name__ == "Finished"


def test_minutes_count_from_start(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    planes = [Stack(rng.poisson(9, (70, 70)).astype(np.float32), "YX", name="p")]
    options = {"out": str(tmp_path / "m.blurgan"), "minutes": 10, "device": "cpu"}
    trainer = TrainingRequest("noise2self", planes, options=options).trainer(print)
    for event in trainer:
        if isinstance(event, Started):
            break
    assert trainer.budget.seconds > 0
