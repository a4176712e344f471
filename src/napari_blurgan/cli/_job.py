"""A job file: commands with their options, written as YAML."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_blurgan.checks import known_names
from napari_blurgan.cli import build_parser
from napari_blurgan.cli._parser import Misuse
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.methods.guarded_yaml import read_yaml

__all__ = ["Step", "read_job"]

COMMANDS = ("restore", "deconvolve")
EXAMPLE = "tasks: [{do: restore, model: mine.blurgan, inputs: 'day1/*.tif', out: day1}]"


@dataclass(frozen=True)
class Step:
    """A task of a job.

    Parameters
    ----------
    number : int
        From 1.
    command : str
        ``"restore"`` or ``"deconvolve"``.
    options : Namespace
        Of this command.
    """

    number: int
    command: str
    options: argparse.Namespace

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Name the task in errors."""
        with blamed(self.number):
            yield


@contextmanager
def blamed(number: int) -> Iterator[None]:
    """Name a task in errors."""
    try:
        yield
    except Misuse as error:
        raise DataError(f"task {number}: {error.args[0]}") from None
    except BlurGANError as error:
        raise type(error)(f"task {number}: {error}") from None


def read_job(path: Path, *, resume: bool, overwrite: bool) -> list[Step]:
    """Read the tasks of a job.

    Parameters
    ----------
    path : Path
        A YAML file with the list ``tasks``. Each task has ``do`` (a command),
        ``inputs``, for restore ``model``, and options by their names without dashes.
    resume, overwrite : bool
        Options for all tasks.

    Raises
    ------
    BlurGANError
        If the file is not a job, or a command or an option of a task is impossible.
    """
    content = read_yaml(path, "job")
    if not isinstance(content, dict) or not isinstance(content.get("tasks"), list):
        raise DataError(f"{path}: a job is a list of tasks, such as {EXAMPLE}")
    known_names("a job", content, ["tasks"])
    if not content["tasks"]:
        raise DataError(f"{path}: the list of tasks is empty")
    flags = {"resume": resume, "overwrite": overwrite}
    return [_step(n, task, flags) for n, task in enumerate(content["tasks"], 1)]


def _step(number: int, task: Any, flags: dict[str, bool]) -> Step:
    with blamed(number):
        words = words_of(task, flags)
        command = words[0]
        return Step(number, command, build_parser(command).parse_args(words))


def words_of(task: Any, flags: dict[str, bool]) -> list[str]:
    """Return a task as the words of a command line."""
    if not isinstance(task, dict) or not isinstance(task.get("do"), str):
        raise DataError(f"a task has the key do: {' or '.join(COMMANDS)}")
    rest = {str(name): value for name, value in task.items()}
    words = rest.pop("do").split()
    if not words or words[0] not in COMMANDS:
        raise DataError(f"do is {' or '.join(COMMANDS)}, found {' '.join(words)!r}")
    for name in flags:
        if name in rest:
            raise DataError(f"{name} is an option of blurgan run, for all tasks")
    if words[0] == "restore":
        words += _values("model", rest.pop("model", None))
    words += _values("inputs", rest.pop("inputs", None))
    for name, value in (rest | flags).items():
        words += _option(name.replace("_", "-"), value)
    return words


def _option(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}"] * value
    return [f"--{name}", *_values(name, value)]


def _values(name: str, value: Any) -> list[str]:
    """Return a value, or each of a list, as words."""
    values = value if isinstance(value, list) else [value]
    if not values or any(v is None or isinstance(v, dict | list) for v in values):
        raise DataError(f"{name} needs a value, or a list of values")
    return list(map(str, values))
