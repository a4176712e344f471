"""`Site`: the data for a recipe, and what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.forward import ForwardModel, NoForward
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.sampling.augment import Augmentation

__all__ = ["Geometry", "Known", "Site"]


@dataclass(frozen=True)
class Geometry:
    """Sizes of the data for one training patch.

    Parameters
    ----------
    patch : tuple of int
        What the networks see.
    margin : tuple of int
        What the blur consumes, on each side.
    """

    patch: tuple[int, ...]
    margin: tuple[int, ...]

    @property
    def wide(self) -> tuple[int, ...]:
        """Size of the image that is blurred to give a patch."""
        pairs = zip(self.patch, self.margin, strict=True)
        return tuple(n + 2 * m for n, m in pairs)

    @property
    def pool(self) -> tuple[int, ...]:
        """Pooling factor of each axis: thin axes keep all their planes."""
        return tuple(2 if p >= 12 else 1 for p in self.patch)


@dataclass(frozen=True)
class Known:
    """What the user knows about the blur.

    Parameters
    ----------
    psf : Psf, optional
        Measured or computed.
    optics : Optics, optional
        To compute it from.
    forward : ForwardModel, optional
        A forward model of the user's own.
    """

    psf: Psf | None = None
    optics: Optics | None = None
    forward: ForwardModel | None = None


@dataclass(frozen=True)
class Site:
    """The context in which the parts of a recipe are built.

    Parameters
    ----------
    recipe : Recipe
        What is to be trained.
    y, x : sequence of Stack
        Measured and sharp images; `x` is empty where the source has none.
    voxel_size : tuple of float
        (z, y, x) in micrometres, None where unknown.
    calibration : Calibration
        Levels, gain and noise.
    known : Known
        Of the blur.
    forward : ForwardModel
        H, once it is built.
    misfit : float
        Power of what H does not explain of y, in units of the noise; nought where
        nobody asked.
    """

    recipe: Recipe
    y: Sequence[Stack]
    x: Sequence[Stack]
    voxel_size: VoxelSize
    calibration: Calibration
    known: Known = field(default_factory=Known)
    forward: ForwardModel = field(default_factory=NoForward)
    misfit: float = 0.0

    def with_forward(self, recipe: Recipe, forward: ForwardModel) -> Site:
        """Return the site with H, and with the recipe adapted to it."""
        return replace(self, recipe=recipe, forward=forward)

    @property
    def geometry(self) -> Geometry:
        """Sizes of the patches."""
        dims = self.recipe.dims
        return Geometry(self.recipe.patch, self.forward.margin[-dims:])

    @property
    def symmetry(self) -> Symmetry:
        """The symmetries that patches may be transformed by.

        Sections along z, which is their Y, are blurred differently along it, and the
        light comes from one side: no rotations, and mirroring along X only.
        """
        if self.recipe.sampling.views != ("xy",):
            return Symmetry("x", quarter_turns=False)
        return self.forward.symmetry

    @property
    def augmentation(self) -> Augmentation:
        """The random changes of patches that the recipe requests and H allows."""
        s, symmetry = self.recipe.sampling, self.symmetry
        return Augmentation(
            mirrors=symmetry.mirrors if s.flips else "",
            quarter_turns=s.quarter_turns and symmetry.quarter_turns,
            rotation=s.rotation,
            scale=s.scale,
            translation=s.translation,
            intensity=s.intensity,
        )

    @property
    def channels(self) -> tuple[int, int]:
        """Channels of y and of x; without sharp images, both those of y."""
        return self.y[0].channels, (self.x or self.y)[0].channels
