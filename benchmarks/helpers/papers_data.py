"""The simulation of Lim et al. (2020), section IV: volumes, PSFs and noise.

Microtubules, voxels of 128 x 64 x 64 nm, a PSF of 15^3 voxels at NA 1.4 and n 1.5, and
the paper's noise as `paper_noise` reads it. A seed stands for a whole experiment:
other volumes to train on, other noise, other weights to start from. The volumes held
out to test are the same for all, and no training sees them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.camera import paper_noise
from napari_blurgan.optics.models import (
    Optics,
    OpticsWarning,
    born_wolf,
    gibson_lanni,
    vectorial,
)
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur

VOXEL = (0.128, 0.064, 0.064)
TAPS = (15, 15, 15)
MODELS: dict[str, Callable[..., Psf]] = {
    "born-wolf": born_wolf,
    "gibson-lanni": gibson_lanni,
    "vectorial": vectorial,
}
EDGE = 7  # half a kernel, cut off before measuring
PEAK = 255.0  # grey level of the brightest blurred voxel of an experiment
HELD_OUT = 5000  # seeds of the volumes held out; training uses those far below

Volume = NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """How large an experiment is."""

    shape: tuple[int, int, int]
    volumes: int


SCALES = {"cpu": Scale((64, 128, 128), 4), "gpu": Scale((128, 256, 512), 18)}


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Parameters
    ----------
    scale : Scale
        Size and number of the volumes.
    model : str
        Of the true PSF.
    wavelength : float
        In nanometres.
    structure, other : str
        Of the blurred and of the sharp set.
    """

    scale: Scale
    model: str = "born-wolf"
    wavelength: float = 500.0
    structure: str = "microtubules"
    other: str = "microtubules"

    def psf(self, wavelength: float | None = None) -> Psf:
        """Return the true PSF, or that at another wavelength."""
        with warnings.catch_warnings():
            # The paper's model, outside its domain: that is what is reproduced here.
            warnings.simplefilter("ignore", OpticsWarning)
            optics = Optics(1.4, 1.5, wavelength or self.wavelength)
            return MODELS[self.model](optics, TAPS, VOXEL)


@dataclass(frozen=True)
class Experiment:
    """Two unpaired sets to train on; grey levels = `gain` times the structure."""

    setting: Setting
    psf: Psf
    blurred: list[Stack]
    paired: list[Stack]
    sharp: list[Stack]
    gain: float

    def expose(self, truth: Volume, wavelength: float, seed: int) -> Volume:
        """Return what this microscope shows of a structure at some wavelength."""
        image = blur(truth, self.setting.psf(wavelength).data)
        return paper_noise(image, seed, PEAK / self.gain)


def experiment(setting: Setting, seed: int) -> Experiment:
    """Simulate the sets of one seed."""
    psf, first, count = setting.psf(), 200 * seed, setting.scale.volumes
    truth = volumes(setting, setting.structure, first, count)
    other = volumes(setting, setting.other, first + 100, count)
    clean = [blur(x, psf.data) for x in truth]
    peak = max(float(y.max()) for y in clean)
    noisy = [paper_noise(y, first + n, peak) for n, y in enumerate(clean)]
    return Experiment(
        setting,
        psf,
        stacks(noisy, "y"),
        stacks(truth, "pair"),
        stacks(other, "x"),
        PEAK / peak,
    )


def held_out(setting: Setting, count: int, first: int = HELD_OUT) -> list[Volume]:
    """Return the structures to test on."""
    return volumes(setting, setting.structure, first, count)


def volumes(
    setting: Setting, structure: str, first: int, count: int, **options: float
) -> list[Volume]:
    """Draw structures, one a seed."""
    shape = setting.scale.shape
    return [
        phantom(structure, shape, VOXEL, first + n, **options) for n in range(count)
    ]


def stacks(images: list[Volume], name: str) -> list[Stack]:
    """Give images axes, a voxel size and names."""
    return [Stack(x, "ZYX", VOXEL, name=f"{name}{n}") for n, x in enumerate(images)]
