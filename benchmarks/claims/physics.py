"""The tables of docs/physics.md on point-spread functions.

python -m benchmarks.claims.physics [--beads IMAGE ...]

Needs the dependency group `oracles`. Without images the table of real beads is left
as it is.
"""

import argparse
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.helpers.tables import write_table
from napari_blurgan.identification.beads import psf_from_beads
from napari_blurgan.optics.models import (
    MODELS,
    Optics,
    OpticsWarning,
    gibson_lanni,
    support_shape,
    theoretical_psf,
    vectorial,
)
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack

WAVELENGTH = 525
APERTURES = [(0.5, 1.0), (0.95, 1.333), (1.2, 1.333), (1.4, 1.515)]
SEEDS = range(10)
# What the names of the shared bead images say about the microscope.
KNOWN = {"bead_na0.85_520nm.ome.tif": Optics(0.85, 1.0, 520)}

Rows = Iterator[Sequence[object]]


def fine(optics: Optics, model: str = "auto") -> Psf:
    """Return a PSF whose voxels are an eighth of Nyquist's."""
    axial, lateral = optics.nyquist
    voxel = (axial / 8, lateral / 8, lateral / 8)
    return theoretical_psf(optics, (81, 65, 65), voxel, model)


def nanometres(psf: Psf) -> tuple[int, int]:
    z, _, x = psf.fwhm()
    return round(1e3 * x), round(1e3 * z)


def width_rows() -> Rows:
    for na, ni in APERTURES:
        optics = Optics(na, ni, WAVELENGTH)
        widths = [nanometres(fine(optics, model)) for model in MODELS]
        longer = widths[1][1] / widths[3][1] - 1
        cells = [f"{x} / {z}" for x, z in widths]
        yield na, ni, f"{na / ni:.2f}", *cells, f"{longer:+.0%}"


def depth_rows() -> Rows:
    oil = Optics(1.4, 1.515, WAVELENGTH, ns=1.33)
    for depth in (0.0, 1.0, 2.0, 5.0, 10.0):
        psf = vectorial(replace(oil, depth=depth), (241, 41, 41), (0.05, 0.025, 0.025))
        x, z = nanometres(psf)
        focus, centroid = psf.provenance["focus"], 0.05 * psf.centroid()[0]
        yield f"{depth:g}", x, z, f"{focus:.2f}", f"{centroid:+.2f}"


def modality_rows() -> Rows:
    water = Optics(1.2, 1.333, WAVELENGTH)
    confocal = replace(water, modality="confocal", excitation=488.0)
    sheet = replace(water, modality="lightsheet", sheet_thickness=2.0)
    for name, optics in {
        "widefield": water,
        "confocal, pinhole 1 Airy unit": confocal,
        "confocal, pinhole 0.3": replace(confocal, pinhole=0.3),
        "light sheet of 2 µm": sheet,
        "light sheet of 0.5 µm": replace(sheet, sheet_thickness=0.5),
    }.items():
        yield name, *nanometres(fine(optics))


def voxel_rows() -> Rows:
    optics = Optics(1.4, 1.515, WAVELENGTH)
    for size in (0.02, 0.045, 0.065, 0.1, 0.16):
        psf = vectorial(optics, (31, 41, 41), (0.1, size, size))
        integrated = "yes" if size > optics.nyquist[1] / 2 else "no"
        yield round(1e3 * size), integrated, round(1e3 * psf.fwhm()[2])


def support_rows() -> Rows:
    voxel = (0.1, 0.05, 0.05)
    for na, ni in APERTURES:
        optics = Optics(na, ni, WAVELENGTH)
        shape = support_shape(optics, voxel)
        slab = vectorial(optics, (shape[0], 401, 401), voxel)
        kept = slab.cropped(shape).provenance["cropped"]["kept"]
        yield na, ni, " × ".join(map(str, shape)), f"{kept:.0%}"


def time_rows() -> Rows:
    oil = Optics(1.4, 1.515, WAVELENGTH)
    deep = replace(oil, ns=1.33, depth=5.0)
    confocal = replace(oil, modality="confocal", excitation=488.0)
    for name, optics, model in (
        ("Born–Wolf", oil, "born-wolf"),
        ("Gibson–Lanni", oil, "gibson-lanni"),
        ("vectorial", oil, "vectorial"),
        ("vectorial, 5 µm deep in water", deep, "vectorial"),
        ("vectorial, confocal", confocal, "vectorial"),
    ):
        yield (
            name,
            *(
                f"{seconds(optics, shape, model):.2f}"
                for shape in ((41, 65, 65), (64, 256, 256))
            ),
        )


def seconds(optics: Optics, shape: tuple[int, ...], model: str) -> float:
    """Return the least CPU time of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        theoretical_psf(optics, shape, (0.1, 0.065, 0.065), model)
        times.append(time.process_time() - start)
    return min(times)


def agreement(
    ours: NDArray[np.floating], theirs: NDArray[np.floating]
) -> tuple[str, str]:
    """Return the NCC and the largest difference in units of the peak."""
    a, b = ours - ours.mean(), theirs - theirs.mean()
    ncc = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
    difference = abs(ours / ours.max() - theirs / theirs.max()).max()
    return f"{ncc:.6f}", f"{difference:.1e}"


def gibson_lanni_rows() -> Rows:
    from microscPSF import microscPSF as oracle

    matched = [(na, ni, ni, 0.0) for na, ni in APERTURES]
    mismatched = [(1.2, 1.333, 1.38, 10.0), (1.3, 1.515, 1.46, 8.0)]
    for na, ni, ns, depth in [*matched, *mismatched, (1.4, 1.515, 1.33, 5.0)]:
        optics = Optics(na, ni, WAVELENGTH, ns=ns, depth=depth)
        step, n = optics.nyquist[0] / 3, 40
        psf = gibson_lanni(optics, (31, 2 * n - 1, 2 * n - 1), (step, 0.02, 0.02))
        travel = psf.provenance["focus"] + (np.arange(31) - 15) * step
        indices = {"NA": na, "ni": ni, "ni0": ni, "ns": ns}
        theirs = oracle.gLZRFocalScan(
            {**oracle.m_params, **indices},
            np.arange(n) * 0.02,
            -travel,
            pz=depth,
            wvl=1e-3 * WAVELENGTH,
        )
        yield na, ni, ns, f"{depth:g}", *agreement(psf.data[:, n - 1, n - 1 :], theirs)


def vectorial_rows() -> Rows:
    for na, ni in APERTURES:
        # They know no coverslip: one of the immersion's index is none.
        optics = Optics(na, ni, WAVELENGTH, ng=ni)
        yield (
            na,
            ni,
            *agreement(*with_psf_generator(optics)),
            *agreement(*with_psf(optics)),
        )


def with_psf_generator(optics: Optics) -> tuple[NDArray[np.floating], ...]:
    """Return our PSF and theirs, the mean over two polarisations."""
    from psf_generator.propagators import VectorialSphericalPropagator

    nz, n = 21, 41
    # In whole nanometres, and such that its range, which it rounds down, is exact.
    dz, dr = 21 * int(22 * optics.nyquist[0]), int(490 * optics.nyquist[1])
    theirs = 0
    for x, y in ((1.0, 0.0), (0.0, 1.0)):
        # It spreads n steps over n - 1 intervals.
        propagator = VectorialSphericalPropagator(
            e0x=x,
            e0y=y,
            n_pix_pupil=401,
            n_pix_psf=n,
            wavelength=optics.wavelength,
            na=optics.na,
            pix_size=dr * (n - 1) / n,
            defocus_step=dz * (nz - 1) // nz,
            n_defocus=nz,
            n_i=optics.ni,
            n_i0=optics.ni,
            apod_factor=True,
        )
        theirs = theirs + (abs(propagator.compute_focus_field().numpy()) ** 2).sum(1)
    ours = vectorial(optics, (nz, n, n), (dz * 1e-3, dr * 1e-3, dr * 1e-3)).data
    return ours, theirs


def with_psf(optics: Optics) -> tuple[NDArray[np.floating], ...]:
    """Return our half plane (z, r) and theirs."""
    import psf as oracle

    extent = 5 * optics.nyquist[0], 2.5 * optics.airy_radius
    theirs = oracle.PSF(
        oracle.ISOTROPIC | oracle.EXCITATION,
        shape=(61, 61),
        dims=extent,
        ex_wavelen=optics.wavelength,
        em_wavelen=optics.wavelength,
        num_aperture=optics.na,
        refr_index=optics.ni,
        underfilling=1e-3,
    ).data
    step = [e / 60 for e in extent]
    ours = vectorial(optics, (121, 121, 121), (step[0], step[1], step[1])).data
    return ours[60:, 60, 60:], np.asarray(theirs)


def bead_scene(
    psf: Psf, places: list[NDArray[np.floating]], diameter: float
) -> NDArray[np.floating]:
    """Return beads between the voxels: phase ramps over the transfer function."""
    frequencies = np.meshgrid(*map(np.fft.fftfreq, psf.shape), indexing="ij")
    cycles = zip(frequencies, psf.voxel_size, strict=True)
    a = np.pi * diameter * np.sqrt(sum((f / v) ** 2 for f, v in cycles)) + 1e-3
    sphere = 3 * (np.sin(a) - a * np.cos(a)) / a**3
    ramps = sum(
        np.exp(
            -2j * np.pi * sum(f * p for f, p in zip(frequencies, place, strict=True))
        )
        for place in places
    )
    otf = np.fft.fftn(np.fft.ifftshift(psf.data))
    return np.maximum(np.fft.ifftn(otf * sphere * ramps).real, 0)


def simulated_bead_rows() -> Rows:
    """16 beads, 100 photons at the peak of each: a signal-to-noise ratio of 10."""
    confocal = Optics(1.2, 1.333, WAVELENGTH, "confocal", excitation=488.0)
    for name, optics, voxel in (
        ("NA 0.95", Optics(0.95, 1.333, WAVELENGTH), (0.3, 0.1, 0.1)),
        ("NA 1.2 confocal", confocal, (0.1, 0.05, 0.05)),
        ("NA 1.4", Optics(1.4, 1.515, WAVELENGTH), (0.15, 0.065, 0.065)),
    ):
        truth = vectorial(optics, (40, 128, 128), voxel)
        for diameter in (0.0, 0.1, 0.17):
            found = [bead_errors(truth, diameter, seed) for seed in SEEDS]
            fit, crossing, ncc = (np.array(part) for part in zip(*found, strict=True))
            yield (
                name,
                round(1e3 * diameter),
                *spread_of(fit),
                *spread_of(crossing),
                f"{np.median(ncc):.4f}",
            )


def spread_of(errors: NDArray[np.floating]) -> tuple[str, str]:
    """Return the rms and largest error, and the share of them within 3 %."""
    rms, largest = np.sqrt((errors**2).mean()), abs(errors).max()
    return f"{rms:.1%} / {largest:.1%}", f"{(abs(errors) < 0.03).mean():.0%}"


def bead_errors(
    truth: Psf, diameter: float, seed: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], float]:
    rng = np.random.default_rng(seed)
    places = [
        np.array((20, 16 + 32 * i, 16 + 32 * j)) + rng.uniform(-2, 2, 3)
        for i in range(4)
        for j in range(4)
    ]
    image = bead_scene(truth, places, diameter)
    counts = rng.poisson(100 * image / image.max() + 10).astype(np.uint16)
    psf, report = psf_from_beads(counts, truth.voxel_size, diameter)
    fit = np.divide(report.fwhm, truth.fwhm()) - 1
    crossing = np.divide(psf.fwhm(), truth.fwhm()) - 1
    return fit, crossing, psf.ncc(truth.cropped(psf.shape))


def real_bead_rows(paths: Sequence[Path]) -> Rows:
    for path in paths:
        stack = read_stack(path)
        psf, report = psf_from_beads(stack.frame()[0], stack.voxel_size)
        verdicts = ", ".join(f"{n} {v}" for v, n in report.verdicts.items())
        widths = [report.fwhm, psf.fwhm(), report.spread, (np.nan,) * 3]
        if path.name in KNOWN:
            widths[3] = vectorial(KNOWN[path.name], psf.shape, psf.voxel_size).fwhm()
        yield (
            path.name,
            verdicts,
            *(
                " / ".join("–" if np.isnan(w) else f"{1e3 * w:.0f}" for w in triple)
                for triple in widths
            ),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beads", type=Path, nargs="+", default=[], metavar="IMAGE")
    options = parser.parse_args()
    warnings.simplefilter("ignore", OpticsWarning)
    table = partial(write_table, "physics.md")
    table(
        "widths",
        "| NA | n | NA / n | Gaussian | Born–Wolf | Gibson–Lanni | vectorial "
        "| Born–Wolf too long by |",
        width_rows(),
    )
    table("depth", "| depth (µm) | FWHM x | FWHM z | travel | centroid |", depth_rows())
    table("modality", "| microscope | FWHM x | FWHM z |", modality_rows())
    table("voxels", "| pixel | integrated | FWHM x |", voxel_rows())
    table("support", "| NA | n | shape | energy |", support_rows())
    table(
        "gibson-lanni",
        "| NA | ni | ns | depth | NCC | difference |",
        gibson_lanni_rows(),
    )
    table(
        "vectorial",
        "| NA | n | `psf-generator`: NCC | difference | `psf`: NCC | difference |",
        vectorial_rows(),
    )
    table("time", "| model | 41 × 65 × 65 | 64 × 256 × 256 |", time_rows())
    table(
        "simulated-beads",
        "| microscope | bead (nm) | fit: rms / worst | within 3 % "
        "| crossing: rms / worst | within 3 % | NCC |",
        simulated_bead_rows(),
    )
    if options.beads:
        table(
            "real-beads",
            "| image | beads | FWHM, fit | FWHM, crossing | spread | vectorial model |",
            real_bead_rows(options.beads),
        )


if __name__ == "__main__":
    main()
