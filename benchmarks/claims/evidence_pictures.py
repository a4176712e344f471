"""Pictures of evidence maps: a filament that is found out, and detail that passes.

    python -m benchmarks.claims.evidence_pictures

Of the filaments of evidence.py, seed 0, 30 photons. In the first picture filaments that
nobody imaged are added to the restoration. In the second, the light of every two
neighbours along x is gathered in one of them: detail finer than the microscope can
show. Writes docs/images/evidence-*.png.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, uniform_filter

from benchmarks.claims.evidence import SHARP, Case, Image, case, judged, maps

IMAGES = Path(__file__).parents[2] / "docs/images"
PHOTONS = 30.0
CORNER = 36
"""Pixels of the second picture along each side, so that single ones are seen."""


def brightest(image: Image, side: int) -> tuple[slice, slice]:
    """Return the part of a plane, `side` pixels across, with the most light."""
    half = side // 2
    total = uniform_filter(image, side, mode="constant")
    inside = total[half : image.shape[0] - half + 1, half : image.shape[1] - half + 1]
    y, x = map(int, np.unravel_index(inside.argmax(), inside.shape))
    return slice(y, y + side), slice(x, x + side)


def shown(made: Case, restored: Image, name: str, side: int) -> None:
    """Draw the images and maps of a part of one plane beside each other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = maps(judged(made.measured, restored, made.kernel))
    true = gaussian_filter(made.true, SHARP)
    both = true.sum((1, 2)) * np.maximum(restored - made.good, 0).sum((1, 2))
    z = int(both.argmax())
    part = brightest(true[z], side)
    grey, top = {"cmap": "gray", "vmin": 0}, 0.8 * float(true[z].max())
    pictures = {
        "measured": (made.measured, {"cmap": "gray"}),
        "truth": (true, grey | {"vmax": top}),
        "restored": (restored, grey | {"vmax": top}),
        "evidence": (found[0], {"cmap": "cividis", "vmin": 0, "vmax": 1}),
        "residual (σ)": (found[1], {"cmap": "PuOr", "vmin": -6, "vmax": 6}),
        "error (grey levels)": (found[3], {"cmap": "viridis", "vmin": 0}),
    }
    figure, axes = pyplot.subplots(1, len(pictures), figsize=(13, 2.5))
    for axis, (title, (image, look)) in zip(axes, pictures.items(), strict=True):
        drawn = axis.imshow(image[z][part], **look)
        axis.set_title(title, fontsize=9)
        axis.axis("off")
        if look["cmap"] != "gray":
            figure.colorbar(drawn, ax=axis, fraction=0.046, pad=0.04)
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.png", dpi=90)


def main() -> None:
    torch.set_num_threads(1)
    made = case("filaments", PHOTONS, 0, 1.0, added=True)
    shown(made, made.bad, "evidence-invented", made.bad.shape[-1])
    gathered = made.good.copy()
    gathered[..., ::2] += made.good[..., 1::2]
    gathered[..., 1::2] = 0
    shown(made, gathered, "evidence-passes", CORNER)
    report = judged(made.measured, gathered, made.kernel).report
    print(f"gathered in every second voxel: {report}")


if __name__ == "__main__":
    main()
