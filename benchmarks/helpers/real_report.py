"""The tables and figures of docs/real-data.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from benchmarks.helpers.places import IMAGES
from benchmarks.helpers.real_data import Case, Region
from benchmarks.helpers.tables import write_table

matplotlib.use("Agg")

__all__ = ["report"]

Array = NDArray[np.float32]
Results = dict[str, dict[str, dict[str, Any]]]
Picture = Callable[[str, str], Path]

DOCUMENT = "real-data.md"
ORDER = ("nucleus", "yeast", "light-sheet")
ROWS = ("input", "Richardson–Lucy", "nonblind", "blind")
SHOWN = 8
"""Pixels of a PSF on either side of its centre, but never less than 1.5 µm."""

IMAGE_HEADER = (
    "| stack | row | correlation | best within 6 voxels | FRC, µm "
    "| decorrelation, µm | predicts the other half | CPU min |"
)
PSF_HEADER = (
    "| stack | PSF | voxels | of theory inside | FWHM z, µm | FWHM xy, µm "
    "| NCC with theory |"
)
NOTE_HEADER = "| stack | row | step | code | what the program said |"


def report(case: Case, results: Results, picture: Picture) -> None:
    """Draw one data set, and write the tables of all that there are."""
    found = {name: in_order(results[name]) for name in ORDER if name in results}
    draw(case, found[case.name], picture)
    write_table(DOCUMENT, "images", IMAGE_HEADER, image_rows(found))
    write_table(DOCUMENT, "psfs", PSF_HEADER, psf_rows(found))
    write_table(DOCUMENT, "notes", NOTE_HEADER, note_rows(found))


def in_order(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows in one order, whichever was made first."""
    first = [row for row in ROWS if row in rows]
    return {row: rows[row] for row in first} | rows


def image_rows(results: Results) -> Iterator[list[str]]:
    for stack, rows in results.items():
        for row, found in rows.items():
            yield [
                stack,
                titled(row, found),
                number(found.get("correlation"), 3),
                shifted(found),
                limit(found["frc_um"], found["finest_um"]),
                limit(found["decorrelation_um"], found["finest_um"]),
                number(found["predicts"], 3),
                number(found.get("cpu_minutes"), 1),
            ]


def titled(row: str, found: dict[str, Any]) -> str:
    if "iterations" in found:
        return f"{row}, {found['iterations']} iterations"
    return f"{row}, {found['steps']} steps" if "steps" in found else row


def number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def shifted(found: dict[str, Any]) -> str:
    if "shift" not in found:
        return "–"
    shift = ", ".join(f"{s:+d}" if s else "0" for s in found["shift"])
    return f"{found['correlation_shifted']:.3f} ({shift})"


def limit(value: float | None, finest: float) -> str:
    """Say where the sampling ends the measure."""
    if value is None:
        return "none"
    return f"{finest:.2f} or finer" if value <= 1.001 * finest else f"{value:.2f}"


def psf_rows(results: Results) -> Iterator[list[str]]:
    for stack, rows in results.items():
        for row, found in rows.items():
            if "psf" not in found:
                continue
            psf = found["psf"]
            yield [
                stack,
                "theory" if "iterations" in found else row,
                " × ".join(map(str, psf["shape"])),
                f"{psf['theory_inside']:.0%}",
                number(psf["fwhm_z_um"], 2),
                number(psf["fwhm_xy_um"], 2),
                "" if "iterations" in found else number(psf["ncc"], 3),
            ]


def note_rows(results: Results) -> Iterator[list[str]]:
    for stack, rows in results.items():
        for row, found in rows.items():
            for step, code, message, _ in found.get("notes", ()):
                yield [stack, row, str(step), f"`{code}`", message]
            if "steps" in found and not found["notes"]:
                yield [stack, row, "", "none", ""]


def draw(case: Case, rows: dict[str, Any], picture: Picture) -> None:
    """Draw planes and sections of each row, and the PSFs below."""
    kept = {r: np.load(picture(case.name, r)) for r in rows}
    volumes = {row: data["image"] for row, data in kept.items()}
    if case.confocal is not None:
        shift = rows["Richardson–Lucy"]["shift"]
        volumes["confocal"] = case.confocal[moved(case.region, shift)]
    figure, axes = plt.subplots(
        3, len(volumes), figsize=(2.9 * len(volumes), 8), squeeze=False
    )
    place = centre_of(case)
    for column, (row, volume) in enumerate(volumes.items()):
        black, white = levels(row, volume, case)
        show(axes[:2, column], volume, place, (black, white), case)
        axes[0, column].set_title(f"{row}\n{black:.0f} to {white:.0f}", fontsize=10)
    psfs = {"theory": case.theory.data} | {
        row: kept[row]["psf"] for row in rows if row.startswith("blind")
    }
    show_psfs(list(axes[2]), psfs, case)
    for row, label in zip(axes, ("xy", "xz", "PSF, xz"), strict=True):
        row[0].set_ylabel(label)
    figure.tight_layout()
    figure.savefig(IMAGES / f"real-{case.name}.png", dpi=80)
    plt.close(figure)


def moved(region: Region, shift: Sequence[int]) -> tuple[slice, ...]:
    """Return where the confocal image shows what the other one shows in `region`."""
    pairs = zip(region, shift, strict=True)
    return tuple(slice(r.start - s, r.stop - s) for r, s in pairs)


def centre_of(case: Case) -> tuple[int, int]:
    """Return the plane and the line with most structure in what was measured."""
    volume = case.pixels[case.region]
    z = int(volume.std(axis=(1, 2)).argmax())
    return z, int(volume[z].std(axis=1).argmax())


def levels(row: str, volume: Array, case: Case) -> tuple[float, float]:
    """Return black and white by one rule; restorations are right but for a factor."""
    black = case.camera.offset if row == "input" else 0.0
    return black, float(np.percentile(volume, 99.9))


def show(
    axes: NDArray[Any],
    volume: Array,
    place: tuple[int, int],
    level: tuple[float, float],
    case: Case,
) -> None:
    z, y = place
    aspect = case.voxel[0] / case.voxel[2]
    for ax, cut, ratio in zip(
        axes, (volume[z], volume[:, y]), (1, aspect), strict=True
    ):
        ax.imshow(cut, cmap="gray", vmin=level[0], vmax=level[1], aspect=ratio)
        ax.set(xticks=[], yticks=[])


def show_psfs(axes: list[plt.Axes], psfs: dict[str, Array], case: Case) -> None:
    """Draw the square root of each, so that the wings are seen, and two profiles."""
    for ax, (name, data) in zip(axes, psfs.items(), strict=False):
        section = np.sqrt(data[:, data.shape[1] // 2] / data.max())
        extent = extents(section.shape, case)
        ax.imshow(section, cmap="magma", extent=extent, aspect="equal")
        reach = reach_of(case)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), facecolor="black")
        ax.set_title(name, fontsize=10)
    for ax, axis in zip(axes[len(psfs) :], (0, 2), strict=False):
        profiles(ax, psfs, case, axis)
    for ax in axes[len(psfs) + 2 :]:
        ax.axis("off")


def extents(shape: tuple[int, ...], case: Case) -> tuple[float, float, float, float]:
    (z, _, x), (deep, wide) = case.voxel, shape
    return -wide * x / 2, wide * x / 2, -deep * z / 2, deep * z / 2


def reach_of(case: Case) -> float:
    return max(1.5, SHOWN * case.voxel[2])


def profiles(ax: plt.Axes, psfs: dict[str, Array], case: Case, axis: int) -> None:
    for name, data in psfs.items():
        middle = [n // 2 for n in data.shape]
        rest = tuple(m for a, m in enumerate(middle) if a != axis)
        line = np.moveaxis(data, axis, -1)[rest]
        along = (np.arange(len(line)) - middle[axis]) * case.voxel[axis]
        ax.plot(along, line / line.max(), ".-", label=name, linewidth=1)
    reach = reach_of(case)
    ax.set(xlim=(-reach, reach), xlabel=f"{'zyx'[axis]}, µm")
    ax.legend(fontsize=6, frameon=False, loc="upper right")
