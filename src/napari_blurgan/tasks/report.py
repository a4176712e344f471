"""`report.png`: input, Richardson-Lucy, result, truth, the PSF and the losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_blurgan.tasks.demo_result import DemoResult
from napari_blurgan.writing.atomic import replacing

__all__ = ["write_report"]

Plane = NDArray[np.float32]
Volume = NDArray[np.float32]


def write_report(path: Path, result: DemoResult, voxel_size: Sequence[Any]) -> None:
    """Draw the result of the demo.

    Parameters
    ----------
    path : Path
        A PNG.
    result : DemoResult
        What to show.
    voxel_size : sequence of float
        (z, y, x) of the stacks, in micrometres.
    """
    figure = Figure(figsize=(14, 10), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(3, 4, height_ratios=(3.2, 1.8, 2.4))
    figure.suptitle(
        "Half of a nucleus. The sharp set was the confocal image of the other half; r "
        f"is the correlation, widefield moved by {result.shift} voxels",
        fontsize=11,
    )
    columns = _columns_of(result)
    centre = _centre(result.confocal)
    for column, (title, volume, note) in enumerate(columns):
        xy, xz = (
            figure.add_subplot(grid[0, column]),
            figure.add_subplot(grid[1, column]),
        )
        _show(xy, volume[centre[0]], voxel_size[1], voxel_size[2], "x", "y")
        _show(xz, volume[:, centre[1]], voxel_size[0], voxel_size[2], "x", "z")
        xy.set_title(f"{title}\n{note}", fontsize=11)
    _psf(figure, grid, result)
    _profiles(figure.add_subplot(grid[2, 2]), columns, centre, float(voxel_size[0]))
    _losses(figure.add_subplot(grid[2, 3]), result.history)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _columns_of(result: DemoResult) -> list[tuple[str, Volume, str]]:
    """Return title, image and figure of merit of each, for the compared columns."""
    r = {n: f"r = {v:.2f} with confocal" for n, v in result.agreement.items()}
    rival = result.rival
    rl = f"{rival.iterations} iterations, {rival.seconds:.1f} s: {r['richardson-lucy']}"
    trained = f"{len(result.history)} steps: {r['trained']}"
    return [
        ("Widefield, as measured", result.blurred, r["widefield"]),
        ("Richardson–Lucy, at its best", result.rival.image, rl),
        (
            "Trained on the other half",
            result.restored,
            trained,
        ),
        (
            "Confocal, ground truth",
            result.confocal,
            "this half was not used for training",
        ),
    ]


def _centre(volume: NDArray[np.float32]) -> tuple[int, int, int]:
    """Return the plane and row where the reference is brightest on average."""
    sums = [volume.sum(axis=(1, 2)), volume.sum(axis=(0, 2)), volume.sum(axis=(0, 1))]
    z, y, x = (int(s.argmax()) for s in sums)
    return z, y, x


def _show(axes: Any, image: Plane, height: float, width: float, x: str, y: str) -> None:
    rows, columns = image.shape
    low, high = np.percentile(image, (1, 99.8))
    extent = (0, columns * width, rows * height, 0)
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=extent)
    axes.set_xlabel(f"{x} / µm", fontsize=8)
    axes.set_ylabel(f"{y} / µm", fontsize=8)
    axes.tick_params(labelsize=7)


def _profiles(
    axes: Any, columns: Sequence[Any], centre: tuple[int, int, int], step: float
) -> None:
    """Draw the mean over the brightest region along z, which widefield blurs most."""
    y, x = (slice(max(c - 8, 0), c + 9) for c in centre[1:])
    for title, volume, _ in columns:
        line = volume[:, y, x].mean(axis=(1, 2))
        line = (line - line.min()) / np.ptp(line)
        axes.plot(np.arange(len(line)) * step, line, label=title.split(",")[0])
    axes.set_title("Through the nucleus, along z", fontsize=11)
    axes.set_xlabel("z / µm", fontsize=8)
    axes.set_ylabel("intensity, scaled", fontsize=8)
    axes.legend(fontsize=8)


def _psf(figure: Figure, grid: Any, result: DemoResult) -> None:
    psf = result.psf
    z, y = (n // 2 for n in psf.shape[:2])
    widths = ", ".join(f"{w:.2f}" for w in psf.fwhm())
    planes = (("xy", psf.data[z], 1, "y"), ("xz", psf.data[:, y], 0, "z"))
    for column, (title, plane, axis, name) in enumerate(planes):
        axes = figure.add_subplot(grid[2, column])
        # The widefield cone of light is faint and wide: the fourth root makes it
        # visible.
        _show(axes, plane**0.25, psf.voxel_size[axis], psf.voxel_size[2], "x", name)
        axes.set_title(
            f"PSF from the optics, kept: {title} (4th root)\nFWHM z, y, x: {widths} µm",
            fontsize=10,
        )


def _losses(axes: Any, history: Sequence[dict[str, float]]) -> None:
    steps = [row["step"] for row in history]
    for name in history[0]:
        if name.startswith(("cycle", "adversarial")):
            values = np.array([row[name] for row in history])
            axes.plot(steps, _smooth(values), label=name.replace("_", " "))
    axes.set_yscale("log")
    axes.set_xlabel("step", fontsize=8)
    axes.set_title("Losses, running mean", fontsize=11)
    axes.legend(fontsize=8)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    width = max(1, len(values) // 40)
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")
