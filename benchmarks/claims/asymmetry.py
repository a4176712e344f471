"""What blind training recovers of an asymmetric PSF beyond its symmetric start.

A scalar pupil with 0.1 waves (rms) of coma or of spherical aberration blurs the
volumes; the power spectra, where the kernel starts, hardly know of it. Trained once as
the preset is, and once with the aberration among what is learned.

    python -m benchmarks.claims.asymmetry [--steps 1000] [--seeds 0]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from benchmarks.helpers.papers_data import (
    SCALES,
    TAPS,
    VOXEL,
    Setting,
    experiment,
    held_out,
)
from benchmarks.helpers.papers_rows import (
    Row,
    best,
    kernel_figures,
    richardson_lucy,
    tested,
    train,
)
from benchmarks.helpers.tables import write_table
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import pupil_psf

WAVES = 0.1
ABERRATIONS = ("coma-x", "spherical")


@dataclass(frozen=True)
class Aberrated(Setting):
    """The papers' setting, seen through an aberrated pupil."""

    aberration: str = ""

    def psf(self, wavelength: float | None = None) -> Psf:
        """Return the true PSF; its brightest voxel need not be its centroid."""
        data = pupil_psf(
            TAPS,
            VOXEL,
            na=1.3,
            ni=1.5,
            wavelength=wavelength or self.wavelength,
            aberrations={self.aberration: WAVES},
            model="scalar",
        )
        return Psf(data.numpy(), VOXEL).centred()


def measure(aberration: str, seed: int, steps: int) -> Iterator[list[str]]:
    setting = Aberrated(SCALES["cpu"], aberration=aberration)
    data = experiment(setting, seed)
    [truth] = held_out(setting, 1)
    rl = best(
        richardson_lucy(data.expose(truth, 500.0, 9000), data.psf, data.gain), truth
    )
    for learned in ((), (aberration,)):
        row = Row("blind", changes={"forward.aberrations": learned})
        found = train(row, data, steps, seed, "cpu")
        image = tested(found.model, data, [truth], 500.0)[0]
        psf = found.model.psf
        assert psf is not None
        last = kernel_figures(psf.centred(), data.psf)
        waves = psf.provenance["effective optics"].get(aberration, 0.0)
        yield [
            aberration,
            "yes" if learned else "no",
            str(seed),
            f"{found.kernels[0]['ncc']:.4f}",
            f"{last['ncc']:.4f}",
            f"{last['fwhm_z']:+.1%}",
            f"{last['fwhm_xy']:+.1%}",
            f"{waves:+.3f}",
            f"{image['psnr_fitted']:.2f}",
            f"{rl['psnr_fitted']:.2f}",
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for aberration in ABERRATIONS:
        for seed in options.seeds:
            for row in measure(aberration, seed, options.steps):
                print(*row, sep=" | ", flush=True)
                rows.append(row)
    write_table(
        "how-blind-works.md",
        "asymmetry",
        "| aberration | learned | seed | NCC at the start | NCC | ΔFWHM z | ΔFWHM xy "
        "| waves found | blind, dB | RL with the true PSF, dB |",
        rows,
    )


if __name__ == "__main__":
    main()
