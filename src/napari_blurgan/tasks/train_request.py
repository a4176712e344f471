"""A training request, and the trainer made from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from napari_blurgan.axes import FOCAL_DEPTH
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.monitoring.events import Preparing
from napari_blurgan.tasks.sharp_set import deconvolved_parts, synthetic

if TYPE_CHECKING:
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.training.trainer import Trainer

__all__ = ["Theory", "TrainingRequest"]

NO_PSF = (
    "deconvolving the blurred images for a sharp set needs a PSF: tick the optics, "
    "choose a known PSF under Advanced, or use synthetic images"
)


@dataclass(frozen=True)
class Theory:
    """The PSF predicted by the optics, for comparison with the learned one."""

    psf: Psf


@dataclass(frozen=True)
class TrainingRequest:
    """Everything that a training needs, known before it starts.

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
        """The recipe to train."""
        from napari_blurgan.methods.presets import preset

        return (self.base or preset(self.preset)).updated(self.changes)

    def check(self) -> None:
        """Check everything that can be known without reading a pixel.

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
        """Return the sharp set, or images that resemble what it will be."""
        if not self._makes_sharp:
            return self._ticked()
        if self.make_sharp == "richardson-lucy":
            return list(blurred)
        return [stack.only_channel(0) for stack in blurred]

    def _ticked(self) -> list[Stack]:
        """Return the ticked second set, if the recipe uses one."""
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
                f"{self.blurred[0].name}: the optics cannot be used without the size "
                f"of "
                "a voxel. Enter it below the blurred images, or untick the optics"
            )
        if getattr(recipe.forward, "learned", None) is False and not known:
            raise DataError(
                f"the recipe {recipe.name!r} needs a known blur: tick the "
                "optics, choose a known PSF under Advanced, or use the recipe 'blind'"
            )

    def trainer(self, report: Callable[[Any], None]) -> Trainer:
        """Make the trainer and everything it needs; the minutes count from now."""
        from napari_blurgan.tasks.train import added_minutes, make_trainer

        begun = perf_counter()
        theory = None
        if self.optics is not None:
            report(Preparing(0, "computing the PSF from the optics"))
            theory = self._theory(self.optics)
            report(Theory(theory))
        blurred, sharp = self._domains(theory, report)
        return make_trainer(
            self.recipe,
            blurred,
            sharp,
            psf=self.psf,
            optics=self.optics,
            begun=begun,
            **self.options | added_minutes(self.options),
        )

    def _theory(self, optics: Optics) -> Psf:
        from napari_blurgan.optics.models import support_shape, theoretical_psf

        voxel = self._voxel_size()
        assert voxel is not None  # ensured by `check`
        shape = support_shape(optics, voxel)
        if "Z" not in self.blurred[0].axes:
            shape = (1, *shape[1:])
        return theoretical_psf(optics, shape, voxel)

    def _voxel_size(self) -> tuple[float, float, float] | None:
        """Return the voxel size, thin for planes; None if unknown."""
        z, y, x = self.blurred[0].voxel_size
        if y is None or x is None or (z is None and "Z" in self.blurred[0].axes):
            return None
        return (z or FOCAL_DEPTH, y, x)

    def _domains(
        self, theory: Psf | None, report: Callable[[Any], None]
    ) -> tuple[list[Stack], list[Stack]]:
        """Return the blurred and the sharp set."""
        if not self._makes_sharp:
            return list(self.blurred), self._ticked()
        if self.make_sharp == "richardson-lucy":
            psf = self.psf or theory
            assert psf is not None  # ensured by `check`
            return deconvolved_parts(self.blurred, psf, report)
        drawn = synthetic(self.make_sharp, self.blurred[0], self._voxel_size(), report)
        return list(self.blurred), drawn
