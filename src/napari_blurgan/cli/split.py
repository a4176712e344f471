"""`blurgan split PATH… --out DIR`: make two unpaired domains from pairs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.checks import check_parent
from napari_blurgan.cli._common import expand
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.cli._parser import LARGEST_SEED, add_whole
from napari_blurgan.errors import DataError
from napari_blurgan.writing.atomic import replacing_folder

if TYPE_CHECKING:
    from napari_blurgan.data.pairs import Pair

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="two folders with images of the same names; a folder that contains two "
        "such "
        "folders; or files whose names differ in one word (c1_phase.tif, c1_dapi.tif)",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="a new folder for the folders A and B, and split.json",
    )
    text = "of the random choice"
    add_whole(parser, "--seed", 0, LARGEST_SEED, text=text, default=0, metavar="S")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Copy a random image of each pair to its domain; leave out the other."""
    from napari_blurgan.data.pairs import halves, pairs_in

    check_parent(options.out)
    if os.path.lexists(options.out):
        raise DataError(f"{options.out}: exists; name a new folder")
    pairs = pairs_in(expand(options.paths))
    to_a, to_b = halves(pairs, options.seed)
    chosen = {"A": [p.a for p in to_a], "B": [p.b for p in to_b]}
    with replacing_folder(options.out) as folder:
        for domain, files in chosen.items():
            (folder / domain).mkdir(parents=True)
            for file in files:
                _copy(file, folder / domain / file.name)
        record = _record(options.seed, to_a, to_b)
        text = json.dumps(record, indent=2)
        (folder / "split.json").write_text(text, encoding="utf-8")
    lines = [f"{len(pairs)} pairs, such as {pairs[0].a} (A) and {pairs[0].b} (B)"]
    for domain, files in chosen.items():
        lines.append(f"{options.out / domain}: {len(files)} of {len(pairs)} images")
    answer(options, {"out": str(options.out)} | record, "\n".join(lines))
    return 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _record(seed: int, to_a: list[Pair], to_b: list[Pair]) -> dict[str, object]:
    """Return which images went where, and those left out: the ground truth."""
    return {
        "seed": seed,
        "A": [{"image": str(p.a), "left out": str(p.b)} for p in to_a],
        "B": [{"image": str(p.b), "left out": str(p.a)} for p in to_b],
    }
