"""Resident memory over a long training: it must stay flat.

    python -m benchmarks.speed.memory [--preset blind] [--steps 2000]

trains on simulated data, looks at the memory of this process after every step, and
prints the least and the most of every tenth of the training, with the growth since the
first.
"""

from __future__ import annotations

import argparse

import psutil
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import microtubules
from napari_blurgan.optics.simulation import simulate
from napari_blurgan.training.trainer import Trainer

VOXEL = (0.2, 0.1, 0.1)
OPTICS = Optics(0.9, 1.33, 520)
SMALL = {"sampling.patch": 16, "reconstructor.base": 4}
"""What is left over grows with steps, not with patches."""


def stacks() -> tuple[list[Stack], list[Stack]]:
    psf = theoretical_psf(OPTICS, (9, 9, 9), VOXEL)
    sharp, other = (microtubules((24, 64, 64), VOXEL, seed=seed) for seed in (1, 2))
    _, blurred = simulate(sharp, psf.data, seed=1)
    return [Stack(blurred, "ZYX", VOXEL)], [Stack(other, "ZYX", VOXEL)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", choices=PRESETS, default="blind")
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = preset(options.preset).updated(SMALL)
    trainer = Trainer(recipe, *stacks(), optics=OPTICS, steps=options.steps)
    process = psutil.Process()
    sizes: list[float] = []
    tenth = options.steps // 10
    for event in trainer:
        if not isinstance(event, Stepped):
            continue
        sizes.append(process.memory_info().rss / 2**20)
        if event.step % tenth == 0:
            least, most = (
                f"{edge(sizes[-tenth:]):.0f} MiB "
                f"({edge(sizes[-tenth:]) / edge(sizes[:tenth]) - 1:+.1%})"
                for edge in (min, max)
            )
            print(f"step {event.step:5}: {least} to {most}", flush=True)


if __name__ == "__main__":
    main()
