"""Real stacks before and after, with theoretical PSFs: a table and a picture.

python -m benchmarks.claims.classical_real NUCLEUS.tif YEAST.ome.tif

NUCLEUS holds a widefield stack of a nucleus (channel 1) beside a confocal one of the
same (channel 0), YEAST a series of mitochondria. Neither says its optics nor its
camera: the apertures and wavelengths are assumed, gain and offset are read from the
images. The Fourier ring correlation is of two halves of the photons, each deconvolved
by itself with as many iterations as the whole stack.

The yeast is stopped by the held-out rule. Of the nucleus the noise is so faint that the
rule does not stop: it is given fifteen iterations.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from benchmarks.helpers.cameras import camera_of
from benchmarks.helpers.places import IMAGES
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.data.stack import Stack
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.inverse.stopping import HeldOut, StoppingRule
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.measure.resolution import frc
from napari_blurgan.measure.splitting import binomial_split
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.reading.images import read_stack

Array = NDArray[np.float32]

NUCLEUS = Optics(na=1.4, ni=1.515, wavelength=461)
YEAST = Optics(na=1.4, ni=1.515, wavelength=510)
CROP = slice(40, 168), slice(64, 192)  # of the yeast
SHOWN = 150  # pixels
FIGURE = IMAGES / "classical-real.png"


@dataclass
class Pair:
    """A stack before and after, and how its halves agree."""

    name: str
    voxel: tuple[float, float, float]
    before: Array
    after: Array
    iterations: int
    resolution: tuple[float | None, float | None]
    sharp: Array | None = None

    @property
    def agreement(self) -> str:
        """Return the correlation with the sharp stack, before and after."""
        if self.sharp is None:
            return "–"
        pair = (correlation(x, self.sharp) for x in (self.before, self.after))
        return " → ".join(f"{value:.3f}" for value in pair)


def deconvolved(
    name: str,
    stack: Stack,
    image: Array,
    optics: Optics,
    sharp: Array | None = None,
    stop: StoppingRule | None = None,
) -> Pair:
    z, y, x = (size or 0.1 for size in stack.voxel_size)
    psf = theoretical_psf(
        optics, psf_shape_for(optics, image.shape, (z, y, x)), (z, y, x)
    )
    plan, camera = Plan(psf, image.shape, device="cpu"), camera_of(image)
    print(name, camera, "PSF", plan.psf.shape)
    result = accelerated_richardson_lucy(
        image, plan, 60 if stop else 15, camera=camera, stop=stop
    )
    halves = binomial_split(
        image,
        gain=camera.gain,
        offset=camera.offset,
        read_noise=camera.read_noise,
        seed=0,
    )
    dark = camera.read_noise**2 / 2
    found = [
        accelerated_richardson_lucy(half, plan, result.iterations, background=dark)
        for half in halves
    ]
    resolution = (
        ring([half - dark for half in halves], (y, x)),
        ring([half.image for half in found], (y, x)),
    )
    return Pair(
        name, (z, y, x), image, result.image, result.iterations, resolution, sharp
    )


def ring(halves: Sequence[Array], pixel: tuple[float, float]) -> float | None:
    """Return the resolution in the plane that holds most light, µm."""
    light = halves[0].std(axis=(1, 2))
    first, second = (half[int(light.argmax())] for half in halves)
    return frc(first, second, pixel).value


def pairs(nucleus: Path, yeast: Path) -> Iterator[Pair]:
    stack = read_stack(nucleus)
    sharp, image = (stack.frame(0, channel)[0] for channel in (0, 1))
    yield deconvolved("nucleus, DNA", stack, image, NUCLEUS, sharp)
    stack = read_stack(yeast)
    field = stack.frame(0, 0)[0][:, CROP[0], CROP[1]]
    yield deconvolved("yeast, mitochondria", stack, field, YEAST, stop=HeldOut())


def rows(found: Sequence[Pair]) -> Iterator[list[object]]:
    for pair in found:
        nyquist = 2 * pair.voxel[2]
        limits = (
            f"{nyquist:.2f} or finer" if r is None else f"{r:.2f}"
            for r in pair.resolution
        )
        yield [pair.name, pair.iterations, " → ".join(limits), pair.agreement]


def draw(found: Sequence[Pair]) -> None:
    """Draw planes and sections, before and after."""
    matplotlib.use("Agg")
    figure, axes = plt.subplots(len(found), 4, figsize=(12, 3.2 * len(found)))
    for line, pair in zip(axes, found, strict=True):
        for column, (image, what) in enumerate(
            ((pair.before, "before"), (pair.after, "after"))
        ):
            show(line[2 * column], line[2 * column + 1], pair, image, what)
    figure.tight_layout()
    figure.savefig(FIGURE, dpi=90)
    plt.close(figure)


def show(
    plane: plt.Axes, section: plt.Axes, pair: Pair, image: Array, what: str
) -> None:
    z, y, x = np.unravel_index(pair.after.argmax(), image.shape)
    corner = [
        int(np.clip(c - SHOWN // 2, 0, max(0, n - SHOWN)))
        for c, n in zip((y, x), image.shape[1:], strict=True)
    ]
    lines, columns = (slice(c, c + SHOWN) for c in corner)
    cuts = (
        (plane, image[z, lines, columns], 1.0),
        (section, image[:, y, columns], pair.voxel[0] / pair.voxel[2]),
    )
    low, high = np.percentile(image, (5, 99.95))
    for ax, cut, aspect in cuts:
        ax.imshow(cut, cmap="gray", vmin=low, vmax=high, aspect=aspect)
        ax.set(xticks=[], yticks=[])
    plane.set_title(f"{pair.name}, {what}: xy", fontsize=9)
    section.set_title("xz", fontsize=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("nucleus", type=Path)
    parser.add_argument("yeast", type=Path)
    options = parser.parse_args()
    found = list(pairs(options.nucleus, options.yeast))
    header = "| stack | iterations | FRC, µm | correlation with confocal |"
    write_table("classical.md", "real", header, rows(found))
    draw(found)


if __name__ == "__main__":
    main()
