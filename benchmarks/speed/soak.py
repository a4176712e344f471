"""Mixed use of one process for a long time: memory, threads and open files stay.

    python -m benchmarks.speed.soak [--minutes 30] [--warm-up 5] [--seed 0]

does, in random order and on images of several sizes, what people do in one session:
deconvolve by every method, restore in memory, to TIFF and to zarr, train a little,
compute, save and read PSFs, read files, misspell keywords, interrupt a restoration. The
resident memory after the warm-up (a median of samples) is compared with that at the
end, threads and open files with those after the warm-up. Exit code 1 where the memory
has grown by 5 % or more, or threads or files by any.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch

from napari_blurgan import Optics, Psf, Stack, deconvolve, preset, read_stack, restore
from napari_blurgan import train as train_model
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.errors import BlurGANError
from napari_blurgan.models.model import Model
from napari_blurgan.optics.camera import Camera

VOXEL = (0.3, 0.1, 0.1)
TINY = {
    "reconstructor.base": 2,
    "reconstructor.levels": 2,
    "discriminator.base": 4,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
}
SIZES = ((16, 32, 32), (16, 48, 64), (20, 33, 57), (24, 64, 40), (17, 64, 64))
GROWTH = 0.05


class Session:
    """What one process does."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.random = np.random.default_rng(seed)
        self.model = self._trained()

    def image(self) -> np.ndarray:
        """Return an image of one of a few sizes.

        Of ever new ones, oneDNN would keep the plans of a thousand convolutions.
        """
        return self.random.poisson(40, self.chance.choice(SIZES)).astype(np.float32)

    def psf(self) -> Psf:
        wavelength = self.chance.uniform(450, 650)
        return Psf.from_optics(Optics(1.0, 1.33, wavelength), VOXEL)

    def deconvolve(self) -> None:
        method = METHODS[self.chance.choice(list(METHODS))]
        few = {"iterations": 3} if method.iterative else {}
        camera = {"camera": Camera(100, 1, 1, 0)} if method.counts else {}
        deconvolve(self.image(), self.psf(), method.name, **few, **camera)

    def restore(self) -> None:
        tile = (8, 32, 32) if self.chance.random() < 0.5 else None
        restore(self.model, self.image(), tile=tile, device="cpu")

    def restore_to_file(self) -> None:
        out = self.folder / self.chance.choice(("r.ome.tif", "r.zarr"))
        stack = Stack(self.image(), "ZYX", VOXEL)
        found = restore(
            self.model, stack, out, tile=(8, 32, 32), overwrite=True, device="cpu"
        )
        np.asarray(found)

    def train(self) -> None:
        self._trained()

    def _trained(self) -> Model:
        recipe = preset("supervised").updated(TINY | {"steps": 3})
        y, x = self.random.poisson(40, (2, 18, 36, 36)).astype(np.float32)
        out = self.folder / "m.blurgan"
        return train_model(
            recipe, y, x, voxel_size=VOXEL, out=out, overwrite=True, device="cpu"
        )

    def files(self) -> None:
        path = self.folder / self.chance.choice(("i.ome.tif", "i.zarr"))
        Stack(self.image(), "ZYX", VOXEL).save(path, overwrite=True)
        np.asarray(read_stack(path))
        self.psf().save(self.folder / "p.ome.tif", overwrite=True)
        Psf.load(self.folder / "p.ome.tif")

    def mistakes(self) -> None:
        wrong: list[Callable[[], object]] = [
            lambda: deconvolve(self.image(), self.psf(), itertions=3),
            lambda: read_stack(self.folder / "none.tif"),
            lambda: restore(self.model, np.zeros((2, 3, 8, 8))),
            lambda: deconvolve(self.image() * np.nan, self.psf()),
        ]
        try:
            self.chance.choice(wrong)()
        except BlurGANError:
            return
        raise AssertionError("a mistake was not reported")

    def interrupted(self) -> None:
        def stop(_event: object) -> None:
            raise KeyboardInterrupt

        try:
            restore(
                self.model,
                self.image(),
                self.folder / "gone.ome.tif",
                tile=(8, 32, 32),
                device="cpu",
                progress=stop,
            )
        except KeyboardInterrupt:
            return
        raise AssertionError("it went on")

    def anything(self) -> str:
        """Do something; return what."""
        doings = {
            self.deconvolve: 6,
            self.restore: 4,
            self.restore_to_file: 3,
            self.files: 3,
            self.mistakes: 2,
            self.interrupted: 1,
            self.train: 1,
        }
        (doing,) = self.chance.choices(list(doings), list(doings.values()))
        doing()
        return doing.__name__.replace("_", " ")


def state(process: psutil.Process) -> tuple[float, int, int]:
    """Return resident memory in MiB, threads, and open files."""
    gc.collect()
    return process.memory_info().rss / 2**20, process.num_threads(), process.num_fds()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=5.0, help="minutes of them")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    process, done = psutil.Process(), Counter[str]()
    samples: list[tuple[float, tuple[float, int, int]]] = []
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), options.seed)
        begun = said = time.monotonic()
        while (now := time.monotonic()) - begun < 60 * options.minutes:
            done[session.anything()] += 1
            samples.append((now - begun, state(process)))
            if now - said > 60:
                said = now
                memory, threads, files = samples[-1][1]
                minute = round((now - begun) / 60)
                print(
                    f"{minute:3} min: {memory:.0f} MiB, {threads}, {files}", flush=True
                )
    return report(samples, 60 * options.warm_up, done)


def report(
    samples: list[tuple[float, tuple[float, int, int]]], warm: float, done: Counter[str]
) -> int:
    """Print the first and the last fifth of what came after the warm-up."""
    after = [values for when, values in samples if when >= warm]
    fifth = max(len(after) // 5, 1)
    print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    print("| | after the warm-up | at the end |\n|---|---|---|")
    pairs = []
    for i, name in enumerate(("memory, MiB", "threads", "open files")):
        first, last = (
            statistics.median(values[i] for values in part)
            for part in (after[:fifth], after[-fifth:])
        )
        pairs.append((first, last))
        print(f"| {name} | {first:.0f} | {last:.0f} |")
    growth = pairs[0][1] / pairs[0][0] - 1
    print(f"memory {growth:+.1%}")
    return int(growth >= GROWTH or any(last > first for first, last in pairs[1:]))


if __name__ == "__main__":
    sys.exit(main())
