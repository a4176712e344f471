"""What the Train widget asks for, and the trainer made of it in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.monitoring.events import Preparing, Warned

if TYPE_CHECKING:
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.training.trainer import Trainer

__all__ = ["SHARP_SETS", "Cut", "Theory", "TrainingRequest"]

SHARP_SETS = {
    "layers": "ticked below",
    "richardson-lucy": "made: deconvolved parts of them",
    "microtubules": "made: synthetic microtubules",
    "vesicles": "made: synthetic vesicles",
    "membranes": "made: synthetic membranes",
    "nuclei": "made: synthetic nuclei",
}
PHANTOMS = 3
"""How many volumes of synthetic structures are drawn."""
ITERATIONS = 20
"""Of accelerated Richardson-Lucy, for sharp sets: they do what 100 plain ones do. Fewer
leave a blur, and the PSF learned against it comes out too narrow."""

ASSUMED = (0.2, 0.1, 0.1)
"""Micrometres along z, y and x of a voxel of unknown size, for synthetic structures."""

NO_PSF = (
    "deconvolving the blurred images for a sharp set needs a PSF: tick the optics, "
    "choose a known PSF under Advanced, or take synthetic images"
)


@dataclass(frozen=True)
class Theory:
    """The PSF that the optics predict, to compare the learned one with."""

    psf: Psf


@dataclass(frozen=True)
class Cut:
    """Training sees only a part of each stack, which begins at this voxel of it."""

    starts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class TrainingRequest:
    """Everything that a training needs, read from the widget before it starts.

    Parameters
    ----------
    preset : str
        Name of the recipe.
    changes : dict
        Dotted fields of the recipe and their values.
    blurred, sharp : sequence of Stack
        The two data sets.
    make_sharp : str
        A key of `SHARP_SETS`; ``"layers"`` takes `sharp` as it is.
    optics : Optics or None
        As far as they are known.
    psf : Psf or None
        A known PSF: fixed, or where to start, as the recipe says.
    options : dict
        Handed to `Trainer`: out, minutes, device, seed; with resume, the minutes are
        added to those that the model in `out` has had.
    base : Recipe, optional
        Of a file, instead of the preset.
    """

    preset: str
    blurred: Sequence[Stack]
    sharp: Sequence[Stack] = ()
    make_sharp: str = "layers"
    optics: Optics | None = None
    psf: Psf | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    base: Recipe | None = None

    def __post_init__(self) -> None:
        if not self.blurred:
            raise DataError("tick at least one blurred image to learn from")
        alone = self.recipe.source.domains == 1
        if self.make_sharp == "layers" and not self.sharp and not alone:
            raise DataError(
                "tick at least one sharp image of the same kind of structure, or let "
                "a sharp set be made"
            )

    @property
    def out(self) -> Path:
        """The model folder."""
        return Path(self.options["out"])

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        from napari_blurgan.methods.presets import preset

        return (self.base or preset(self.preset)).updated(self.changes)

    def check(self) -> None:
        """Check all that can be known without reading a pixel.

        Raises
        ------
        BlurGANError
            If the images, the optics or the recipe do not fit each other.
        """
        from napari_blurgan.preparation.domains import check_fit, common_voxel_size

        recipe, blurred = self._recipe_for(self.blurred), list(self.blurred)
        check_fit(recipe, blurred, self._sharp_like(blurred))
        common_voxel_size(blurred)
        self._check_optics(recipe)

    @property
    def _makes_sharp(self) -> bool:
        """Whether a sharp set is made: the recipe needs one, and none is ticked."""
        return self.make_sharp != "layers" and self.recipe.source.domains == 2

    def _sharp_like(self, blurred: Sequence[Stack]) -> list[Stack]:
        """Return the sharp set, or images that are like what it will be."""
        if not self._makes_sharp:
            return self._ticked()
        if self.make_sharp == "richardson-lucy":
            return list(blurred)
        return [stack.only_channel(0) for stack in blurred]

    def _ticked(self) -> list[Stack]:
        """Return the second set as ticked, where the recipe has a use for it."""
        used = self.make_sharp == "layers" and self.recipe.source.most_domains > 1
        return list(self.sharp) if used else []

    def _recipe_for(self, blurred: Sequence[Stack]) -> Recipe:
        from napari_blurgan.preparation.domains import for_planes

        return for_planes(self.recipe, blurred)

    def _check_optics(self, recipe: Recipe) -> None:
        known = self.psf is not None or self.optics is not None
        if self._makes_sharp and self.make_sharp == "richardson-lucy" and not known:
            raise DataError(NO_PSF)
        if self.optics is not None and self._voxel_size() is None:
            raise DataError(
                f"{self.blurred[0].name}: the optics are of no use without the size of "
                "a voxel. Enter it below the blurred images, or untick the optics"
            )
        if getattr(recipe.forward, "learned", None) is False and not known:
            raise DataError(
                f"the recipe {recipe.name!r} undoes a blur that is known: tick the "
                "optics, choose a known PSF under Advanced, or take the recipe 'blind'"
            )

    def trainer(self, report: Callable[[Any], None]) -> Trainer:
        """Make the trainer, and what it needs before; this takes a while."""
        from napari_blurgan.training.trainer import Trainer

        theory = None
        if self.optics is not None:
            report(Preparing(0, "the PSF that the optics predict"))
            theory = self._theory(self.optics)
            report(Theory(theory))
        blurred, sharp = self._domains(theory, report)
        return Trainer(
            self._recipe_for(blurred),
            blurred,
            sharp,
            psf=self.psf,
            optics=self.optics,
            **self.options | self._more_minutes(),
        )

    def _more_minutes(self) -> dict[str, float]:
        """Return the minutes in all; those that a continued model has had count."""
        from napari_blurgan.models.folder import ModelFolder

        state = ModelFolder(self.out).load() if self.options.get("resume") else None
        before = 0.0 if state is None else state["budget"]["seconds"] / 60
        minutes = self.options.get("minutes")
        return {} if minutes is None else {"minutes": minutes + before}

    def _theory(self, optics: Optics) -> Psf:
        from napari_blurgan.optics.models import support_shape, theoretical_psf

        voxel = self._voxel_size()
        assert voxel is not None  # `check` has seen to it
        shape = support_shape(optics, voxel)
        if "Z" not in self.blurred[0].axes:
            shape = (1, *shape[1:])
        return theoretical_psf(optics, shape, voxel)

    def _voxel_size(self) -> tuple[float, float, float] | None:
        """Return the size of a voxel, its z anything for planes; None if unknown."""
        z, y, x = self.blurred[0].voxel_size
        if y is None or x is None or (z is None and "Z" in self.blurred[0].axes):
            return None
        return (z or 1.0, y, x)

    def _domains(
        self, theory: Psf | None, report: Callable[[Any], None]
    ) -> tuple[list[Stack], list[Stack]]:
        """Return the blurred and the sharp set."""
        if not self._makes_sharp:
            return list(self.blurred), self._ticked()
        if self.make_sharp == "richardson-lucy":
            return self._references(self.psf or theory, report)
        if self._voxel_size() is None:
            report(_assumed(self.make_sharp))
        return list(self.blurred), [self._phantom(seed) for seed in range(PHANTOMS)]

    def _references(
        self, psf: Psf | None, report: Callable[[Any], None]
    ) -> tuple[list[Stack], list[Stack]]:
        """Deconvolve one part of every stack, and train on the other."""
        from napari_blurgan.classical.references import make_sharp_references

        assert psf is not None  # `check` has seen to it
        references: list[Any] = []
        for number, stack in enumerate(self.blurred):
            stage = f"a part of {stack.name} is deconvolved for the sharp set"
            report(Preparing(0, stage, number / len(self.blurred)))
            references += make_sharp_references(
                [stack],
                psf,
                "rl-accelerated",
                last=number % 2 == 1,
                iterations=ITERATIONS,
                background=_dark(stack),
            )
        starts = [
            tuple(part.start or 0 for part in r.blurred_region) for r in references
        ]
        report(Cut(tuple(starts)))
        return [r.blurred for r in references], [r.sharp for r in references]

    def _phantom(self, seed: int) -> Stack:
        from napari_blurgan.optics.phantoms import phantom

        stack, voxel = self.blurred[0], self._voxel_size() or ASSUMED
        drawn = phantom(self.make_sharp, stack.spatial_shape, voxel, seed)
        return replace(
            stack,
            data=drawn,
            axes=stack.spatial_axes,
            name=f"{self.make_sharp} {seed}",
            channel_names=(),
        )


def _assumed(structure: str) -> Warned:
    sizes = " × ".join(map(str, ASSUMED))
    return Warned(
        0,
        "voxels-assumed",
        f"The size of a voxel is unknown: {structure} are drawn for {sizes} µm.",
        "Enter it below the blurred images where structures look too coarse or fine.",
        {},
    )


def _dark(stack: Stack) -> float:
    """Return the grey level of the background, the camera's offset included."""
    from napari_blurgan.preparation.calibration import background_level

    return max(background_level([stack.frame(0, 0)[0].astype("float32")]), 0.0)
