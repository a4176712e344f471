"""Draw each family of phantoms, xy and xz, for docs/images/phantoms.png.

python -m benchmarks.claims.phantoms [FILE]
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf
from napari_blurgan.optics.phantoms import STRUCTURES, phantom
from napari_blurgan.optics.simulation import margin_for, simulate

SHAPE = (64, 192, 192)
VOXEL = (0.16, 0.08, 0.08)
OPTICS = Optics(na=1.2, ni=1.333, wavelength=525)
SEED = 1


def main() -> None:
    """Render rows of one plane, the projection and the widefield image, and xz."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/phantoms.png")
    psf = theoretical_psf(OPTICS, support_shape(OPTICS, VOXEL, 4.0), VOXEL)
    margin = margin_for(psf.data)
    padded = [n + 2 * m for n, m in zip(SHAPE, margin, strict=True)]
    rows = ("xy plane", "xy projection", "xy, widefield", "xz plane", "xz, widefield")
    heights = [1, 1, 1, 2 / 3, 2 / 3]
    figure, axes = plt.subplots(
        len(rows),
        len(STRUCTURES),
        figsize=(12.5, 10.9),
        gridspec_kw={"height_ratios": heights, "hspace": 0.03, "wspace": 0.03},
    )
    for column, structure in zip(axes.T, STRUCTURES, strict=True):
        drawn = phantom(structure, padded, VOXEL, SEED)
        sharp, blurred = simulate(drawn, psf.data, seed=SEED, margin=margin)
        z, y = _busiest(sharp, (1, 2)), _busiest(sharp, (0, 2))
        images = (sharp[z], sharp.max(0), blurred[z], sharp[:, y], blurred[:, y])
        for axis, image in zip(column, images, strict=True):
            _show(axis, image, z_is_up=image.shape[0] == SHAPE[0])
        column[0].set_title(structure)
    for axis, row in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, bbox_inches="tight")
    print(f"{path}: {SHAPE} voxels of {VOXEL} µm, seed {SEED}; {OPTICS}")


def _busiest(sharp: np.ndarray, axes: tuple[int, int]) -> int:
    return int(sharp.sum(axis=axes).argmax())


def _show(axis: plt.Axes, image: np.ndarray, z_is_up: bool) -> None:
    axis.imshow(
        image,
        cmap="gray",
        vmin=0,
        vmax=image.max(),
        aspect=VOXEL[0] / VOXEL[1] if z_is_up else 1,
        interpolation="nearest",
    )
    axis.set_xticks([])
    axis.set_yticks([])


if __name__ == "__main__":
    main()
