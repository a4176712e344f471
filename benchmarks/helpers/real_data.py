"""The three real data sets: what is trained on, what is measured, what is known.

No voxel that is measured is trained on. The nucleus has a confocal image beside it: the
left half of the field is trained on, widefield and confocal, the right half measured.
The other two have no sharp image: a part of each, apart from what is measured, is
deconvolved with the theoretical PSF, another part is left as the blurred set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.helpers.cameras import camera_of
from napari_blurgan.classical.references import make_sharp_references
from napari_blurgan.data.stack import Stack
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.inverse.stopping import HeldOut, StoppingRule
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack

__all__ = ["CASES", "Case", "Region"]

Array = NDArray[np.float32]
Voxel = tuple[float, float, float]
Region = tuple[slice, slice, slice]
Shape = tuple[int, int, int]

RL_MOST = 60
"""Iterations at which Richardson-Lucy ends where its rule does not stop it."""


@dataclass(frozen=True)
class Case:
    """A data set, cut into what is trained on and what is measured.

    Parameters
    ----------
    name : str
        Short.
    optics : Optics
        As the file says, or assumed.
    image : Stack
        The stack that is restored.
    camera : Camera
        Read from the images.
    blurred, sharp : list of Stack
        The two unpaired sets; none of their voxels is in `region`.
    region : tuple of slice
        What is measured.
    stop : StoppingRule, optional
        Of Richardson-Lucy.
    iterations : int
        Of Richardson-Lucy, at the most.
    confocal : ndarray, optional
        Of the same field as `image`.
    further : dict of str to Recipe
        Trained besides ``nonblind`` and ``blind``.
    """

    name: str
    optics: Optics
    image: Stack
    camera: Camera
    blurred: list[Stack]
    sharp: list[Stack]
    region: Region
    stop: StoppingRule | None = None
    iterations: int = RL_MOST
    confocal: Array | None = None
    further: dict[str, Recipe] = field(default_factory=dict)

    @property
    def voxel(self) -> Voxel:
        """Size of a voxel (z, y, x) in micrometres."""
        return known(self.image)

    @property
    def pixels(self) -> Array:
        """The stack as it was taken."""
        return np.asarray(self.image.data, dtype=np.float32)

    @property
    def theory(self) -> Psf:
        """The theoretical PSF, as deep as the stack: for training and predictions."""
        return self._theory(0.5)

    @property
    def cone(self) -> Psf:
        """The theoretical PSF from the first plane to the last and back."""
        return self._theory(1.0)

    def _theory(self, depths: float) -> Psf:
        shape = self.image.spatial_shape
        size = psf_shape_for(self.optics, shape, self.voxel, depths)
        return theoretical_psf(self.optics, size, self.voxel)

    @property
    def recipes(self) -> dict[str, Recipe]:
        """What is trained, by the name of its row."""
        return {n: preset(n) for n in ("nonblind", "blind")} | self.further


def known(stack: Stack) -> Voxel:
    z, y, x = stack.voxel_size
    assert z is not None and y is not None and x is not None
    return z, y, x


def part(frame: NDArray[Any], like: Stack, region: Region, name: str) -> Stack:
    """Return a copy of a part, so that the sets share no memory."""
    data = frame[region].astype(np.float32)
    return Stack(data, "ZYX", like.voxel_size, name)


def nucleus(folder: Path) -> Case:
    """Widefield and confocal of one nucleus; the optics are in the file."""
    pair = read_stack(folder / "dna_confocal_widefield_pair.tif")
    confocal, image = (pair.frame(0, c)[0].astype(np.float32) for c in (0, 1))
    left = slice(None), slice(None), slice(0, 58)
    return Case(
        name="nucleus",
        optics=Optics(na=1.2, ni=1.333, wavelength=455),
        image=Stack(image, "ZYX", pair.voxel_size, "nucleus, widefield"),
        camera=camera_of(image),
        blurred=[part(image, pair, left, "left half, widefield")],
        sharp=[part(confocal, pair, left, "left half, confocal")],
        region=(slice(6, 39), slice(36, 100), slice(60, 108)),
        iterations=15,
        confocal=confocal,
        further={"blind, symmetric kernel": symmetric_kernel()},
    )


def symmetric_kernel() -> Recipe:
    """Return the blind recipe with a kernel of one value for each symmetric voxel.

    Voxels of half a micrometre are far too coarse for the pupil model, which has no
    pixels; this kernel starts from theory, integrated over pixels, and nothing holds it
    but its start and a low rate.
    """
    return preset("blind").updated(
        {
            "forward.parametrisation": "softmax",
            "forward.start": "optics",
            "forward.size": [41, 61, 57],
            "reconstructor.renew": 150,
            "terms.spectral": 0.0,
            "optimiser.kernel_rate": 1e-4,
        }
    )


def yeast(folder: Path) -> Case:
    """Mitochondria of two living cells: one is trained on, the other measured."""
    series = read_stack(folder / "yeast_mitochondria_t00-02.ome.tif")
    image = series.frame(0, 0)[0].astype(np.float32)
    optics = Optics(na=1.4, ni=1.515, wavelength=510)
    camera, stop = camera_of(image), HeldOut()
    # One cell at its three time points, its halves 15 voxels apart.
    cell = Stack(
        np.stack([series.frame(t, 0)[0][:, 68:140, 44:134] for t in range(3)]),
        "TZYX",
        series.voxel_size,
        "yeast, first cell",
    )
    blurred, sharp = halves_of(cell, optics, (17, 15, 15), camera, stop)
    return Case(
        name="yeast",
        optics=optics,
        image=Stack(image, "ZYX", series.voxel_size, "yeast"),
        camera=camera,
        blurred=[blurred],
        sharp=[sharp],
        region=(slice(None), slice(54, 118), slice(136, 200)),
        stop=stop,
    )


def light_sheet(folder: Path) -> Case:
    """A lattice light-sheet stack, deskewed; gain and offset are those of the raw one.

    Deskewing interpolates, which hides noise: the gain seems half of what it is.
    """
    voxel = (0.3 * float(np.sin(np.radians(31.5))), 0.1, 0.1)
    raw, deskewed = (
        read_stack(folder / f"llsm_{kind}_crop.ome.tif").frame()[0].astype(np.float32)
        for kind in ("raw", "deskewed")
    )
    image = Stack(deskewed[2:34], "ZYX", voxel, "light-sheet, deskewed")
    optics = Optics(1.1, 1.333, 525, modality="lightsheet", sheet_thickness=0.6)
    camera, stop = camera_of(raw), HeldOut()
    right = (slice(None), slice(None), slice(52, 160))
    rest = part(deskewed[2:34], image, right, "light-sheet, right part")
    blurred, sharp = halves_of(rest, optics, (31, 15, 15), camera, stop)
    return Case(
        name="light-sheet",
        optics=optics,
        image=image,
        camera=camera,
        blurred=[blurred],
        sharp=[sharp],
        region=(slice(None), slice(24, 128), slice(0, 40)),
        stop=stop,
    )


def halves_of(
    stack: Stack, optics: Optics, shape: Shape, camera: Camera, stop: StoppingRule
) -> tuple[Stack, Stack]:
    """Return one part to train on as it is, and another, deconvolved.

    The PSF is cut to `shape`, for the parts are as far apart as it is wide.
    """
    psf = theoretical_psf(optics, shape, known(stack))
    [found] = make_sharp_references(
        [stack],
        psf,
        "rl-accelerated",
        device="cpu",
        iterations=RL_MOST,
        camera=camera,
        stop=stop,
    )
    return found.blurred, found.sharp


CASES: dict[str, Callable[[Path], Case]] = {
    "nucleus": nucleus,
    "yeast": yeast,
    "light-sheet": light_sheet,
}
