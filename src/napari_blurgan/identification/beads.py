"""A PSF from an image of beads: found, checked, centred, averaged, bead size corrected.

No single bead can make this fail: each gets a verdict, and the report lists all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_blurgan.errors import OpticsError
from napari_blurgan.identification.gaussian_fit import fit_gaussian
from napari_blurgan.optics import geometry
from napari_blurgan.optics.geometry import checked_shape, checked_voxel_size
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.width import fwhm

__all__ = ["Bead", "BeadReport", "detect_beads", "psf_from_beads"]

Triple = tuple[float, float, float]
Shape = tuple[int, int, int]
Array = NDArray[np.floating[Any]]

GOOD = "good"
DETECTION = 6.0  # standard deviations of the filtered background
FAINTEST = 0.1  # share of the brightest bead: fainter spots may be side lobes
REACH = 2.5  # half width of the crop, in full widths at half maximum
ODD = 3.0  # robust standard deviations of the logarithm of the width
SAME = 0.15  # logarithms of widths that differ by less are never considered odd
BRIGHTEST = 20  # number of spots from which the width of a bead is estimated
WIENER = 0.01  # noise-to-signal ratio in correcting for the size of the bead


@dataclass(frozen=True)
class Bead:
    """One bead of an image, with its verdict.

    Parameters
    ----------
    centre : tuple of float
        (z, y, x) in voxels.
    fwhm : tuple of float
        Of the Gaussian fit to its core, (z, y, x) in micrometres; NaN if not fitted.
    amplitude : float
        Of the fit, above the background, in units of the image.
    verdict : str
        ``"good"``, or why it was left out.
    """

    centre: Triple
    fwhm: Triple = (np.nan, np.nan, np.nan)
    amplitude: float = np.nan
    verdict: str = GOOD


@dataclass(frozen=True)
class BeadReport:
    """All beads of an image with their verdicts, and the result from the good ones.

    Parameters
    ----------
    beads : tuple of Bead
        Brightest first.
    fwhm : tuple of float
        Of the Gaussian fit to the core of the PSF, (z, y, x) in micrometres. Noise
        moves it as much as the crossings of half the maximum (`Psf.fwhm`): one to
        two per cent for 16 beads at a signal-to-noise ratio of 10 (docs/physics.md).
    """

    beads: tuple[Bead, ...]
    fwhm: Triple = (np.nan, np.nan, np.nan)

    @property
    def good(self) -> tuple[Bead, ...]:
        """The beads that were averaged."""
        return tuple(bead for bead in self.beads if bead.verdict == GOOD)

    @property
    def verdicts(self) -> dict[str, int]:
        """Number of beads for each verdict."""
        return dict(Counter(bead.verdict for bead in self.beads))

    @property
    def spread(self) -> Triple:
        """Standard deviations (µm) of the beads' widths; NaN for a single bead."""
        if len(self.good) < 2:
            return np.nan, np.nan, np.nan
        z, y, x = np.std([bead.fwhm for bead in self.good], axis=0, ddof=1)
        return float(z), float(y), float(x)


def detect_beads(
    image: NDArray[Any], width: Sequence[float] | Array | None = None
) -> list[Shape]:
    """Find bright spots of one size, brightest first.

    The image is smoothed to the size of a bead. Maxima that exceed the noise of the
    background and are not much fainter than the brightest are beads.

    Parameters
    ----------
    image : ndarray
        (z, y, x), finite.
    width : sequence of float, optional
        Full widths at half maximum of a bead along z, y and x, in voxels; by default
        estimated from the brightest spots.

    Returns
    -------
    list of tuple of int
        Brightest voxels, (z, y, x).
    """
    values = _checked_image(image).astype(np.float64)
    size = _typical_width(values) if width is None else np.asarray(width, float)
    spots = ndimage.gaussian_filter(values, size / 2.355)
    spots -= np.median(spots)
    noise = 1.4826 * float(np.median(abs(spots)))
    threshold = max(DETECTION * noise, FAINTEST * float(spots.max()))
    return _maxima(spots, np.ceil(size), threshold)


def psf_from_beads(
    image: NDArray[Any],
    voxel_size: Sequence[float],
    bead_diameter: float = 0.0,
    shape: Sequence[int] | None = None,
    places: Sequence[Sequence[float]] | None = None,
) -> tuple[Psf, BeadReport]:
    """Measure a PSF from an image of beads.

    Beads are found by `detect_beads` and rejected if they are saturated, cut by the
    edge, too close to another, impossible to fit, or of an unusual width. The others
    are freed of their background, moved by splines to a common centre, and summed. A
    Wiener filter corrects for the size of the bead (a full sphere) and removes noise
    beyond the band of the microscope.

    Parameters
    ----------
    image : ndarray
        (z, y, x); in the dtype of the camera, so that saturation is seen.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    bead_diameter : float
        In micrometres; 0 takes the beads for points.
    shape : sequence of int, optional
        (z, y, x) of the PSF; by default odd and 5 times the width of a bead, or what
        the image allows.
    places : sequence of (z, y, x), optional
        Voxels next to the beads to take, at any depth; by default all that are found.

    Returns
    -------
    psf : Psf
        Its provenance sums up the report.
    report : BeadReport
        Every bead found with its verdict; the spread of the good ones.

    Raises
    ------
    OpticsError
        If the image is no finite volume, or holds no bead that serves; the message
        counts the verdicts.
    """
    values, voxel = _checked_image(image), checked_voxel_size(voxel_size)
    width = _typical_width(values.astype(np.float64))
    _check_diameter(bead_diameter, width * voxel)
    peaks = detect_beads(values, width)
    taken = peaks if places is None else _beside(places, peaks, width)
    box = _box(values.shape, peaks, width) if shape is None else checked_shape(shape)
    beads = [_judge(values, peak, peaks, width, voxel, box) for peak in taken]
    report = BeadReport(tuple(_judge_widths(beads)))
    if not report.good:
        raise OpticsError(_nothing_serves(report, box))
    total = np.sum([_aligned(values, bead, box) for bead in report.good], axis=0)
    data = _restored(total, voxel, bead_diameter)
    psf = Psf(data.astype(np.float32), voxel).centred()
    z, y, x = (float(w) for w in np.multiply(voxel, _core_width(psf.data)))
    report = replace(report, fwhm=(z, y, x))
    provenance = _provenance(report, bead_diameter) | psf.provenance
    return replace(psf, provenance=provenance), report


def _checked_image(image: NDArray[Any]) -> NDArray[Any]:
    values = np.asarray(image)
    if values.ndim != 3 or min(values.shape) < 3:
        raise OpticsError(
            f"beads are looked for in a volume (z, y, x); found shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise OpticsError("the image of beads contains NaN or infinite values")
    if values.min() == values.max():
        raise OpticsError("the image of beads is constant")
    return values


def _check_diameter(diameter: float, width: Array) -> None:
    if not 0 <= diameter <= 1.2 * width[1:].min():
        raise OpticsError(
            f"bead_diameter = {diameter:g} µm does not fit beads that appear "
            f"{width[1:].min():.3g} µm wide; it is given in micrometres (0.1, not 100)"
        )


def _typical_width(values: Array) -> Array:
    """Return the median width (voxels) of the brightest spots, along the axes."""
    smooth = ndimage.gaussian_filter(values, 1.0)
    smooth -= np.median(smooth)
    spots = _maxima(smooth, np.full(3, 3.0), FAINTEST * float(smooth.max()))[:BRIGHTEST]
    seen = np.array([_widths_at(smooth, spot) for spot in spots])
    # Smoothing has widened them in quadrature; nothing remains of a hot pixel.
    widths = np.sqrt(np.maximum(seen**2 - 2.355**2, 0))
    real = widths[np.all(widths > 1, axis=1)]
    if len(real) == 0:
        raise OpticsError("no spot is wider than a voxel; is this an image of beads?")
    return np.median(real, axis=0)


def _widths_at(smooth: Array, spot: Shape) -> list[float]:
    """Return the widths at half the height of a spot, in voxels; 0 at an edge."""
    widths = []
    for axis in range(3):
        line = smooth[tuple(slice(None) if a == axis else spot[a] for a in range(3))]
        high = np.flatnonzero(line < line[spot[axis]] / 2)
        after, before = high[high > spot[axis]], high[high < spot[axis]]
        known = len(after) > 0 and len(before) > 0
        widths.append(float(after[0] - before[-1] - 1) if known else 0.0)
    return widths


def _beside(
    places: Sequence[Sequence[float]], peaks: list[Shape], width: Array
) -> list[Shape]:
    """Return the peaks next to given positions, as seen along z."""
    found: dict[Shape, None] = {}
    for place in places:
        apart = [np.hypot(*np.subtract(p, place)[1:]) for p in peaks]
        if apart and min(apart) <= 2 * width[1:].max():
            found[peaks[int(np.argmin(apart))]] = None
    return list(found)


def _maxima(values: Array, reach: Array, threshold: float) -> list[Shape]:
    """Return the maxima within `reach` voxels above `threshold`, highest first."""
    top = ndimage.maximum_filter(values, [2 * int(r) + 1 for r in reach])
    found = np.argwhere((values == top) & (values > threshold))
    order = np.argsort(-values[tuple(found.T)], kind="stable")
    return [(int(z), int(y), int(x)) for z, y, x in found[order]]


def _box(shape: Sequence[int], peaks: list[Shape], width: Array) -> Shape:
    """Return an odd crop: `REACH` widths to each side, or that of most beads."""
    room = [
        np.minimum(p, np.subtract(shape, 1) - p) for p in np.array(peaks).reshape(-1, 3)
    ]
    usual = np.quantile(room, 0.25, axis=0) - np.ceil(width / 2) if room else width
    half = np.clip(usual, np.ceil(width), np.ceil(REACH * width)).astype(int)
    z, y, x = (int(2 * h + 1) for h in half)
    return z, y, x


def _judge(
    values: NDArray[Any],
    peak: Shape,
    peaks: list[Shape],
    width: Array,
    voxel: Triple,
    box: Shape,
) -> Bead:
    """Fit one bead, or return why it cannot be used."""
    bead = Bead((float(peak[0]), float(peak[1]), float(peak[2])))
    half, play = np.array(box) // 2, np.ceil(width / 2)
    room = np.minimum(peak, np.subtract(values.shape, 1) - np.array(peak))
    if (room < half + play).any():
        return replace(bead, verdict="cut by the edge")
    if _saturated(values, peak, width):
        return replace(bead, verdict="saturated")
    apart = [abs(np.subtract(p, peak)) for p in peaks if p != peak]
    if any((d < half + play).all() for d in apart):
        return replace(bead, verdict="too close to another")
    start = np.subtract(peak, half).astype(int)
    background = _background(values, np.array(peak), box)
    crop = values[_window(peak, half)] - background
    fit = fit_gaussian(crop, tuple(np.subtract(peak, start)), tuple(width))
    if fit is None or (abs(fit.centre + start - np.array(peak)) > play).any():
        return replace(bead, verdict="no clear peak")
    z, y, x = (float(c) for c in np.add(fit.centre, start))
    fz, fy, fx = (float(w) for w in np.multiply(fit.fwhm, voxel))
    return Bead((z, y, x), (fz, fy, fx), fit.amplitude)


def _saturated(values: NDArray[Any], peak: Shape, width: Array) -> bool:
    """Return whether the core reaches the maximum of the dtype, or is cut off flat."""
    core = values[_window(peak, np.ceil(width / 2))]
    if values.dtype.kind in "iu" and core.max() >= np.iinfo(values.dtype).max:
        return True
    flat = int((core == values.max()).sum())
    return flat >= 3 and flat > 0.5 * int((core > 0.9 * core.max()).sum())


def _window(
    centre: Sequence[int] | NDArray[Any], half: NDArray[Any]
) -> tuple[slice[int, int], ...]:
    return tuple(
        slice(max(int(c - h), 0), int(c + h) + 1)
        for c, h in zip(centre, half, strict=True)
    )


def _judge_widths(beads: list[Bead]) -> list[Bead]:
    """Reject beads whose width is far from the median of the good ones."""
    good = [bead for bead in beads if bead.verdict == GOOD]
    if len(good) < 3:
        return beads
    widths = np.log([bead.fwhm for bead in good])
    middle = np.median(widths, axis=0)
    robust = 1.4826 * np.median(abs(widths - middle), axis=0)
    limit = np.maximum(ODD * robust, SAME)
    return [
        replace(bead, verdict="odd width")
        if bead.verdict == GOOD and (abs(np.log(bead.fwhm) - middle) > limit).any()
        else bead
        for bead in beads
    ]


def _aligned(values: NDArray[Any], bead: Bead, box: Shape) -> Array:
    """Return the bead in its box, centred by spline and freed of its background."""
    middle = np.round(bead.centre).astype(int)
    half = np.array(box) // 2 + geometry.SPLINE_REACH
    start = (middle - half).clip(0)
    cut = values[_window(middle, half)] - _background(values, middle, box)
    moved = ndimage.shift(cut, middle - np.array(bead.centre), order=5, mode="mirror")
    first = middle - start - np.array(box) // 2
    return moved[tuple(slice(f, f + n) for f, n in zip(first, box, strict=True))]


def _background(values: NDArray[Any], middle: NDArray[Any], box: Shape) -> float:
    """Return the median around the box, in a window twice as large."""
    around = values[_window(middle, np.array(box))].astype(np.float64)
    start = (middle - np.array(box)).clip(0)
    inner = _window(middle - start, np.array(box) // 2)
    around[inner] = np.nan
    return float(np.nanmedian(around))


def _restored(data: Array, voxel: Triple, diameter: float) -> Array:
    """Correct the sum for the size of the beads, and remove noise outside the band.

    One filter does both: the Wiener inverse of the sphere, faded out between 1 and 1.6
    inverse widths, where the transfer function of a microscope ends.
    """
    width = np.multiply(voxel, _core_width(data))
    fz, fy, fx = _frequencies(data.shape, voxel)
    scaled = np.sqrt((fz * width[0]) ** 2 + (fy * width[1]) ** 2 + (fx * width[2]) ** 2)
    fade = np.cos(np.pi / 2 * np.clip((scaled - 1) / 0.6, 0, 1)) ** 2
    sphere = _sphere_otf(np.sqrt(fz**2 + fy**2 + fx**2), diameter)
    otf = fade * sphere * (1 + WIENER) / (sphere**2 + WIENER)
    restored = np.fft.irfftn(np.fft.rfftn(data) * otf, data.shape, axes=(0, 1, 2))
    return np.maximum(restored, 0)


def _frequencies(shape: Sequence[int], voxel: Triple) -> tuple[Array, Array, Array]:
    """Return the frequencies (1/µm) of a half spectrum, ready to be broadcast."""
    fz = np.fft.fftfreq(shape[0], voxel[0])
    fy = np.fft.fftfreq(shape[1], voxel[1])
    fx = np.fft.rfftfreq(shape[2], voxel[2])
    return fz[:, None, None], fy[:, None], fx


def _sphere_otf(frequency: Array, diameter: float) -> Array:
    """Return 3 (sin a − a cos a) / a³ with a = π × diameter × frequency."""
    a = np.maximum(np.pi * diameter * frequency, 1e-3)
    return 3 * (np.sin(a) - a * np.cos(a)) / a**3


def _provenance(report: BeadReport, diameter: float) -> dict[str, Any]:
    return {
        "measured": "beads",
        "bead_diameter": diameter,
        "verdicts": report.verdicts,
        "fwhm": list(report.fwhm),
        "spread": None if len(report.good) < 2 else list(report.spread),
    }


def _core_width(data: NDArray[Any]) -> Triple:
    """Return the widths (voxels) of the Gaussian fit to a centred peak."""
    z, y, x = (n // 2 for n in data.shape)
    wz, wy, wx = fwhm(data)
    fit = fit_gaussian(data, (z, y, x), (wz, wy, wx))
    return fit.fwhm if fit else (wz, wy, wx)


def _nothing_serves(report: BeadReport, box: Shape) -> str:
    if not report.beads:
        return (
            "no beads were found: there are no isolated spots that are clearly "
            "brighter than their surroundings"
        )
    counts = ", ".join(f"{n} {verdict}" for verdict, n in report.verdicts.items())
    return (
        f"none of the {len(report.beads)} beads can be used ({counts}); the PSF is "
        f"{box} "
        f"voxels, a smaller shape needs less room around each bead"
    )
