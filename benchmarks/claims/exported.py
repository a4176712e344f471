"""Whether exported models restore as this program does, and pass bioimage.io's tests.

`--bioimageio` names the command of that name, of an environment with bioimageio.core:
it is not among our requirements. Its release 0.11.0 calls every package invalid with
pydantic 2.14; it works with 2.12. Models are trained for a few steps on half of a
sample and exported; the other half is restored by both.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_blurgan import Model, Optics, preset, restore, train
from napari_blurgan.export.bioimageio import Description, write_package
from napari_blurgan.export.module import scripted
from napari_blurgan.tasks.samples import sample

RECIPES = ("blind", "utom", "noise2self")
OPTICS = Optics(1.2, 1.33, 455)


def trained(name: str, images: list[Any], steps: int) -> Model:
    """Return a model of few steps."""
    recipe = preset(name).updated({"precision": "float32"})
    how: dict[str, Any] = {"device": "cpu", "steps": steps, "seed": 0}
    if name == "noise2self":
        return train(recipe, images[1], **how)
    if name == "utom":
        recipe = recipe.updated({"saliency.alpha": 2000, "saliency.beta": 2000})
        return train(recipe, images[1], images[0], **how)
    return train(recipe, images[1], images[0], optics=OPTICS, **how)


def row(name: str, halves: list[list[Any]], options: argparse.Namespace) -> list[str]:
    """Return how far apart both are on images that were not trained on."""
    model = trained(name, halves[0], options.steps)
    image = np.asarray(halves[1][1], np.float32)
    image = image if model.recipe.dims == 3 else image[len(image) // 2]
    ours = np.asarray(restore(model, image, device="cpu", precision="float32"))
    theirs = scripted(model)(torch.from_numpy(image)[None, None])[0, 0].numpy()
    rms = np.linalg.norm(ours - theirs) / np.linalg.norm(ours)
    most = np.abs(ours - theirs).max() / np.abs(ours).max()
    return [name, f"{rms:.1e}", f"{most:.1e}", tested(model, name, options.bioimageio)]


def tested(model: Model, name: str, program: str | None) -> str:
    """Return what bioimageio.core says of the package."""
    if program is None:
        return "not run"
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / f"{name}.zip"
        write_package(model, package, Description(name))
        command = [program, "test", str(package)]
        done = subprocess.run(command, capture_output=True, check=False)
    return "failed" if done.returncode else "passed"


def main() -> None:
    """Print a row for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--bioimageio", metavar="PROGRAM")
    options = parser.parse_args()
    stack = sample("dna")
    middle = stack.size("X") // 2
    channels = [replace(stack.only_channel(c), name=f"channel {c}") for c in range(2)]
    cuts = (slice(0, middle), slice(middle, None))
    halves = [
        [replace(c, data=np.asarray(c)[..., cut].copy(), metadata={}) for c in channels]
        for cut in cuts
    ]
    print("| recipe | RMS apart | most apart | bioimageio.core |\n|---|---|---|---|")
    for name in RECIPES:
        print(f"| {' | '.join(row(name, halves, options))} |", flush=True)


if __name__ == "__main__":
    main()
