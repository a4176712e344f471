"""A request for a transformation between two domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.training.trainer import Trainer

__all__ = ["TASKS", "Task", "TransformRequest"]


@dataclass(frozen=True)
class Task:
    """A kind of transformation, and its typical settings.

    Parameters
    ----------
    words : str
        What A and B are.
    preset : str
        Name of the recipe.
    bright : tuple of bool
        Whether the backgrounds of A and of B are bright.
    measured : bool
        Whether it needs the size of a voxel.
    """

    words: str
    preset: str = "utom"
    bright: tuple[bool, bool] = (False, False)
    measured: bool = False


TASKS = {
    "denoise": Task("A: noisy images; B: clean images of other fields."),
    "isotropic": Task(
        "A: volumes with coarse z, whose sections along z learn to look like their "
        "planes. B: the same volumes, or others.",
        "isotropic",
        measured=True,
    ),
    "super-resolution": Task(
        "A: low-resolution images on the pixel grid of B; B: high-resolution images."
    ),
    "staining": Task(
        "A: fluorescence; B: stained sections, dark on bright.", bright=(False, True)
    ),
    "labelling": Task(
        "A: transmitted light with a bright background; B: fluorescence.",
        bright=(True, False),
    ),
}


@dataclass(frozen=True)
class TransformRequest:
    """Everything that a training needs, known before it starts.

    Parameters
    ----------
    task : str
        A key of `TASKS`.
    a, b : sequence of Stack
        The two domains.
    changes : dict
        Dotted fields of the recipe and their values.
    options : dict
        Handed to `Trainer`: out, minutes, device, seed; with resume, the minutes are
        added to those that the model in `out` has had.
    base : Recipe, optional
        Of a model that is trained further, instead of that of the task.
    """

    task: str
    a: Sequence[Stack]
    b: Sequence[Stack]
    changes: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    base: Recipe | None = None

    def __post_init__(self) -> None:
        for stacks, name in ((self.a, "A"), (self.b, "B")):
            if not stacks:
                raise DataError(f"tick at least one image of domain {name}")
        if self.base is None:
            self._check_thresholds()

    def _check_thresholds(self) -> None:
        saliency = self.recipe.active_terms.get("saliency")
        for name, domain in (("alpha", "A"), ("beta", "B")):
            if saliency and getattr(saliency, name) is None:
                raise DataError(
                    f"domain {domain} has no threshold yet: press Pick {domain}… and "
                    f"click on background and foreground, or enter it"
                )

    @property
    def out(self) -> Path:
        """The model folder."""
        return Path(self.options["out"])

    @property
    def recipe(self) -> Recipe:
        """The recipe to train."""
        from napari_blurgan.methods.presets import preset

        base = self.base or preset(TASKS[self.task].preset)
        return base.updated(self.changes)

    def check(self) -> None:
        """Check everything that can be known without reading a pixel.

        Raises
        ------
        BlurGANError
            If the images do not fit each other or the recipe.
        """
        from napari_blurgan.data.colour import without_alpha
        from napari_blurgan.preparation.domains import check_fit

        check_fit(self.recipe, *([*map(without_alpha, d)] for d in (self.a, self.b)))

    def trainer(self, report: Callable[[Any], None]) -> Trainer:
        """Make the trainer; the minutes count from now."""
        from napari_blurgan.tasks.train import added_minutes, make_trainer

        options = self.options | added_minutes(self.options)
        return make_trainer(self.recipe, self.a, self.b, perf_counter(), **options)
