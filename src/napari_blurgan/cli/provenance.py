"""``blurgan provenance FILE [--rerun]``: how a result was made."""

from __future__ import annotations

import argparse
import importlib
import math
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.cli._batch import places
from napari_blurgan.cli._output import add_json, answer, say_progress
from napari_blurgan.cli.info import lines
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.data.stack import Stack

AGAIN = ("deconvolve", "evidence", "restore")
"""Commands whose results can be made again."""

CLOSE = 1e-4
"""Largest difference, relative to the range of the result, that other hardware or
versions of libraries may cause."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "file", metavar="FILE", help="a result, a PSF, or a model folder"
    )
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="run the command that made it again, in the folder in which it was run, "
        "and compare the result; nothing is kept",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the provenance of a file; with --rerun, 1 if the results differ."""
    path = Path(options.file)
    if (path / "weights.safetensors").exists():
        facts, result = _of_model(path), None
    else:
        result = _read(path)
        facts = dict(result.metadata.get("provenance") or {})
    if not facts:
        raise DataError(f"{path}: contains no provenance; it was not made by blurgan")
    if not options.rerun:
        answer(options, facts, "\n".join(lines(_readable(facts))))
        return 0
    if result is None:
        raise DataError(f"{path}: is a model; train it again with blurgan train")
    with _again(path, facts) as made:
        found = _compared(result, made, facts)
    answer(options, found, "\n".join(lines(found)))
    return 0 if found["equal"] else 1


def _read(path: Path) -> Stack:
    from napari_blurgan.reading.images import read_stack

    return read_stack(path)


def _of_model(path: Path) -> dict[str, Any]:
    from napari_blurgan.models.model import load_model

    return dict(load_model(path).provenance)


def _readable(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts with the command as it is typed."""
    words = facts.get("command")
    if not isinstance(words, list):
        return facts
    return facts | {"command": shlex.join(["blurgan", *map(str, words)])}


@contextmanager
def _again(path: Path, facts: dict[str, Any]) -> Iterator[Stack]:
    """Run the command that made a result, and open the new result."""
    from napari_blurgan.cli import build_parser

    words = [str(word) for word in facts.get("command", [])]
    if not words or words[0] not in AGAIN:
        made = f"by blurgan {words[0]}" if words else "in napari or from Python"
        raise DataError(
            f"{path}: was made {made}; only results of {', '.join(AGAIN)} can be "
            f"made again"
        )
    say_progress(shlex.join(["blurgan", *words]))
    options = build_parser(words[0]).parse_args(words)
    module = importlib.import_module(f"napari_blurgan.cli.{words[0]}")
    with tempfile.TemporaryDirectory() as folder:
        _redirect(options, path, Path(folder))
        if hasattr(module, "remade"):
            yield module.remade(options)
            return
        found = [(source, out) for source, out, _ in places(options)]
        chosen = [pair for pair in found if pair[1].name == path.name] or found
        if len(chosen) > 1:
            raise DataError(f"{path}: none of the {len(found)} results has this name")
        yield _read(module.prepared(options)(*chosen[0]).out)


def _redirect(options: argparse.Namespace, path: Path, folder: Path) -> None:
    """Have the results of a command written to another folder.

    A file may come from anybody: nothing is overwritten, and no cluster it names is
    connected to.
    """
    one = Path(options.out).suffix.lower() in (".tif", ".tiff", ".zarr")
    options.out = str(folder / path.name) if one else f"{folder}/"
    options.resume = options.overwrite = False
    if hasattr(options, "scheduler"):
        options.scheduler = None


def _compared(old: Stack, new: Stack, facts: dict[str, Any]) -> dict[str, Any]:
    """Return whether two results agree, and by how much they differ."""
    made = new.metadata.get("provenance") or {}
    if "content" in facts and made.get("content") != facts["content"]:
        raise DataError(f"{facts.get('source')}: the image has changed since")
    if tuple(old.data.shape) != tuple(new.data.shape):
        raise DataError(f"the result now has the shape {tuple(new.data.shape)}")
    largest, low, high = 0.0, math.inf, -math.inf
    for n in range(old.data.shape[0]):
        then, now = (np.asarray(s.data[n]).astype(np.float64) for s in (old, new))
        largest = float(np.maximum(largest, np.abs(now - then).max()))
        low, high = min(low, float(then.min())), max(high, float(then.max()))
    relative = largest / ((high - low) or 1.0)
    versions = {"version": facts.get("version"), "version now": made.get("version")}
    return {
        "equal": relative <= CLOSE,
        "identical": largest == 0,
        "largest difference": largest,
        "relative to the range": relative,
        **versions,
    }
