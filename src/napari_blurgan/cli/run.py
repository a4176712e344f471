"""``blurgan run JOB.yaml``: many images, models and PSFs in one process."""

from __future__ import annotations

import argparse
import csv
import functools
import importlib
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_blurgan.checks import refuse_existing
from napari_blurgan.cli._batch import Made, Make, attempt, places
from napari_blurgan.cli._common import add_overwrite
from napari_blurgan.cli._job import Step, read_job
from napari_blurgan.cli._output import (
    add_json,
    answer,
    say_error,
    say_progress,
)
from napari_blurgan.errors import DataError
from napari_blurgan.writing.atomic import replacing

FIELDS = (
    *("task", "command", "source", "result", "status", "seconds"),
    *("axes", "shape", "dtype", "message"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "job",
        metavar="JOB.yaml",
        help="the tasks, each a restore or deconvolve command with its options; paths "
        "are relative to this file",
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help="CSV table of all results; by default JOB-summary.csv beside the job",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep complete results, and continue unfinished ones",
    )
    add_overwrite(parser)
    add_json(parser, "print the table as JSON")


@dataclass(frozen=True)
class Item:
    """An image of a task, and what became of it.

    Parameters
    ----------
    task : int
        Number of the task, from 1.
    command : str
        Name of the command.
    source, out : Path
        The image and its result.
    make : callable
        See `Make`.
    status : str
        ``"waiting"``, ``"kept"``, ``"done"`` or ``"failed"``.
    seconds : float
        Duration.
    made : Made or None
        The result, if it was made now.
    message : str
        Reason of a failure.
    """

    task: int
    command: str
    source: Path
    out: Path
    make: Make
    status: str = "waiting"
    seconds: float = 0.0
    made: Made | None = None
    message: str = ""

    def processed(self) -> Item:
        """Make the result, and return the outcome."""
        begun = time.monotonic()
        found = attempt(self.make, self.source, self.out)
        seconds = round(time.monotonic() - begun, 1)
        if isinstance(found, Made):
            return replace(self, status="done", seconds=seconds, made=found)
        return replace(self, status="failed", seconds=seconds, message=found)

    def row(self) -> dict[str, Any]:
        """Return the row of the summary."""
        facts = self.made.facts() if self.made else {}
        own = {
            "task": self.task,
            "command": self.command,
            "status": self.status,
            "source": str(self.source),
            "result": str(self.out),
            "seconds": self.seconds,
            "message": self.message,
        }
        return {name: (facts | own).get(name, "") for name in FIELDS}


def run(options: argparse.Namespace) -> int:
    """Process every image of every task; report those that failed."""
    job = Path(options.job).absolute()
    steps = read_job(job, resume=options.resume, overwrite=options.overwrite)
    summary = Path(options.summary or job.with_name(f"{job.stem}-summary.csv"))
    summary = summary.absolute()
    refuse_existing(summary, options.overwrite or options.resume)
    with chdir(job.parent), advised(options.job):
        items = items_of(steps)
        for number, item in enumerate(items):
            if item.status == "waiting":
                items[number] = item.processed()
                _say(items[number], number, len(items))
            write_summary(summary, items)
    rows = [item.row() for item in items]
    answer(options, rows, table(rows))
    failed = sum(item.status == "failed" for item in items)
    if failed:
        raise DataError(f"{failed} of {len(items)} images failed; see {summary}")
    return 0


def items_of(steps: Sequence[Step]) -> list[Item]:
    """Return the images of all tasks, after checking everything but their pixels.

    Raises
    ------
    BlurGANError
        If a task is impossible, or two of them write to the same file.
    """
    from napari_blurgan.models.model import load_model

    load = functools.cache(load_model)
    items: list[Item] = []
    for step in steps:
        with step.blamed():
            found = places(step.options)
            module = importlib.import_module(f"napari_blurgan.cli.{step.command}")
            how = {"load": load} if step.command == "restore" else {}
            make = module.prepared(step.options, **how)
        for source, out, done in found:
            status = "kept" if done else "waiting"
            items.append(Item(step.number, step.command, source, out, make, status))
    _refuse_collisions(items)
    return items


def _refuse_collisions(items: Sequence[Item]) -> None:
    """Refuse two tasks that write to the same file."""
    writers: dict[Path, Item] = {}
    for item in items:
        first = writers.setdefault(item.out.absolute(), item)
        if first is not item:
            raise DataError(
                f"task {first.task} and task {item.task} both write {item.out}; give "
                f"one of them another folder with out"
            )


@contextmanager
def advised(job: str) -> Iterator[None]:
    """Tell the user how to continue a job that is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        say_error(f"blurgan: continue with blurgan run {job} --resume")
        raise


def write_summary(path: Path, items: Sequence[Item]) -> None:
    """Write the table of all images, also of those that are still waiting."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for item in items:
            row = item.row()
            writer.writerow(row | {"shape": "×".join(map(str, row["shape"]))})


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as text, one image per line."""
    lines = ["task  status   seconds  result"]
    for row in rows:
        what = row["message"] or row["result"]
        lines.append(f"{row['task']:4}  {row['status']:7}  {row['seconds']:7}  {what}")
    return "\n".join(lines)


def _say(item: Item, number: int, total: int) -> None:
    """Print a line about an image as soon as it is finished."""
    words = item.message or str(item.made)
    say_progress(f"{number + 1} of {total}: {words}")
