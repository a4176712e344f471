"""Measure whether a network's norm lets tiles agree with the whole, and its price.

The table of docs/decisions/0001-normalisation.md:

OMP_NUM_THREADS=1 python -m benchmarks.claims.normalisation --seeds 0 1
"""

import argparse
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.measure.fidelity import Fidelity, compare, nrmse
from napari_blurgan.methods.parts import PAIRS
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Finished
from napari_blurgan.tasks.restore import restore
from napari_blurgan.tasks.samples import microtubule_sample
from napari_blurgan.training.trainer import Trainer

Image = NDArray[np.float32]
Stacks = list[Stack]

VOLUME = (32, 128, 128)
TRAINING, HELD_OUT = (0, 1, 2, 3), 9
TILE = 32
RATE = {"optimiser.generator_rate": 2e-3}
PLANAR = {"dims": 2, "sampling.patch": 64, "sampling.foreground": 0.5}
RESNET = {"reconstructor": preset("utom").reconstructor.model_dump()}
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "U-Net 3D, supervised": ("supervised", RATE),
    "U-Net 2D, supervised": ("supervised", RATE | PLANAR),
    "ResNet 2D, supervised": ("supervised", RATE | PLANAR | RESNET),
    "ResNet 2D, UTOM": ("utom", PLANAR),
}


@cache
def field(seed: int) -> tuple[Stack, Stack]:
    """Return a sharp and a blurred volume."""
    return microtubule_sample(VOLUME, seed)[:2]


def planes(stacks: Stacks) -> Stacks:
    """Return every fourth plane of the volumes as images."""
    return [
        stack.with_data(stack.data[z], "YX")
        for stack in stacks
        for z in range(2, stack.size("Z"), 4)
    ]


def domains(recipe: Recipe) -> tuple[Stacks, Stacks]:
    """Return blurred and sharp images, of the same fields only where they are pairs."""
    samples = [field(seed) for seed in TRAINING]
    blurred, sharp = [s[1] for s in samples], [s[0] for s in samples]
    if PAIRS not in recipe.offers:
        blurred, sharp = blurred[::2], sharp[1::2]
    if recipe.dims == 3:
        return blurred, sharp
    return planes(blurred), planes(sharp)


def thresholds(recipe: Recipe, y: Stacks, x: Stacks) -> dict[str, Any]:
    """Return alpha and beta between background and structure, if they are needed."""
    if "saliency" not in recipe.active_terms:
        return {}
    middle = [
        float(np.percentile([s.data[:] for s in stacks], [50, 99.5]).mean())
        for stacks in (y, x)
    ]
    return {"saliency.alpha": middle[0], "saliency.beta": middle[1]}


def train(recipe: Recipe, steps: int, seed: int) -> tuple[Model, float]:
    """Return the model and the milliseconds of processor time a step."""
    y, x = domains(recipe)
    recipe = recipe.updated(thresholds(recipe, y, x))
    trainer = Trainer(recipe, y, x, device="cpu", seed=seed, steps=steps)
    start = time.process_time()
    finished = [event for event in trainer if isinstance(event, Finished)]
    return finished[-1].model, 1e3 * (time.process_time() - start) / steps


def judge(model: Model) -> tuple[float, Fidelity, Fidelity]:
    """Return the tiles' NRMSE against the whole, and the fidelity of both."""
    sharp, blurred = field(HELD_OUT)
    if model.recipe.dims == 2:
        middle = VOLUME[0] // 2
        sharp, blurred = (s.with_data(s.data[middle], "YX") for s in (sharp, blurred))
    sizes = blurred.spatial_shape
    whole = restored(model, blurred, sizes)
    tiles = restored(model, blurred, [TILE] * len(sizes))
    truth = np.asarray(sharp.data[:])
    return nrmse(tiles, whole), compare(whole, truth), compare(tiles, truth)


def restored(model: Model, blurred: Stack, tile: Sequence[int]) -> Image:
    return np.asarray(restore(model, blurred, tile=tile, device="cpu").data[:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    print(
        "| network and training | norm | seed | tiles against whole, NRMSE "
        "| whole: PSNR, SSIM | tiles: PSNR, SSIM | ms/step |"
    )
    print("|---|---|---|---|---|---|---|")
    for task, (name, changes) in TASKS.items():
        for norm in ("instance", "batch"):
            for seed in options.seeds:
                recipe = preset(name).updated(changes)
                recipe = recipe.updated({"reconstructor.norm": norm})
                model, cost = train(recipe, options.steps, seed)
                difference, whole, tiles = judge(model)
                print(
                    f"| {task} | {norm} | {seed} | {difference:.1e} "
                    f"| {whole.psnr_fitted:.2f} dB, {whole.ssim_fitted:.3f} "
                    f"| {tiles.psnr_fitted:.2f} dB, {tiles.ssim_fitted:.3f} "
                    f"| {cost:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
