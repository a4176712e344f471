"""Does a change of the code change a result? Losses and restored bytes of every preset.

    python scripts/golden.py --against REV    what differs from revision REV
    python scripts/golden.py --write FILE     the figures of this tree, as JSON

Losses are those of the first 30 steps on one seed, on the CPU, in float32; they are
compared to the last bit, which holds on one machine only, so REV is run beside this
tree. Networks are made small: what is compared is the arithmetic, not its quality.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan import Optics, Psf, Stack, Trainer, preset, restore

STEPS = 30
VOXELS = (0.2, 0.1, 0.1)
SMALL = {
    "generator.base": 4,
    "adversary.base": 4,
    "sampling.patch": 16,
    "precision": "float32",
}
LARGE_KERNEL = {"forward.size": [7, 7, 7]}
SALIENCY = {"saliency.alpha": 300.0, "saliency.beta": 300.0}
CHANGES: dict[str, dict[str, Any]] = {
    "blind": LARGE_KERNEL | {"generator.renew": 10, "forward.frozen_steps": 10},
    "nonblind": {"generator.renew": 10},
    "half": {"generator.renew": 10},
    "cyclegan": {},
    "supervised": {},
    "utom": SALIENCY | {"sampling.patch": 32},
    "isotropic": SALIENCY | {"sampling.patch": 24, "sampling.held_out": 0.0},
    "utom-as-published": SALIENCY | {"sampling.patch": 32, "generator.blocks": 2},
    "blind-as-published": LARGE_KERNEL | {"sampling.patch": 24, "generator.levels": 2},
    "nonblind-as-published": {"sampling.patch": 24, "generator.levels": 2},
}
OPTICS = Optics(1.2, 1.33, 520)
KNOWN = {"blind": {"optics": OPTICS}, "blind-as-published": {}}
PAIRED = ("supervised",)


def threads(seed: int) -> np.ndarray:
    """Return a volume of random walks, (z, y, x)."""
    rng = np.random.default_rng(seed)
    volume = np.zeros((24, 64, 64))
    for _ in range(40):
        start = rng.uniform(0, volume.shape)
        steps = rng.normal(0, 0.5, (400, 3)) + rng.normal(0, 0.5, 3)
        places = (start + np.cumsum(steps, 0)).round().astype(int)
        np.add.at(volume, tuple(places.T % np.array(volume.shape)[:, None]), 1)
    return gaussian_filter(volume, 0.7)


def measured(sharp: np.ndarray, seed: int) -> np.ndarray:
    """Return what a camera sees of it through a Gaussian blur."""
    rng = np.random.default_rng(seed)
    blurred = gaussian_filter(sharp, (2.5, 1.5, 1.5))
    counts = rng.poisson(2000 * blurred) + rng.normal(0, 3, sharp.shape)
    return (100 + counts).astype(np.float32)


def stack(data: np.ndarray, name: str) -> Stack:
    """Return a volume as a Stack."""
    return Stack(data.astype(np.float32), "ZYX", VOXELS, name=name)


def blur() -> Psf:
    """Return the blur of `measured`."""
    point = np.zeros((13, 13, 13))
    point[6, 6, 6] = 1
    return Psf(gaussian_filter(point, (2.5, 1.5, 1.5)), VOXELS)


def run(name: str) -> dict[str, Any]:
    """Train a preset for a few steps and restore a stack with it."""
    sharp = [threads(seed) for seed in range(4)]
    y = [stack(measured(sharp[n], n), f"y{n}") for n in (0, 1)]
    others = (0, 1) if name in PAIRED else (2, 3)
    x = [stack(100 + 2000 * sharp[n], f"x{n}") for n in others]
    recipe = preset(name).updated(SMALL | CHANGES.get(name, {}) | {"steps": STEPS})
    known = KNOWN.get(name, {"psf": blur()})
    trainer = Trainer(recipe, y, x, device="cpu", **known)
    losses = [
        {_name(term): value.hex() for term, value in event.losses.items()}
        for event in trainer
        if hasattr(event, "losses")
    ]
    restored = restore(trainer.model(), y[0])
    data = np.ascontiguousarray(np.asarray(getattr(restored, "data", restored)))
    return {"losses": losses, "restored": hashlib.sha256(data).hexdigest()}


def _name(loss: str) -> str:
    """Return the present name of a loss; discriminators were called potentials."""
    return loss.replace("potential_", "discriminator_")


def figures() -> dict[str, Any]:
    """Return the figures of every preset."""
    torch.set_num_threads(1)
    results = {}
    for name in CHANGES:
        results[name] = run(name)
        print(
            f"{name:24} {results[name]['restored'][:16]}", file=sys.stderr, flush=True
        )
    return results


def figures_of(revision: str) -> dict[str, Any]:
    """Return the figures of another revision, run by this script as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        tree, out = Path(folder) / "tree", Path(folder) / "figures.json"
        subprocess.run(
            ["git", "worktree", "add", "--detach", str(tree), revision], check=True
        )
        try:
            subprocess.run(
                [sys.executable, __file__, "--write", str(out)],
                env=os.environ | {"PYTHONPATH": str(tree / "src")},
                check=True,
            )
            return json.loads(out.read_text())
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], check=True
            )


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say where two sets of figures first differ."""
    found = []
    for name in old:
        pairs = zip(old[name]["losses"], new[name]["losses"], strict=False)
        step = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), None)
        if step is not None:
            found.append(f"{name}: losses differ from step {step} on")
        elif len(old[name]["losses"]) != len(new[name]["losses"]):
            found.append(f"{name}: another number of steps")
        if old[name]["restored"] != new[name]["restored"]:
            found.append(f"{name}: the restored stack differs")
    return found


def main() -> int:
    """Compare or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--against", metavar="REV")
    what.add_argument("--with-file", type=Path, metavar="FILE")
    what.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.write:
        options.write.write_text(json.dumps(figures(), indent=1))
        return 0
    if options.against:
        old = figures_of(options.against)
    else:
        old = json.loads(options.with_file.read_text())
    found = differences(old, figures())
    print("\n".join(found) or f"{len(CHANGES)} presets: equal to the last bit")
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
