"""Accelerated MRI: the optimal-transport cycleGAN and its rivals on undersampled heads.

    python -m benchmarks.claims.kspace [--only ROW ...] [--seeds N ...] [--steps N]
        [--set KEY=VALUE ...] [--data FOLDER] [--write]

Each run adds to benchmarks/results/kspace.json; `--write` makes the tables of
docs/other-measurements.md of all that is there. Heads of 64 x 64 pixels, of which one
line in four is measured, 4 % of all in the middle among them. The heads that are judged
were not trained on. For `ssdu`, `naive` and `masks-differ`, each has another mask.
With `--data`, the models of `mri` also reconstruct the eight coils of a real scan, at
64 x 64 pixels; the first one draws docs/images/kspace-real.png.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.kspace_data import (
    Study,
    coils,
    combined,
    kept,
    numbers,
    scores,
    stack,
    study,
)
from benchmarks.helpers.places import DOCS
from benchmarks.helpers.tables import write_table
from napari_blurgan import preset, restore, train
from napari_blurgan.models.model import Model

RESULTS = Path(__file__).parents[1] / "results/kspace.json"


@dataclass(frozen=True)
class Row:
    """A training.

    Parameters
    ----------
    preset : str
        Its recipe.
    sharp : {"none", "unpaired", "paired"}
        What is given as fully sampled images.
    changes : dict
        Of the recipe.
    fixed : bool
        Whether the mask is the same for all slices.
    """

    preset: str
    sharp: str = "unpaired"
    changes: dict[str, Any] = field(default_factory=dict)
    fixed: bool = True


# A mirror image along y would have another mask.
UNTURNED = {"sampling.flips": False}
KNOWN = {"forward.mask": "fixed"} | UNTURNED
ROWS = {
    "mri": Row("mri", "unpaired", KNOWN),
    "mri, two turns": Row("mri", "unpaired", KNOWN | {"reconstructor.turns": 2}),
    "mri-half": Row("mri-half", "unpaired", KNOWN),
    "mri-cyclegan": Row("mri-cyclegan", "unpaired", UNTURNED),
    "mri-supervised": Row("mri-supervised", "paired", UNTURNED),
    "ssdu": Row("ssdu", "none", {}, False),
    "naive": Row("ssdu", "none", {"source.hidden": 0.0}, False),
    "masks-differ": Row("mri-supervised", "paired", {"steps": 800}, False),
    "mri-ambient": Row("mri-ambient", "none", {"forward.mask": "random"}, False),
}


def trained(row: Row, data: Study, seed: int, changes: dict[str, Any]) -> Model:
    """Train a row."""
    sharp = {"none": None, "unpaired": data.sharp, "paired": data.partner}[row.sharp]
    recipe = preset(row.preset).updated({**row.changes, **changes})
    x = None if sharp is None else stack(sharp, "fully sampled")
    return train(
        recipe, stack(data.measured, "undersampled"), x, device="cpu", seed=seed
    )


def reconstructed(model: Model, measured: Any) -> Any:
    """Return what a model makes of slices."""
    image = stack(measured, "undersampled")
    return numbers(restore(model, image, precision="float32"))


def figures(
    row: Row, seed: int, changes: dict[str, Any], folder: Path | None
) -> dict[str, float]:
    """Train; return scores as the network leaves it, and with the measured lines."""
    data, start = study(seed, row.fixed), time.process_time()
    model = trained(row, data, seed, changes)
    minutes = (time.process_time() - start) / 60
    made = reconstructed(model, data.unseen)
    lines = kept(made, data.unseen)
    found = {"steps": float(model.recipe.steps), "minutes": minutes}
    for name, image in (("input", data.unseen), ("network", made), ("kept", lines)):
        scored = scores(image, data.truth)
        found |= {f"{name}_{k}": v for k, v in scored.items()}
    if folder is not None and row == ROWS["mri"]:
        found |= real(model, data, seed, folder)
    return found


def real(model: Model, data: Study, seed: int, folder: Path) -> dict[str, float]:
    """Return scores of a real scan, its coils combined; draw it for the first seed."""
    measured, whole = coils(folder, data.measured, seed)
    made = kept(reconstructed(model, measured), measured)
    zero, learned, truth = map(combined, (measured, made, whole))
    if seed == 0:
        pictures = {"zero-filled": zero, "mri": learned, "fully sampled": truth}
        draw({k: np.abs(v[0]) for k, v in pictures.items()})
    scored = {"zero": scores(zero, truth), "learned": scores(learned, truth)}
    return {f"real_{a}_{k}": v for a, s in scored.items() for k, v in s.items()}


def draw(pictures: dict[str, Any]) -> None:
    """Draw magnitudes side by side, on the scale of the last one."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(pictures), figsize=(9, 3.3))
    top = float(list(pictures.values())[-1].max())
    for panel, (name, image) in zip(axes, pictures.items(), strict=True):
        panel.imshow(image, cmap="gray", vmin=0, vmax=0.9 * top)
        panel.set_title(name, fontsize=10)
        panel.axis("off")
    figure.tight_layout()
    figure.savefig(DOCS / "images/kspace-real.png", dpi=110)


ZERO_FILLED = {"mri": "zero-filled", "ssdu": "zero-filled, masks differ"}
"""Before which rows a row of zero filling stands, and what it is called."""


def report(found: dict[str, dict[str, float]]) -> None:
    """Write the tables."""
    rows = []
    for name in ROWS:
        runs = [v for k, v in found.items() if k.startswith(f"{name}/")]
        if runs and name in ZERO_FILLED:
            rows.append(_zero_filled(ZERO_FILLED[name], runs))
        if runs:
            rows.append(_row(name, runs))
    head = (
        "| row | PSNR | SSIM | measured lines kept: PSNR | SSIM "
        "| seeds | steps | CPU minutes |"
    )
    write_table("other-measurements.md", "mri", head, rows)
    scans = {k: v for k, v in found.items() if "real_learned_psnr" in v}
    head = "| row | seed | zero-filled: PSNR | SSIM | reconstructed: PSNR | SSIM |"
    names = ("zero_psnr", "zero_ssim", "learned_psnr", "learned_ssim")
    rows = [
        [
            f"`{k.split('/')[0]}`",
            k.split("/")[1],
            *(f"{v[f'real_{n}']:.3f}" for n in names),
        ]
        for k, v in sorted(scans.items())
    ]
    write_table("other-measurements.md", "mri-real", head, rows)


def _zero_filled(name: str, runs: list[dict[str, float]]) -> list[str]:
    scored = _spread(runs, "input_psnr", 2), _spread(runs, "input_ssim", 3)
    return [name, *scored, *[""] * 5]


def _row(name: str, runs: list[dict[str, float]]) -> list[str]:
    minutes = np.median([run["minutes"] for run in runs])
    steps = "/".join(sorted({f"{run['steps']:.0f}" for run in runs}))
    columns = (
        ("network_psnr", 2),
        ("network_ssim", 3),
        ("kept_psnr", 2),
        ("kept_ssim", 3),
    )
    about = [str(len(runs)), steps, f"{minutes:.1f}"]
    return [f"`{name}`", *(_spread(runs, *c) for c in columns), *about]


def _spread(runs: list[dict[str, float]], name: str, digits: int) -> str:
    values = [run[name] for run in runs]
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f})"


def main() -> None:
    """Train, store, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="*", default=list(ROWS), choices=ROWS)
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=int, help="by default those of the preset")
    add("--set", nargs="*", default=[], help="KEY=VALUE of the recipe; nothing is kept")
    add("--data", type=Path, help="folder with the real scan; none by default")
    add("--write", action="store_true", help="into docs/other-measurements.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    changes: dict[str, Any] = {
        k: json.loads(v) for k, _, v in (s.partition("=") for s in options.set)
    }
    changes |= {"steps": options.steps} if options.steps else {}
    for seed in options.seeds:
        for name in options.only:
            made = figures(ROWS[name], seed, changes, options.data)
            print(
                f"{name}/{seed}", *(f"{k} {v:.4g}" for k, v in made.items()), flush=True
            )
            if not options.set:
                found[f"{name}/{seed}"] = made
                RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.write:
        report(found)


if __name__ == "__main__":
    main()
