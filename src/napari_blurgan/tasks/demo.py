"""A demonstration on a real stack: train, restore, compare with the measurement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from napari_blurgan.classical.images import deconvolve
from napari_blurgan.data.stack import Stack
from napari_blurgan.inverse.iteration import Progress
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.methods.presets import preset
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Event, Finished
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.preparation.calibration import background_level, estimate_noise
from napari_blurgan.tasks.demo_result import DemoResult, Rival, Shift, Volume
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.samples import sample
from napari_blurgan.training.trainer import Trainer
from napari_blurgan.writing.ome_tiff import write_ome_tiff

__all__ = ["Demo"]


OPTICS = Optics(na=1.2, ni=1.333, wavelength=460)
"""40x/1.2 water, Hoechst, as stated in the file."""

TRAINED = slice(0, 58)
"""Columns of the field used for training."""

TESTED = (slice(5, 40), slice(32, 104), slice(65, 108))
"""The compared region: around the nucleus, `REACH` away from the training region."""

REACH = 5
"""Largest displacement of the two microscopes, in voxels."""

ITERATIONS = (15, 20, 30)
"""Iterations of accelerated Richardson-Lucy; the confocal image selects the best."""


class Demo:
    """Trains on one half of a widefield nucleus, restores it, compares the other half.

    The sharp set is the confocal image of the half that is used for training; patches
    of the two are drawn independently, unpaired. The confocal image of the other half
    is not used for training: it is the ground truth.

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
            preset("nonblind"),
            [_columns(self.blurred, TRAINED)],
            [_columns(self.confocal, TRAINED)],
            out=out / "demo.blurgan",
            optics=OPTICS,
            minutes=minutes,
        )
        self.model: Model | None = None

    def train(self) -> Iterator[Event]:
        """Train, passing on the events."""
        for event in self.trainer:
            if isinstance(event, Finished):
                self.model = event.model
            yield event

    def finish(self) -> DemoResult:
        """Restore the stack, measure, and write the files."""
        assert self.model is not None and self.model.psf is not None
        blurred, psf = _volume(self.blurred), self.model.psf
        restored = _volume(restore(self.model, self.blurred))
        shift = _shift_between(blurred, _volume(self.confocal))
        truth = _volume(self.confocal)[TESTED]
        rival = _richardson_lucy(self.blurred, truth, shift)
        images = {
            "widefield": blurred[_moved(shift)],
            "richardson-lucy": rival.image,
            "trained": restored[_moved(shift)],
        }
        result = DemoResult(
            blurred=images["widefield"],
            restored=images["trained"],
            confocal=truth,
            rival=rival,
            psf=psf,
            history=self.model.history,
            agreement={n: correlation(image, truth) for n, image in images.items()},
            shift=shift,
        )
        self._write(restored, result)
        return result

    def _write(self, restored: Volume, result: DemoResult) -> None:
        from napari_blurgan.tasks.report import write_report

        assert self.model is not None and self.model.path is not None
        write_ome_tiff(
            self.out / "restored.ome.tif",
            restored,
            "ZYX",
            self.blurred.voxel_size,
            description={"model": self.model.id, "source": self.blurred.name},
        )
        result.psf.save(self.out / "psf.ome.tif", overwrite=True)
        history = (self.model.path / "history.csv").read_bytes()
        (self.out / "history.csv").write_bytes(history)
        write_report(self.out / "report.png", result, self.blurred.voxel_size)


def _richardson_lucy(stack: Stack, truth: Volume, shift: Shift) -> Rival:
    """Return the best of several numbers of iterations, with the PSF at full depth."""
    z, y, x = stack.voxel_size
    assert z is not None and y is not None and x is not None
    blurred = _volume(stack)
    psf = theoretical_psf(
        OPTICS, psf_shape_for(OPTICS, blurred.shape, (z, y, x)), (z, y, x)
    )
    offset = background_level([blurred])
    noise = estimate_noise([blurred - offset])
    read = float(np.sqrt(noise.intercept) / noise.slope)
    camera = Camera(gain=noise.slope, offset=offset, read_noise=read)
    rivals: list[Rival] = []
    start = time.process_time()

    def note(progress: Progress) -> None:
        if progress.iteration in ITERATIONS:
            seconds = time.process_time() - start
            image = progress.image()[_moved(shift)]
            rivals.append(Rival(image, progress.iteration, seconds))

    most = max(ITERATIONS)
    method = "rl-accelerated"
    deconvolve(blurred, psf, method, iterations=most, camera=camera, callback=note)
    return max(rivals, key=lambda rival: correlation(rival.image, truth))


def _shift_between(blurred: Volume, confocal: Volume) -> Shift:
    """Return the shift of the measurement at which it agrees best with the truth."""
    truth = confocal[TESTED]
    z, y, x = max(
        product(range(-REACH, REACH + 1), repeat=3),
        key=lambda shift: correlation(blurred[_moved(shift)], truth),
    )
    return z, y, x


def _moved(shift: Sequence[int]) -> tuple[slice, ...]:
    """Return the region of a measured image that corresponds to `TESTED`."""
    pairs = zip(TESTED, shift, strict=True)
    return tuple(slice(part.start + s, part.stop + s) for part, s in pairs)


def _columns(stack: Stack, columns: slice) -> Stack:
    """Return a part of the field as a separate stack."""
    return replace(stack, data=_volume(stack)[..., columns].copy(), axes="ZYX")


def _volume(stack: Stack) -> Volume:
    return stack.frame()[0].astype(np.float32)
