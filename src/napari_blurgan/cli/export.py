"""``blurgan export NAME.blurgan --to bioimageio|onnx --out PATH``."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_blurgan.checks import check_parent, refuse_existing
from napari_blurgan.cli._common import add_overwrite
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.errors import DataError

SUFFIXES = {"bioimageio": ".zip", "onnx": ".onnx"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("model", metavar="NAME.blurgan", help="a trained model")
    parser.add_argument(
        "--to",
        required=True,
        choices=tuple(SUFFIXES),
        help="a bioimage.io package (.zip), or a single ONNX file",
    )
    parser.add_argument("--out", required=True, metavar="PATH", help=".zip or .onnx")
    group = parser.add_argument_group("metadata of the package")
    group.add_argument(
        "--name", metavar="TEXT", help="by default the name of the folder"
    )
    group.add_argument(
        "--author", action="append", metavar="NAME", help="may be given several times"
    )
    group.add_argument("--text", default="", help="what the model is for")
    group.add_argument("--license", metavar="SPDX", help="for example CC-BY-4.0")
    add_overwrite(parser, "an existing file")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Write the model in a format that other programs can run."""
    out, suffix = Path(options.out), SUFFIXES[options.to]
    if out.suffix.lower() != suffix:
        raise DataError(f"{out}: {options.to} is written as {suffix}")
    check_parent(out)
    refuse_existing(out, options.overwrite)
    from napari_blurgan.export.bioimageio import Description, write_package
    from napari_blurgan.export.onnx import write_onnx
    from napari_blurgan.models.model import load_model

    model = load_model(options.model)
    if options.to == "onnx":
        write_onnx(model, out)
    else:
        name = options.name or Path(options.model).stem
        authors = tuple(options.author or ("not named",))
        said = Description(name, authors, options.text, options.license)
        write_package(model, out, said)
    size = out.stat().st_size
    facts = {"result": str(out), "bytes": size, "recipe": model.recipe.name}
    words = f"{out}: {size / 1e6:.1f} MB, {model.recipe.name}, grey levels"
    answer(options, facts, words)
