"""What a GPU does in nine minutes: steps, whole volumes, the simulation of the papers.

    benchmarks/gpu.sh                                     # all of it, on cuda
    python -m benchmarks.speed.gpu [steps] [volumes] [papers] [--device D] [--write]

Steps are those of `blind-two-discriminators`, whose operations are counted; the peak is
what a large matrix product reaches in the same precision. The papers restore their
volumes in 18.9 s (256 x 512 x 128) and 15 s (512 x 512 x 50) on a GTX 1080 Ti. Their
simulation is trained for some minutes with a sharp set and the true PSF, and compared
with Richardson-Lucy that the truth stops.
"""

from __future__ import annotations

import argparse
import functools
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.helpers.papers_data import (
    HELD_OUT,
    PEAK,
    SCALES,
    VOXEL,
    Experiment,
    Setting,
    Volume,
    stacks,
)
from benchmarks.helpers.papers_rows import best, figures, richardson_lucy
from benchmarks.helpers.presets import preset_operator
from benchmarks.helpers.tables import write_table
from benchmarks.speed.restore import PAPER_VOLUMES, restored, seconds
from benchmarks.speed.train_step import floor, milliseconds, our_step
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.optics.camera import paper_noise
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur
from napari_blurgan.restoration.predict import apply
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer

PUBLISHED = {"256×512×128": "18.9", "512×512×50": "15"}
"""Seconds on a GTX 1080 Ti, of the papers' reconstructions."""

HEADERS = {
    "steps": "| patch | base | precision | ms a step | samples/s | TFLOP/s | of peak |",
    "volumes": "| volume | tiles | s | published, s |",
    "papers": "| minutes | steps | input, dB | RL at its best, dB | trained, dB |",
}
Rows = list[tuple[str, ...]]


def steps(options: argparse.Namespace) -> Rows:
    """Measure steps, and what share of the peak they reach."""
    device, rows = torch.device(options.device), []
    for patch in options.patches:
        for base in (8, 16, 32):
            step, precision = our_step(patch, base, device)
            with FlopCounterMode(display=False) as counter:
                step()
            time = milliseconds(step, device, 10 if device.type == "cuda" else 1)
            speed = counter.get_total_flops() / time / 1e6
            share = speed / floor(device, precision)
            cells = (f"{time:.1f}", f"{1000 / time:.0f}", f"{speed / 1e3:.2f}")
            rows.append((f"{patch}³", f"{base}", precision, *cells, f"{share:.1%}"))
    return rows


def volumes(options: argparse.Namespace) -> Rows:
    """Restore the papers' volumes with the networks of `nonblind`."""
    operator, rows = preset_operator("nonblind"), []
    operator.generator.to(options.device).set_precision(torch.bfloat16)
    for name, shape in PAPER_VOLUMES.items():
        volume = np.random.default_rng(0).random(shape, np.float32)
        plan = next(apply(operator, volume)).plan
        run = functools.partial(restored, operator, volume, {})
        run()
        wall, _ = seconds(run, options.device)
        tiles = f"{plan.tiles} of {'×'.join(map(str, plan.tiling.core))}"
        rows.append((name, tiles, f"{wall:.2f}", PUBLISHED[name]))
    return rows


def structure(setting: Setting, seed: int) -> tuple[Volume, Volume]:
    """Draw a structure and blur it."""
    torch.set_num_threads(1)
    truth = phantom(setting.structure, setting.scale.shape, VOXEL, seed)
    return truth, blur(truth, setting.psf().data)


def simulated(setting: Setting) -> tuple[Experiment, Volume]:
    """Return the papers' sets and a volume held out, drawn on all processors."""
    count = setting.scale.volumes
    seeds = [*range(count), *range(100, 100 + count), HELD_OUT]
    # Forked processes of a parent with a GPU cannot go on.
    workers, context = min(os.cpu_count() or 1, 16), get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        drawn = list(pool.map(functools.partial(structure, setting), seeds))
    truths, clean = [x for x, _ in drawn], [y for _, y in drawn[:count]]
    peak = max(float(y.max()) for y in clean)
    noisy = [paper_noise(y, n, peak) for n, y in enumerate(clean)]
    sets = (noisy, truths[:count], truths[count : 2 * count])
    names = ("y", "pair", "x")
    made = [stacks(images, name) for images, name in zip(sets, names, strict=True)]
    return Experiment(setting, setting.psf(), *made, PEAK / peak), truths[-1]


def papers(options: argparse.Namespace) -> Rows:
    """Train for some minutes, and compare with the best of Richardson-Lucy."""
    setting = Setting(SCALES[options.scale])
    data, truth = simulated(setting)
    given = {"psf": data.psf, "minutes": options.minutes, "device": options.device}
    trainer = Trainer(preset("nonblind"), data.blurred, data.sharp, **given)
    *_, last = trainer
    y = data.expose(truth, setting.wavelength, 9000)
    stack = Stack(y, "ZYX", VOXEL, name="held out")
    made = np.asarray(restore(trainer.model(), stack, device=options.device).data)
    found = (
        figures(y / data.gain, truth),
        best(richardson_lucy(y, data.psf, data.gain, options.device), truth),
        figures(made / data.gain, truth),
    )
    decibels = (f"{f['psnr_fitted']:.2f}" for f in found)
    return [(f"{options.minutes:g}", f"{last.step}", *decibels)]


PARTS = {"steps": steps, "volumes": volumes, "papers": papers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    add("--device", default="cuda")
    add("--patches", type=int, nargs="+", default=[64, 96])
    add("--minutes", type=float, default=5.0, help="of the training")
    add("--scale", choices=SCALES, default="gpu", help="of the simulation")
    add("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    for part in options.parts or PARTS:
        rows = PARTS[part](options)
        print(part, *rows, sep="\n", flush=True)
        if options.write:
            write_table("benchmarks.md", f"gpu {part}", HEADERS[part], rows)


if __name__ == "__main__":
    main()
