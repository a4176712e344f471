"""What a checkpoint contains, and how a training resumes from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_blurgan.errors import DataError
from napari_blurgan.methods.migrations import migrate_training
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.schema import damage_refused
from napari_blurgan.training.budget import Budget
from napari_blurgan.training.parts import Parts

__all__ = ["migrated", "restore_state", "state_of"]


def state_of(recipe: Recipe, parts: Parts, budget: Budget) -> dict[str, Any]:
    """Return the complete state of a training."""
    return {
        "seed": parts.engine.recipe.seed,
        "recipe": recipe.model_dump(mode="json"),
        "calibration": parts.prepared.site.calibration.to_dict(),
        "precision": str(parts.precision).removeprefix("torch."),
        "budget": budget.state_dict(),
        "diagnostics": parts.diagnostics.state_dict(),
        "engine": parts.engine.state_dict(),
        "judge": None if parts.judge is None else parts.judge.state_dict(),
    }


def migrated(
    state: Mapping[str, Any], fingerprint: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a state in the format of this version.

    Raises
    ------
    DataError
        If it belongs to a training on other images.
    ModelFileError
        If it is damaged.
    """
    with damage_refused("training.safetensors"):
        found = migrate_training(dict(state))
    if not _same_images(found["fingerprint"], fingerprint):
        raise DataError(
            "the images differ from those at the start of this training: give the same "
            "files in the same order, or start a new training without --resume"
        )
    return found


def _same_images(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> bool:
    """Compare fingerprints of the images; earlier versions stored fewer of them."""
    return len(before) == len(now) and all(
        then == {name: ours.get(name) for name in then}
        for then, ours in zip(before, now, strict=True)
    )


def restore_state(parts: Parts, budget: Budget, state: Mapping[str, Any]) -> None:
    """Restore networks, optimisers and clocks from a state."""
    parts.engine.load_state_dict(state["engine"])
    parts.diagnostics.load_state_dict(state["diagnostics"])
    budget.load_state_dict(state["budget"])
    if parts.judge is not None:
        parts.judge.load_state_dict(state["judge"])
