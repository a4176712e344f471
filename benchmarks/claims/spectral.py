"""The tables of docs/spectral.md on PSFs identified from unpaired power spectra.

python -m benchmarks.claims.spectral [--seeds N] [--tables NAME ...]

Needs the dependency group `oracles`: the blur to be found comes from another code, a
vectorial model of Christoph Gohlke's `psf`, which the fitted model is not.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache, partial

import numpy as np
import psf as oracle
import torch
from numpy.typing import NDArray

from benchmarks.helpers.tables import write_table
from napari_blurgan.identification.identify import SpectralFit, identify_psf
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, gibson_lanni, vectorial
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import pupil_psf
from napari_blurgan.optics.simulation import margin_for, simulate

NA, NI, NM = 1.3, 1.515, 525.0
VOXEL = (0.15, 0.08, 0.08)
FIELD, IMAGES = (48, 96, 96), 3
SHAPE = (31, 43, 43)  # of the PSF that is compared
PHOTONS = 120.0  # at the peak
OFFSET = 100.0
KNOWN = {"na": NA, "wavelength": NM}

STRUCTURES = ("microtubules", "vesicles", "membranes")
CASES = (
    ("optics ± 30 %", "independent"),
    ("optics unknown", "independent"),
    ("optics ± 30 %", "vectorial"),
    ("optics ± 30 %", "gibson-lanni"),
)

Images = list[NDArray[np.float32]]
Rows = Iterator[Sequence[object]]


@cache
def truth(model: str = "independent") -> Psf:
    depth, height, _ = shape = (41, 61, 61)
    if model == "independent":
        field = oracle.PSF(
            oracle.ISOTROPIC | oracle.EMISSION,
            shape=(depth // 2 + 1, height // 2 + 1),
            dims=(depth // 2 * VOXEL[0], height // 2 * VOXEL[1]),
            ex_wavelen=488,
            em_wavelen=NM,
            num_aperture=NA,
            refr_index=NI,
        )
        return Psf(field.volume(), VOXEL)
    if model == "vectorial":
        return vectorial(Optics(NA, NI, NM), shape, VOXEL)
    return gibson_lanni(Optics(NA, NI, NM, ns=1.46, depth=2.0), shape, VOXEL)


@lru_cache(maxsize=8)
def sharp_set(structure: str, seed: int, **options: float) -> Images:
    seeds = range(1000 * seed + 500, 1000 * seed + 500 + IMAGES)
    return [phantom(structure, FIELD, VOXEL, s, **options) for s in seeds]


# Sharp sets to go with blurred microtubules.
OTHERS = {
    "the same": partial(sharp_set, "microtubules"),
    "three times as many": partial(sharp_set, "microtubules", density=3.0),
    "1.5 times as thick": partial(sharp_set, "microtubules", thickness=0.24),
    "twice as thick": partial(sharp_set, "microtubules", thickness=0.32),
    "vesicles": partial(sharp_set, "vesicles"),
    "membranes": partial(sharp_set, "membranes"),
    "nuclei": partial(sharp_set, "nuclei"),
}


@lru_cache(maxsize=8)
def clean_set(structure: str, seed: int, model: str) -> Images:
    margin = margin_for(truth(model).data)
    shape = [n + 2 * m for n, m in zip(FIELD, margin, strict=True)]
    seeds = range(1000 * seed, 1000 * seed + IMAGES)
    draws = (phantom(structure, shape, VOXEL, s) for s in seeds)
    return [simulate(x, truth(model).data, seed=0, margin=margin)[1] for x in draws]


def blurred_set(
    structure: str, seed: int, model: str = "independent", photons: float = PHOTONS
) -> Images:
    clean = clean_set(structure, seed, model)
    camera = Camera(photons / max(c.max() for c in clean), 3.0, offset=OFFSET)
    return [camera.expose(c, 1000 * seed + i) for i, c in enumerate(clean)]


def errors(psf: Psf, model: str = "independent") -> tuple[float, float, float]:
    """Return NCC at zero shift, and the errors of the FWHM in z and in the plane."""
    reference = truth(model)
    z, _, x = np.array(psf.fwhm()) / np.array(reference.fwhm()) - 1
    return psf.ncc(reference.cropped(SHAPE)), float(z), float(x)


def summary(found: Sequence[tuple[float, ...]]) -> tuple[str, ...]:
    ncc, z, x = (np.array(column) for column in zip(*found, strict=True))
    widths = [
        f"{np.median(abs(w)):.1%} ({w.min():+.0%} to {w.max():+.0%})" for w in (z, x)
    ]
    return (f"{np.median(ncc):.4f}", f"{ncc.min():.4f}", *widths)


def identify(
    blurred: Images, sharp: Images, **known: float
) -> tuple[SpectralFit, float]:
    start = time.process_time()
    fit = identify_psf(blurred, sharp, VOXEL, ni=NI, shape=SHAPE, **known)
    return fit, time.process_time() - start


def accuracy_row(
    knowledge: str, model: str, structure: str, seeds: range
) -> Sequence[object]:
    known = {} if knowledge == "optics unknown" else KNOWN
    found, times, matched = [], [], 0
    for seed in seeds:
        y = blurred_set(structure, seed, model)
        fit, spent = identify(y, sharp_set(structure, seed), **known)
        found.append(errors(fit.psf, model))
        times.append(spent)
        matched += fit.matched
    last = (f"{matched} of {len(seeds)}", f"{np.median(times):.1f}")
    return knowledge, model, structure, *summary(found), *last


def accuracy_rows(seeds: range) -> Rows:
    for knowledge, model in CASES:
        for structure in (*STRUCTURES, "nuclei"):
            yield accuracy_row(knowledge, model, structure, seeds)


def robustness_row(structure: str, seeds: range) -> Sequence[object]:
    found = []
    for seed in seeds:
        y = blurred_set(structure, seed, photons=PHOTONS / 2)
        # As if the background had been taken for a tenth more than it is.
        wrong = [image - 1.1 * OFFSET for image in y]
        fit, _ = identify(wrong, sharp_set(structure, seed), **KNOWN)
        found.append(errors(fit.psf))
    return structure, *summary(found)


def robustness_rows(seeds: range) -> Rows:
    return (robustness_row(structure, seeds) for structure in STRUCTURES)


def mismatch_row(
    name: str, sharp: Callable[..., Images], seeds: range
) -> Sequence[object]:
    fits = [
        identify(blurred_set(STRUCTURES[0], seed), sharp(seed=seed), **KNOWN)[0]
        for seed in seeds
    ]
    found = summary([errors(fit.psf) for fit in fits])
    residual = np.median([fit.residual for fit in fits])
    expected = np.median([fit.expected for fit in fits])
    reported = f"{sum(not fit.matched for fit in fits)} of {len(fits)}"
    return name, *found, f"{residual:.3f}", f"{expected:.3f}", reported


def mismatch_rows(seeds: range) -> Rows:
    return (mismatch_row(name, sharp, seeds) for name, sharp in OTHERS.items())


def family_rows() -> Rows:
    for na, ni, nm, voxel in (
        (1.4, 1.515, 500, (0.128, 0.064, 0.064)),
        (1.3, 1.515, 525, VOXEL),
        (1.2, 1.333, 600, (0.2, 0.09, 0.09)),
        (0.95, 1.0, 520, (0.25, 0.1, 0.1)),
        (0.5, 1.0, 520, (0.8, 0.2, 0.2)),
    ):
        reference = vectorial(Optics(na, ni, nm), SHAPE, voxel)
        cells = []
        for kind in ("scalar", "vectorial"):
            data = pupil_psf(SHAPE, voxel, na=na, ni=ni, wavelength=nm, model=kind)
            model = Psf(data.numpy(), voxel)
            z, _, x = np.array(model.fwhm()) / np.array(reference.fwhm()) - 1
            cells += [f"{model.ncc(reference):.4f}", f"{z:+.1%}", f"{x:+.1%}"]
        yield na, ni, *cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tables", nargs="*", help="by default all of them")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds)
    torch.set_num_threads(1)
    figures = "NCC | worst | ΔFWHM z | ΔFWHM xy"
    write = partial(write_table, "spectral.md")
    tables = {
        "family": (
            "| NA | n | scalar: NCC | z | xy | widened: NCC | z | xy |",
            family_rows(),
        ),
        "robustness": (f"| structures | {figures} |", robustness_rows(seeds)),
        "mismatch": (
            f"| sharp set | {figures} | residual | by chance | reported |",
            mismatch_rows(seeds),
        ),
        "accuracy": (
            f"| known | blurred by | structures | {figures} | matched | CPU s |",
            accuracy_rows(seeds),
        ),
    }
    for name in arguments.tables or tables:
        header, rows = tables[name]
        write(name, header, rows)


if __name__ == "__main__":
    main()
