"""Events of a training: frozen, and the only thing that leaves the trainer.

The command line, the widgets, the tests and the logs all use the same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.content.content import Content
from napari_blurgan.preparation.notes import Note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_blurgan.estimates.judge import Judgement
    from napari_blurgan.models.model import Model
    from napari_blurgan.optics.psf import Psf

__all__ = [
    "Checkpointed",
    "ContentMeasured",
    "Event",
    "Finished",
    "Judged",
    "KernelUpdated",
    "Preparing",
    "Previewed",
    "Started",
    "Stepped",
    "Warned",
]


@dataclass(frozen=True)
class Event:
    """Something that happened after `step` optimisation steps."""

    step: int


@dataclass(frozen=True)
class Preparing(Event):
    """A stage before the first step.

    Parameters
    ----------
    stage : str
        What, in words.
    share : float
        Of the stage that is done, 0 to 1.
    """

    stage: str
    share: float = 0.0


@dataclass(frozen=True)
class Started(Event):
    """Training begins, or continues after a resume.

    Parameters
    ----------
    total_steps : int
        Where the schedule ends. With a budget of minutes it is an estimate, renewed
        in every `Stepped`.
    device : str
        Where the networks live.
    precision : str
        ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    description : str
        One sentence for people: what is trained on what.
    """

    total_steps: int
    device: str
    precision: str
    description: str


@dataclass(frozen=True)
class Stepped(Event):
    """One optimisation step is done.

    Parameters
    ----------
    losses : dict
        Unweighted value of each active term, by its name.
    learning_rate : float
        Of the generator.
    total_steps : int
        Where the schedule ends, as far as it is known now.
    remaining_seconds : float
        Expected until then.
    """

    losses: dict[str, float]
    learning_rate: float
    total_steps: int
    remaining_seconds: float


@dataclass(frozen=True)
class KernelUpdated(Event):
    """The learned blur kernel, as a PSF in physical units."""

    psf: Psf


@dataclass(frozen=True)
class Previewed(Event):
    """A fixed crop before and after, (channel, z, y, x) or (channel, y, x).

    Parameters
    ----------
    before, after : ndarray
        `before` in the units of the input, `after` in those of the output.
    source : int
        Index of the blurred stack that the crop was taken from.
    corner : tuple of int
        First voxel of the crop in that stack, (z, y, x) or (y, x).
    time : int
        Its time point.
    spacing : float
        Planes of that stack per plane of the crop; below one where planes were
        interpolated. `corner` counts planes of the crop.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    source: int
    corner: tuple[int, ...]
    time: int = 0
    spacing: float = 1.0


@dataclass(frozen=True)
class ContentMeasured(Event):
    """The content of a few images after restoring, if there are thresholds."""

    content: Content


@dataclass(frozen=True)
class Judged(Event):
    """G was compared with the estimate that it refines, on held-out photons."""

    judgement: Judgement


@dataclass(frozen=True)
class Checkpointed(Event):
    """The model folder on disk is complete up to this step."""

    path: Path


@dataclass(frozen=True)
class Warned(Event):
    """A diagnosis: what is going wrong, and what to do about it.

    Parameters
    ----------
    code : str
        Stable name, such as ``"shifted-kernel"``.
    message : str
        A plain sentence.
    remedy : str
        What the user can do.
    figures : dict
        The measured numbers behind the sentence.
    """

    code: str
    message: str
    remedy: str
    figures: dict[str, Any]

    @classmethod
    def of(cls, step: int, note: Note) -> Warned:
        """Make an event from a finding."""
        return cls(step, note.code, note.message, note.remedy, note.figures)


@dataclass(frozen=True)
class Finished(Event):
    """Training has ended.

    Parameters
    ----------
    model : Model
        As it is now.
    reason : str
        ``"completed"``, ``"stopped"``, or ``"budget"``: the minutes are used up.
    """

    model: Model
    reason: str
