"""Real napari, kept from the user's own settings; a small training."""

from __future__ import annotations

import gc
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from napari.settings import get_settings
from npe2 import PluginManager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QSettings

from napari_blurgan import widgets
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.phantoms import beads
from napari_blurgan.optics.simulation import blur
from napari_blurgan.optimisation.loading import load_optimisers
from napari_blurgan.training.trainer import Trainer
from napari_blurgan.widgets import train
from napari_blurgan.widgets._fields import changes_of
from napari_blurgan.widgets.train import TrainWidget
from tests.support.docks import finish, opened

VOXEL = (0.3, 0.1, 0.1)


@pytest.fixture(scope="session", autouse=True)
def imported_for_good() -> Iterator[None]:
    """Keep what is imported out of collections of garbage, which napari makes often.

    With torch and napari loaded each of them takes a second; a test makes eight. What
    a test leaves behind is collected as ever.
    """
    for module in pkgutil.iter_modules(widgets.__path__, "napari_blurgan.widgets."):
        import_module(module.name)
    load_optimisers()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def discovered() -> None:
    """Know the installed plugins from the first test on, as napari's window does."""
    PluginManager.instance().discover()


@pytest.fixture(autouse=True)
def private_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither read nor write what the person at this machine has set."""
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "qt")
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def quick_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show what is new ten times a second: tests wait for it."""
    monkeypatch.setattr(train, "DRAW", 100)


@pytest.fixture(scope="session")
def small() -> str:
    """Return changes to a recipe that make a step cheap."""
    return (
        "sampling.patch=16 reconstructor.base=4 reconstructor.levels=2 "
        "reconstructor.iterations=3 discriminator.base=4 discriminator.scales=1 "
        "forward.frozen_steps=0 precision=float32 forward.start=optics "
        "terms.spectral=0"
    )


@pytest.fixture(scope="session")
def volumes() -> tuple[np.ndarray, np.ndarray]:
    """Return two volumes of beads, one of them blurred."""
    first, second = (
        100 * beads((20, 40, 40), VOXEL, seed=seed, diameter=0.4) for seed in (0, 1)
    )
    kernel = np.zeros((5, 7, 7), np.float32)
    kernel[1:4, 2:5, 2:5] = 1 / 27
    return np.maximum(blur(first, kernel), 0), second


@pytest.fixture
def viewer(
    make_napari_viewer_proxy: Callable[..., Viewer],
    volumes: tuple[np.ndarray, np.ndarray],
) -> Viewer:
    """Return a viewer with a blurred and a sharp layer."""
    viewer = make_napari_viewer_proxy()
    blurred, sharp = volumes
    place = {"scale": VOXEL, "units": ("um",) * 3, "axis_labels": ("z", "y", "x")}
    viewer.add_image(sharp, name="sharp", **place)
    viewer.add_image(blurred, name="blurred", translate=(1, 2, 3), **place)
    return viewer


@pytest.fixture(scope="session")
def model_folder(
    volumes: tuple[np.ndarray, np.ndarray],
    small: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a model of two steps: it restores badly, but it restores."""
    out = tmp_path_factory.mktemp("models") / "tiny.blurgan"
    blurred, sharp = (
        Stack(v, "ZYX", VOXEL, name) for v, name in zip(volumes, "yx", strict=True)
    )
    recipe = preset("blind").updated(changes_of(small))
    optics = Optics(na=1.0, ni=1.33, wavelength=525)
    for _ in Trainer(
        recipe, [blurred], [sharp], out, optics=optics, steps=2, device="cpu"
    ):
        pass
    return out


@pytest.fixture
def training(
    make_napari_viewer: Callable[..., Viewer],
    volumes: tuple[np.ndarray, np.ndarray],
    small: str,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Viewer, TrainWidget]]:
    """Return a viewer in a real window, and a Train widget at work in it."""
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(get_settings().application, "confirm_close_window", False)
    blurred, sharp = volumes
    place = {"scale": VOXEL, "units": ("um",) * 3}
    viewer.add_image(sharp, name="sharp", **place)
    viewer.add_image(blurred, name="blurred", **place)
    widget = opened(viewer, "Train")
    widget.data.sharp.tick(viewer.layers["sharp"])
    widget.data.update_values({"make": "layers", "optics": {"known": True}})
    widget.advanced.update_values({"changes": small, "device": "cpu"})
    widget.run.start_button.click()
    qtbot.waitUntil(lambda: widget.plot.last_step > 2, timeout=60_000)
    yield viewer, widget
    finish(widget)
