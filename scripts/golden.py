"""Does a change of the code change a result? Losses and restored bytes of every preset.

    python scripts/golden.py --history        since the code was divided into rooms
    python scripts/golden.py --against REV    what differs from revision REV
    python scripts/golden.py --write FILE     the figures of this tree, as JSON

The history runs each preset at the revision where it starts (START, or ADDED for those
that came later), before and after each commit of DELIBERATE that names it, and in this
tree: figures must be equal wherever no such commit lies between, and must differ where
one does. So it does with a model folder that an old version wrote (`tests/models`): it
is restored with, and its training resumed.

Losses are those of the first 30 steps on one seed, on the CPU, in float32; they are
compared to the last bit, which holds on one machine only, so REV is run beside this
tree. Networks are made small: what is compared is the arithmetic, not its quality.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan import Optics, Psf, Stack, Trainer, load_model, preset, restore

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
    "axial-subsampling": {},
    "blind-two-discriminators": LARGE_KERNEL,
    "noise2noise": {"sampling.patch": 32, "generator.levels": 2},
    "noise2self": {"sampling.patch": 32, "generator.levels": 2},
    "noise2void": {"sampling.patch": 32, "generator.levels": 2},
}
"""What makes a preset small, in names of recipe version 1: all revisions know them."""
OPTICS = Optics(1.2, 1.33, 520)
NOTHING: dict[str, Any] = {}
KNOWN = {"blind": {"optics": OPTICS}} | dict.fromkeys(
    (
        *("blind-as-published", "blind-two-discriminators", "axial-subsampling"),
        *("noise2noise", "noise2self", "noise2void"),
    ),
    NOTHING,
)
PAIRED = ("supervised",)
ALONE = ("noise2noise", "noise2self", "noise2void")

OLD_MODEL = "old-model"
FOLDER = Path(__file__).parents[1] / "tests" / "models" / "version1"
"""A model of recipe version 1, whose training stopped after 6 steps."""

START, NOW = "d3e4f9f", "now"
ADDED = {
    "axial-subsampling": "17d890a",
    "blind-two-discriminators": "85f87b5",
    "noise2noise": "43552ba",
    "noise2self": "e09fe09",
    "noise2void": "e09fe09",
}
"""Presets that came later, by the commit that added them."""


class Change(NamedTuple):
    """A commit that changes results on purpose: of which presets, and why."""

    presets: tuple[str, ...]
    why: str


LIKE_THE_PAPERS = ("utom-as-published", "blind-as-published", "nonblind-as-published")
ESTIMATING = ("blind", "nonblind", "half")
DELIBERATE = {
    "e402554": Change(("isotropic",), "sections along z are not turned on their side"),
    "aa03e4c": Change(LIKE_THE_PAPERS, "settings of the papers, completed"),
    "6ac808b": Change(("cyclegan",), "identity losses in both directions"),
    "8afbd1f": Change((*ESTIMATING, OLD_MODEL), "no mirrored voxels under an estimate"),
    "1f0822c": Change(("noise2self",), "a grid of its own in each plane"),
    "407afba": Change(ESTIMATING, "the noise is measured on every second pixel"),
    "462d2f3": Change(ESTIMATING, "but in small images, as these are, on every pixel"),
    "4acc02f": Change(
        (*ESTIMATING, OLD_MODEL), "simulated borders are dark or mirrored"
    ),
    "6274425": Change(ESTIMATING, "iterations by the light, three depths"),
    "b49fbf5": Change(
        (*ESTIMATING, OLD_MODEL), "large steps keep a fifth of the light"
    ),
    "978ca42": Change(ESTIMATING, "numbers of iterations a tenth apart are tried"),
    "2009785": Change((*ESTIMATING, "noise2noise"), "dim noise is split exactly"),
    "b9c7dbf": Change(
        (*ESTIMATING, "axial-subsampling"), "noise belongs to means over three planes"
    ),
    "e06ebf8": Change(ESTIMATING, "the highest background that explains the image"),
    "5ce04ce": Change(
        (*ESTIMATING, "axial-subsampling", "noise2noise"),
        "bins of the brightest voxels",
    ),
    "74d5526": Change(ESTIMATING, "more backgrounds are tried"),
    "2719176": Change(
        (
            *ESTIMATING,
            "axial-subsampling",
            "blind-two-discriminators",
            "noise2noise",
        ),
        "the slope of the noise, by an instrumental variable",
    ),
    "05d3680": Change(("nonblind", "half"), "backgrounds explain all of the region"),
    "4334aab": Change(
        (*ESTIMATING, "old-model"), "weights of Richardson-Lucy, in the last digits"
    ),
}
"""By commit, the oldest first."""


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
    recipe = preset(name).updated(SMALL | CHANGES[name] | {"steps": STEPS})
    known = KNOWN.get(name, {"psf": blur()})
    trainer = Trainer(recipe, y, () if name in ALONE else x, device="cpu", **known)
    return {"losses": losses_of(trainer), "restored": digest(trainer.model(), y[0])}


def run_old_model() -> dict[str, Any]:
    """Restore with the kept model, and resume its training for three steps."""
    with np.load(FOLDER.with_suffix(".npz")) as kept:
        y, x = stack(kept["y"], "y"), stack(kept["x"], "x")
    restored = digest(load_model(FOLDER), y)
    with tempfile.TemporaryDirectory() as empty:
        folder = Path(empty) / "model.blurgan"
        shutil.copytree(FOLDER, folder)
        recipe = load_model(folder).recipe
        goes_on = {"optics": OPTICS, "device": "cpu", "steps": 9, "resume": True}
        losses = losses_of(Trainer(recipe, [y], [x], folder, **goes_on))
    return {"losses": losses, "restored": restored}


def losses_of(trainer: Trainer) -> list[dict[str, str]]:
    """Train; return the losses of each step, exactly."""
    return [
        {_name(term): value.hex() for term, value in event.losses.items()}
        for event in trainer
        if hasattr(event, "losses")
    ]


def digest(model: Any, image: Stack) -> str:
    """Return the SHA-256 of a restored image."""
    restored = restore(model, image)
    data = np.ascontiguousarray(np.asarray(getattr(restored, "data", restored)))
    return hashlib.sha256(data.tobytes()).hexdigest()


def _name(loss: str) -> str:
    """Return the present name of a loss; discriminators were called potentials."""
    return loss.replace("potential_", "discriminator_")


def figures(names: Iterable[str]) -> dict[str, Any]:
    """Return the figures of presets."""
    torch.set_num_threads(1)
    results = {}
    for name in names:
        results[name] = run_old_model() if name == OLD_MODEL else run(name)
        print(
            f"{name:24} {results[name]['restored'][:16]}", file=sys.stderr, flush=True
        )
    return results


def figures_of(revision: str, names: Iterable[str]) -> dict[str, Any]:
    """Return the figures of another revision, run by this script as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        tree, out = Path(folder) / "tree", Path(folder) / "figures.json"
        command = ["git", "worktree", "add", "--detach", str(tree), revision]
        subprocess.run(command, check=True, capture_output=True)
        try:
            command = [sys.executable, __file__, "--write", str(out), "--presets"]
            subprocess.run(
                [*command, *names],
                env=os.environ | {"PYTHONPATH": str(tree / "src")},
                check=True,
            )
            found: dict[str, Any] = json.loads(out.read_text())
            return found
        finally:
            command = ["git", "worktree", "remove", "--force", str(tree)]
            subprocess.run(command, check=True)


def difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Say where two sets of figures of a preset first differ; None if nowhere."""
    pairs = zip(old["losses"], new["losses"], strict=False)
    step = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), None)
    if step is not None:
        return f"losses differ from step {step} on"
    if len(old["losses"]) != len(new["losses"]):
        return "another number of steps"
    return None if old["restored"] == new["restored"] else "the restored stack differs"


def against(revision: str, names: Iterable[str]) -> int:
    """Print how this tree differs from a revision; return how many presets do."""
    old, new = figures_of(revision, names), figures(names)
    found = {name: difference(old[name], new[name]) for name in old}
    for name, said in found.items():
        print(f"{name}: {said or 'equal to the last bit'}")
    return sum(said is not None for said in found.values())


def history(names: Iterable[str]) -> int:
    """Print how presets fared from START to this tree; return how many are wrong."""
    ways = {name: _way(name) for name in names}
    wanted: dict[str, list[str]] = {}
    for name, way in ways.items():
        for revision in way:
            wanted.setdefault(revision, []).append(name)
    found = {revision: _figures_at(revision, wanted[revision]) for revision in wanted}
    wrong = 0
    for name, way in ways.items():
        for old, new in pairwise(way):
            said = difference(found[old][name], found[new][name])
            change = DELIBERATE.get(new) if old == f"{new}^" else None
            wrong += bool(said) != bool(change)
            line = said or "equal to the last bit"
            print(f"{name:24} {old:9} {new:9} {line}{_because(said, change)}")
    return wrong


def _because(said: str | None, change: Change | None) -> str:
    if change is None:
        return " AND SHOULD NOT" if said else ""
    return f": {change.why}" if said else " AND SHOULD NOT BE"


def _way(name: str) -> list[str]:
    """Return the revisions at which a preset is run, the oldest first."""
    turns = [c for c, change in DELIBERATE.items() if name in change.presets]
    start = ADDED.get(name, START)
    return [start, *(r for c in turns for r in (f"{c}^", c)), NOW]


def _figures_at(revision: str, names: list[str]) -> dict[str, Any]:
    print(f"{revision}:", file=sys.stderr)
    return figures(names) if revision == NOW else figures_of(revision, names)


def main() -> int:
    """Compare or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--history", action="store_true")
    what.add_argument("--against", metavar="REV")
    what.add_argument("--write", type=Path, metavar="FILE")
    names = [*CHANGES, OLD_MODEL]
    parser.add_argument("--presets", nargs="+", default=names, choices=names)
    options = parser.parse_args()
    if options.write:
        options.write.write_text(json.dumps(figures(options.presets), indent=1))
        return 0
    if options.history:
        return bool(history(options.presets))
    return bool(against(options.against, options.presets))


if __name__ == "__main__":
    raise SystemExit(main())
