"""Static figures of the PSF and Compare widgets, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.optics.psf import unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

    from napari_blurgan.measure.resolution import Resolution
    from napari_blurgan.optics.psf import Psf

__all__ = ["canvas", "draw_profiles", "draw_psf", "draw_resolution"]

SMALL = 7
FAINT = 1e-4
"""Below this fraction of the maximum a profile is not drawn."""


def canvas(figure: Figure, height: int) -> QWidget:
    """Return a widget that shows a figure, transparent on napari's theme."""
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

    shown = FigureCanvasQTAgg(figure)
    shown.setFixedHeight(height)
    return shown


def draw_psf(figure: Figure, psf: Psf, other: Psf | None = None) -> None:
    """Draw sections in xy and xz, profiles, and the transfer function.

    Parameters
    ----------
    figure : matplotlib Figure
        Cleared first.
    psf : Psf
        Solid lines.
    other : Psf, optional
        To compare with, dashed.
    """
    figure.clear()
    axes = figure.subplots(2, 2)
    volume = psf.data / psf.data.max()
    z, y, _ = (n // 2 for n in volume.shape)
    size_z, size_y, size_x = psf.voxel_size
    unit = unit_of(psf)
    _section(axes[0, 0], volume[z], (size_y, size_x), "xy", unit)
    if len(volume) > 1:
        _section(axes[0, 1], volume[:, y], (size_z, size_x), "xz", unit)
    else:
        axes[0, 1].set_axis_off()
    for shown, style in ((psf, "-"), (other, "--")):
        if shown is not None:
            _lines(axes[1, 0], _through_peak(shown), style)
            _lines(axes[1, 1], _transfer(shown), style)
    axes[1, 0].set(yscale="log", title="profiles", xlabel=unit, ylim=(FAINT, 1.5))
    axes[1, 1].set(title="transfer function", xlabel=f"cycles / {unit}", ylim=(0, 1.05))
    _legend(figure, axes[1, 0])
    _finish(figure)


def draw_profiles(
    figure: Figure, distance: NDArray[Any], lines: dict[str, NDArray[Any]]
) -> None:
    """Draw intensities along a line, each from its minimum (0) to its maximum (1)."""
    figure.clear()
    axes = figure.subplots()
    for name, values in lines.items():
        span = float(np.ptp(values)) or 1.0
        axes.plot(distance, (values - values.min()) / span, label=name)
    axes.set(xlabel="along the line", ylabel="intensity, scaled")
    _legend(figure, axes, 1)
    _finish(figure)


def draw_resolution(figure: Figure, found: Resolution) -> None:
    """Draw a Fourier ring or shell correlation against its threshold."""
    figure.clear()
    axes = figure.subplots()
    axes.plot(found.frequency, found.correlation, label="correlation")
    axes.plot(found.frequency, found.threshold, "--", label="threshold")
    if found.value is not None:
        axes.axvline(1 / found.value, linewidth=0.8)
    axes.set(xlabel="cycles / µm", ylim=(-0.1, 1.05))
    _legend(figure, axes)
    _finish(figure)


def _section(
    axes: Axes, plane: NDArray[Any], size: tuple[float, float], title: str, unit: str
) -> None:
    rows, columns = plane.shape
    extent = (0, columns * size[1], rows * size[0], 0)
    # The fourth root makes the faint widefield cone visible.
    axes.imshow(plane**0.25, cmap="inferno", extent=extent, vmin=0, vmax=1)
    axes.set(title=f"{title}, 4th root", xlabel=unit)


Lines = dict[str, tuple["NDArray[Any]", "NDArray[Any]"]]


def _through_peak(psf: Psf) -> Lines:
    middle = tuple(n // 2 for n in psf.shape)
    lines = {}
    for axis, name in ((2, "x"), (0, "z")):
        if psf.shape[axis] > 1:
            index: list[Any] = list(middle)
            index[axis] = slice(None)
            values = psf.data[tuple(index)] / psf.data.max()
            steps = np.arange(len(values)) - middle[axis]
            lines[name] = (steps * psf.voxel_size[axis], values)
    return lines


def _transfer(psf: Psf) -> Lines:
    """Return |OTF| along x and z: the transform of the PSF summed over the others."""
    lines = {}
    for axis, name in ((2, "x"), (0, "z")):
        if psf.shape[axis] > 1:
            rest = tuple({0, 1, 2} - {axis})
            values = np.abs(np.fft.rfft(psf.data.sum(axis=rest)))
            frequency = np.fft.rfftfreq(psf.shape[axis], psf.voxel_size[axis])
            lines[name] = (frequency, values)
    return lines


def _lines(axes: Axes, lines: Lines, style: str) -> None:
    for (name, (x, y)), colour in zip(lines.items(), ("C0", "C1"), strict=False):
        label = name if style == "-" else f"{name}, other"
        axes.plot(x, y, style, color=colour, label=label)


def _legend(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """Put the legend below the figure, where it hides nothing."""
    lines, names = axes.get_legend_handles_labels()
    place = "outside lower center"
    figure.legend(lines, names, loc=place, ncols=columns, fontsize=SMALL, frameon=False)


def _finish(figure: Figure) -> None:
    """Make text and frames readable on dark and light themes."""
    figure.patch.set_alpha(0)
    grey = "#808890"
    for axes in figure.axes:
        axes.patch.set_alpha(0)
        axes.tick_params(labelsize=SMALL, colors=grey)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set(fontsize=SMALL + 1, color=grey)
        for spine in axes.spines.values():
            spine.set_color(grey)
    for legend in figure.legends:
        for text in legend.get_texts():
            text.set_color(grey)
    figure.canvas.draw_idle()
