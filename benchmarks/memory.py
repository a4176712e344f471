"""Resident memory over a long training: it must stay flat.

``python benchmarks/memory.py [--steps 2000]`` trains the blind preset on simulated
data and prints the memory of this process on the way: as it is, and after the C library
has given back what is free (glibc only), for what the program itself holds.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys

import psutil
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import microtubules
from napari_blurgan.optics.simulation import simulate
from napari_blurgan.transport.events import Stepped
from napari_blurgan.transport.presets import preset
from napari_blurgan.transport.trainer import Trainer

VOXEL = (0.2, 0.1, 0.1)
OPTICS = Optics(0.9, 1.33, 520)


def stacks() -> tuple[list[Stack], list[Stack]]:
    psf = theoretical_psf(OPTICS, (9, 9, 9), VOXEL)
    sharp, other = (microtubules((24, 64, 64), VOXEL, seed=seed) for seed in (1, 2))
    _, blurred = simulate(sharp, psf.data, seed=1)
    return [Stack(blurred, "ZYX", VOXEL)], [Stack(other, "ZYX", VOXEL)]


def give_back() -> None:
    """Let the C library return free memory to the system; elsewhere do nothing."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = preset("blind").updated({"sampling.patch": 16, "generator.base": 4})
    trainer = Trainer(recipe, *stacks(), optics=OPTICS, steps=options.steps)
    process = psutil.Process()
    first: list[float] = []
    for event in trainer:
        if isinstance(event, Stepped) and event.step % (options.steps // 10) == 0:
            sizes = [process.memory_info().rss / 2**20]
            give_back()
            sizes.append(process.memory_info().rss / 2**20)
            first = first or sizes
            resident, held = (
                f"{now:.0f} MiB ({now / then - 1:+.1%})"
                for now, then in zip(sizes, first, strict=True)
            )
            print(f"step {event.step:5}: {resident}, held {held}", flush=True)


if __name__ == "__main__":
    main()
