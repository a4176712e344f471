"""The tables of docs/measures.md.

python -m benchmarks.claims.measures
"""

from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.helpers.papers_data import SCALES, Setting, experiment, held_out
from napari_blurgan.measure import (
    binomial_split,
    checkerboard_split,
    compare,
    decorrelation,
    frc,
    paper_scores,
)
from napari_blurgan.optics.camera import Camera
from napari_blurgan.tasks.samples import microtubule_sample

Image = NDArray[np.float64]
SEEDS = range(8)
PIXEL = (0.1, 0.1)
# PSNR and SSIM of the input in table I of Lim et al. (2020).
PRINTED = {400.0: (18.1, 0.565), 500.0: (17.8, 0.520), 600.0: (17.5, 0.493)}


def white_structure(sigma: float, seed: int) -> Image:
    """Return white structure of unit density, blurred by a Gaussian (pixels)."""
    white = np.random.default_rng(seed).normal(size=(256, 256))
    lines = [np.fft.fftfreq(n) for n in white.shape]
    radius = np.hypot(*np.ix_(*lines))
    return np.fft.ifft2(
        np.fft.fft2(white) * np.exp(-2 * (np.pi * sigma * radius) ** 2)
    ).real


def known(sigma: float, noise: float) -> float:
    """Return where |OTF|² / (|OTF|² + noise²) is 1/7, in µm."""
    return PIXEL[0] * 2 * np.pi * sigma / np.sqrt(np.log(6 / noise**2))


def resolution_table() -> None:
    print("| blur σ (µm) | noise | known | two images | deviation |")
    print("|---|---|---|---|---|")
    for sigma in (1.5, 2.5, 4.0):
        for noise in (0.01, 0.05):
            found = []
            for seed in SEEDS:
                structure = white_structure(sigma, seed)
                rng = np.random.default_rng(100 + seed)
                pair = [
                    structure + noise * rng.normal(size=structure.shape) for _ in "ab"
                ]
                found.append(frc(*pair, PIXEL).value)
            mean, truth = np.mean(found), known(sigma, noise)
            spread = np.std(found) / truth
            print(
                f"| {sigma * PIXEL[0]:.2f} | {noise} | {truth:.3f} | {mean:.3f} "
                f"| {mean / truth - 1:+.1%} ± {spread:.1%} |"
            )


def one_image_table() -> None:
    print(
        "\n| read noise (electrons) | two half exposures | halves | checkerboard "
        "| decorrelation |"
    )
    print("|---|---|---|---|---|")
    for read in (0.0, 3.0):
        rows = np.mean([_one_image(read, seed) for seed in SEEDS], axis=0)
        print(f"| {read:.0f} | " + " | ".join(f"{value:.3f}" for value in rows) + " |")


def _one_image(read: float, seed: int) -> list[float]:
    bright = np.clip(1 + 6 * white_structure(2.5, seed), 0, None)
    camera = Camera(photons=20, read_noise=read, gain=0.6, offset=100)
    half = Camera(10, read / np.sqrt(2), 0.6, 100)
    raw = camera.expose(bright, seed)
    halves = binomial_split(raw, gain=0.6, offset=100, read_noise=read, seed=seed)
    doubled = (2 * PIXEL[0], 2 * PIXEL[1])
    return [
        frc(
            half.expose(bright, 2 * seed), half.expose(bright, 2 * seed + 1), PIXEL
        ).value,
        frc(*halves, PIXEL).value,
        frc(*checkerboard_split(raw), doubled).value,
        decorrelation(raw, PIXEL).value,
    ]


def control_table() -> None:
    sharp, blurred, _ = microtubule_sample()
    truth = np.asarray(sharp.data)
    images = {
        "black image": np.zeros_like(truth),
        "the widefield image, in grey levels": np.asarray(blurred.data),
        "the same, offset and photons taken out": (np.asarray(blurred.data) - 100)
        / 1500,
    }
    print("\n| image | PSNR | PSNR, fitted | SSIM | SSIM, fitted | correlation |")
    print("|---|---|---|---|---|---|")
    for name, image in images.items():
        f = compare(image, truth)
        print(
            f"| {name} | {f.psnr:.2f} | {f.psnr_fitted:.2f} | {f.ssim:.3f} "
            f"| {f.ssim_fitted:.3f} | {f.correlation:.3f} |"
        )


def paper_table() -> None:
    """Score the blurred volumes of papers.py as Lim et al. (2020) do."""
    setting = Setting(SCALES["cpu"])
    data = experiment(setting, 0)
    truths = held_out(setting, 3)
    print("\n| input at | PSNR | equalised | printed | SSIM | equalised | printed |")
    print("|---|---|---|---|---|---|---|")
    for wavelength, (psnr, ssim) in PRINTED.items():
        found = [
            astuple(paper_scores(data.expose(x, wavelength, 9000 + n), x))
            for n, x in enumerate(truths)
        ]
        a, b, c, d = np.mean(found, axis=0)
        print(
            f"| {wavelength:.0f} nm | {a:.1f} | {c:.1f} | {psnr:.1f} "
            f"| {b:.3f} | {d:.3f} | {ssim:.3f} |"
        )


def main() -> None:
    resolution_table()
    one_image_table()
    control_table()
    paper_table()


if __name__ == "__main__":
    main()
