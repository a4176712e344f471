"""The whole path on a real stack: sharp set, blind training, restoring, a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.io import write_ome_tiff
from napari_blurgan.data.stack import Stack
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.samples import sample
from napari_blurgan.restoration import restore
from napari_blurgan.transport.events import Event, Finished
from napari_blurgan.transport.model import Model
from napari_blurgan.transport.presets import preset
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.trainer import Trainer

__all__ = ["Demo", "DemoResult", "synthetic_nuclei"]

OPTICS = Optics(na=1.2, ni=1.333, wavelength=460)
"""40x/1.2 water, Hoechst: what the file itself says."""

SHARP_SHAPE = (45, 96, 96)
SHARP_STACKS = 3


@dataclass(frozen=True)
class DemoResult:
    """What the demo made and measured.

    Parameters
    ----------
    blurred, restored, confocal : ndarray
        (z, y, x) in grey levels.
    psf : Psf
        The learned blur.
    history : list of dict
        One row a training step.
    agreement : tuple of float
        Correlation with the confocal channel before and after.
    """

    blurred: NDArray[np.float32]
    restored: NDArray[np.float32]
    confocal: NDArray[np.float32]
    psf: Psf
    history: list[dict[str, float]]
    agreement: tuple[float, float]


class Demo:
    """Learns the blur of a widefield nucleus blind, and restores the nucleus.

    The confocal channel of the same nucleus takes no part in it: it is the
    independent check.

    Parameters
    ----------
    out : Path
        Folder for ``restored.ome.tif``, ``psf.ome.tif``, ``history.csv``,
        ``report.png`` and ``demo.blurgan``.
    minutes : float
        Time for training.
    """

    def __init__(self, out: Path, minutes: float) -> None:
        pair = sample("dna")
        self.out = out
        self.confocal = pair.only_channel(0)
        self.blurred = pair.only_channel(1)
        self.trainer = Trainer(
            demo_recipe(),
            [self.blurred],
            synthetic_nuclei(self.blurred),
            out=out / "demo.blurgan",
            optics=OPTICS,
            minutes=minutes,
        )
        self.model: Model | None = None

    def train(self) -> Iterator[Event]:
        """Train, handing the events on."""
        for event in self.trainer:
            if isinstance(event, Finished):
                self.model = event.model
            yield event

    def finish(self) -> DemoResult:
        """Restore the stack, measure, and write the files."""
        assert self.model is not None and self.model.psf is not None
        restored = restore(self.model, self.blurred)
        result = DemoResult(
            blurred=_volume(self.blurred),
            restored=_volume(restored),
            confocal=_volume(self.confocal),
            psf=self.model.psf,
            history=self.model.history,
            agreement=self._agreement(restored),
        )
        self._write(result)
        return result

    def _agreement(self, restored: Stack) -> tuple[float, float]:
        truth = _volume(self.confocal)
        before, after = (
            correlation(_volume(stack), truth) for stack in (self.blurred, restored)
        )
        return before, after

    def _write(self, result: DemoResult) -> None:
        from napari_blurgan.report import write_report

        assert self.model is not None and self.model.path is not None
        write_ome_tiff(
            self.out / "restored.ome.tif",
            result.restored,
            "ZYX",
            self.blurred.voxel_size,
            description={"model": self.model.id, "source": self.blurred.name},
        )
        result.psf.save(self.out / "psf.ome.tif", overwrite=True)
        history = (self.model.path / "history.csv").read_bytes()
        (self.out / "history.csv").write_bytes(history)
        write_report(self.out / "report.png", result, self.blurred.voxel_size)


def demo_recipe() -> Recipe:
    """Return the blind recipe, with a kernel that holds the cone of widefield light.

    Voxels of half a micrometre are far too coarse for the pupil model, which has no
    pixels; a free-form symmetric kernel starts from theory, integrated over pixels.
    """
    return preset("blind").updated(
        {
            "forward.parametrisation": "softmax",
            "forward.start": "optics",
            "forward.size": [41, 61, 61],
            "generator.renew": 150,
            "weights.spectral": 0.0,
            # Nothing holds this kernel but its start: it must not go far.
            "optimiser.kernel_rate": 1e-4,
        }
    )


def synthetic_nuclei(like: Stack) -> list[Stack]:
    """Return the sharp set: synthetic nuclei on the voxels of the blurred stack."""
    z, y, x = like.voxel_size
    assert z is not None and y is not None and x is not None
    return [
        Stack(
            phantom("nuclei", SHARP_SHAPE, (z, y, x), seed),
            "ZYX",
            like.voxel_size,
            name=f"synthetic nuclei {seed}",
        )
        for seed in range(SHARP_STACKS)
    ]


def _volume(stack: Stack) -> NDArray[np.float32]:
    return stack.frame()[0].astype(np.float32)
