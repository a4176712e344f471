"""Make the tables and the curve of docs/utom.md of what utom.py found.

``python -m benchmarks.claims.utom_tables`` reads benchmarks/results/utom.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.helpers.places import DOCS, RESULTS
from benchmarks.helpers.tables import write_table

FOUND = RESULTS / "utom.jsonl"
NAMES = {
    "default": "constraint, decaying to a floor (the preset)",
    "paper": "constraint, decaying to nothing (as published)",
    "constant": "constraint, constant weight 30",
    "plain": "none: plain cycleGAN",
    "identity": "none: cycleGAN with identity loss",
}
LOOKS = (500, 1000, 1500)

Rows = list[dict[str, Any]]


def found() -> Rows:
    """Return all rows; of a run that was repeated the later ones."""
    rows = [json.loads(line) for line in FOUND.read_text().splitlines()]
    keys = ("task", "arm", "seed", "steps", "step")
    return list({tuple(r[k] for k in keys): r for r in rows}.values())


def chosen(rows: Rows, **wanted: Any) -> Rows:
    return [r for r in rows if all(r[k] == v for k, v in wanted.items())]


def values(rows: Iterable[dict[str, Any]], name: str) -> list[float]:
    return [r[name] for r in sorted(rows, key=lambda r: r["seed"])]


def spread(numbers: list[float]) -> str:
    """Return mean and standard deviation over the mean, as the paper's Table 1 does."""
    mean = float(np.mean(numbers))
    return f"{mean:.3g} ± {100 * np.std(numbers, ddof=1) / mean:.1f} %"


def each(numbers: list[float], digits: int) -> str:
    return " ".join(f"{n:.{digits}f}" for n in numbers)


def short(rows: Rows, task: str) -> list[list[str]]:
    """Return a line an arm: every seed, and mean with relative spread."""
    lines = []
    for arm, name in NAMES.items():
        ends = chosen(rows, task=task, arm=arm, steps=400, step=400)
        if len(ends) > 1:
            ious, psnrs = values(ends, "iou"), values(ends, "psnr")
            lines.append(
                [name, each(ious, 3), spread(ious), each(psnrs, 1), spread(psnrs)]
            )
    return lines


def long(rows: Rows) -> list[list[str]]:
    """Return a line an arm: least and mean IoU at some steps, PSNR at the end."""
    lines = []
    for arm, name in NAMES.items():
        runs = chosen(rows, task="stain", arm=arm, steps=1500)
        ends = chosen(runs, step=1500)
        if not ends:
            continue
        cells = [name, str(len(ends))]
        for step in LOOKS:
            ious = values(chosen(runs, step=step), "iou")
            full = len(ious) == len(ends)
            cells.append(f"{min(ious):.3f} ({np.mean(ious):.3f})" if full else "")
        lines.append([*cells, f"{np.mean(values(ends, 'psnr')):.1f}"])
    return lines


def draw(rows: Rows) -> None:
    """Draw the IoU of every training of 1,500 steps."""
    figure, axis = plt.subplots(figsize=(6.4, 3.2))
    colours = {"default": "#0072B2", "paper": "#D55E00", "constant": "#009E73"}
    for arm, colour in colours.items():
        for seed in range(5):
            run = chosen(rows, task="stain", arm=arm, steps=1500, seed=seed)
            run = sorted(run, key=lambda r: r["step"])
            label = (
                NAMES[arm] if run and seed == min(values(run, "seed")) == 0 else None
            )
            axis.plot(
                [r["step"] for r in run],
                [r["iou"] for r in run],
                color=colour,
                linewidth=1,
                label=label,
            )
    axis.axhline(0.88, color="#888888", linewidth=0.8, linestyle="--")
    axis.set(xlabel="step", ylabel="IoU, held-out images", ylim=(0.7, 1))
    axis.legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(DOCS / "images" / "utom-schedules.png", dpi=110)


def main() -> None:
    rows = found()
    header = "| | IoU, seeds 0–4 | mean ± spread | PSNR (dB) | mean ± spread |"
    for task in ("stain", "denoise"):
        write_table("utom.md", task, header, short(rows, task))
    steps = " | ".join(f"{step:,}" for step in LOOKS)
    write_table(
        "utom.md", "long", f"| | seeds | {steps} | PSNR at the end |", long(rows)
    )
    draw(rows)


if __name__ == "__main__":
    main()
