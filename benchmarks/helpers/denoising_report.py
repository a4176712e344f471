"""The tables and the picture of docs/denoising.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from benchmarks.helpers.denoising_data import PHANTOMS, Image, Pictures
from benchmarks.helpers.tables import write_table

matplotlib.use("Agg")

__all__ = ["draw", "report"]

DOCUMENT = "denoising.md"
IMAGES = Path(__file__).parents[2] / "docs/images"

PHANTOM_HEADER = (
    "| phantoms | row | seeds | steps | noisy | best Gaussian | best non-local means "
    "| learned, median | worst | alternation | CPU minutes |"
)
REAL_HEADER = (
    "| images | row | seeds | steps | noisy | best Gaussian | best non-local means "
    "| learned, median | worst | CPU minutes |"
)

Figures = dict[str, Any]


def report(found: dict[str, Figures]) -> None:
    """Write both tables of all results."""
    for name, header, drawn in (
        ("phantoms", PHANTOM_HEADER, True),
        ("real", REAL_HEADER, False),
    ):
        write_table(DOCUMENT, name, header, rows(found, drawn))


def rows(found: dict[str, Figures], drawn: bool) -> Iterator[list[str]]:
    """Yield the rows of the table of phantoms, or of real images."""
    groups: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for name, figures in found.items():
        images, row, _ = name.split("/")
        if (images in PHANTOMS) == drawn:
            groups[images, row].append(figures)
    for (images, row), group in groups.items():
        before = [_median(group, key) for key in ("noisy", "gaussian", "nlm")]
        worst = f"{min(g['learned'] for g in group):.1f}"
        after = [_median(group, "learned"), worst]
        if drawn:
            after.append(f"{max(g['alternation'] for g in group):.2f}")
        minutes = _median(group, "minutes")
        steps = "–".join(sorted({str(g["steps"]) for g in group}))
        yield [images, row, str(len(group)), steps, *before, *after, minutes]


def _median(group: list[Figures], key: str) -> str:
    return f"{median(g[key] for g in group):.1f}"


def draw(pictures: Pictures, made: dict[str, Image], name: str) -> None:
    """Draw a corner of the first image: noisy, denoised in several ways, true."""
    shown = {"noisy": pictures.noisy, **made, "truth": pictures.truth}
    low, high = np.percentile(pictures.truth[0], (0.5, 99.8))
    figure, axes = plt.subplots(1, len(shown), figsize=(2.2 * len(shown), 2.4))
    for axis, (title, image) in zip(axes, shown.items(), strict=True):
        corner = image[0, :128, :128]
        axis.imshow(corner, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    figure.tight_layout(pad=0.3)
    figure.savefig(IMAGES / name, dpi=110, bbox_inches="tight")
    plt.close(figure)
