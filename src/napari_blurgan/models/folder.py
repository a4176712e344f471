"""Checkpoints of a training in its model folder, each a complete file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import ModelFileError
from napari_blurgan.models.checkpoint import read_state, write_state
from napari_blurgan.models.model import Model
from napari_blurgan.models.schema import check_training, inside
from napari_blurgan.models.snapshot import write_snapshot
from napari_blurgan.writing.atomic import replacing
from napari_blurgan.writing.lock import FolderLock

__all__ = ["ModelFolder"]

TRAINING = "training.safetensors"
PREVIOUS = "training.previous.safetensors"

Image = NDArray[np.float32]


class ModelFolder:
    """The folder where a training stores what it needs to resume.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.

    Attributes
    ----------
    rows : list of dict
        What history.csv is made of, a row a step.
    notes : list of str
        What was damaged, and what was done about it.
    lock : FolderLock
        Against a second training that writes into the same folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.notes: list[str] = []
        self.lock = FolderLock(path)

    def save(
        self, state: Mapping[str, Any], model: Model, before: Image, after: Image
    ) -> None:
        """Write a checkpoint; if this is interrupted, a complete one remains.

        Parameters
        ----------
        state : mapping
            All that resuming needs.
        model : Model
            All that restoring needs.
        before, after : ndarray
            (c, [z,] y, x), the preview.

        Raises
        ------
        DataError
            If it cannot be written; the last good checkpoint stays.
        """
        # History first: rows beyond the resumed state are dropped.
        self._write_history()
        current = self.path / TRAINING
        if current.exists():
            current.replace(self.path / PREVIOUS)
        write_state(current, dict(state))
        model.save(self.path, overwrite=True)
        write_snapshot(self.path / "preview.png", before, after)

    def load(self) -> dict[str, Any] | None:
        """Return the last good state of training, or None where there is none.

        Raises
        ------
        ModelFileError
            If there are checkpoints, but all of them are damaged.
        """
        found = [name for name in (TRAINING, PREVIOUS) if (self.path / name).exists()]
        damage: ModelFileError | None = None
        for name in found:
            try:
                state: dict[str, Any] = read_state(inside(self.path, name))
                check_training(self.path / name, state)
            except ModelFileError as error:
                damage = damage or error
                continue
            if damage is not None:
                self.notes.append(f"{damage}; continued from the previous copy")
            return state
        if damage is not None:
            raise damage
        return None

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step for history.csv."""
        self.rows.append({"step": step} | dict(values))

    def rewind(self, step: int) -> None:
        """Drop the figures of all steps after `step`."""
        self.rows = [row for row in self.rows if row["step"] <= step]

    def _write_history(self) -> None:
        if not self.rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with replacing(self.path / "history.csv") as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
