"""The `blurgan` command: one thin module per sub-command, imported only when used.

Exit codes: 0 done; 2 the input or the request is at fault (one clear line on stderr);
1 a failure of ours (a line, and a file with the traceback); 130 interrupted, 143
terminated; 141 the reader of the output has closed it, as `head` does.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from napari_blurgan.cli._endings import Terminated, failure, terminable
from napari_blurgan.cli._output import output, say_error
from napari_blurgan.cli._parser import Misuse, Parser
from napari_blurgan.errors import BlurGANError
from napari_blurgan.provenance import made_by

__all__ = ["main"]

GROUPS: dict[str, dict[str, str]] = {
    "getting started": {
        "demo": "train, restore and compare on a real stack, in minutes",
        "simulate": "simulate a phantom, its blurred image and the PSF",
    },
    "the blur": {
        "psf": "compute, measure or identify a point-spread function",
    },
    "without training": {
        "deconvolve": "classical deconvolution",
        "convert": "copy images, and each image in a vendor's file, as OME-TIFF",
    },
    "training": {
        "references": "divide stacks: deconvolve one part, keep the other for training",
        "split": "make two unpaired domains from a folder of pairs",
        "threshold": "compute a saliency threshold from picked regions",
        "recipe": "print a preset, to edit and train",
        "train": "train a model",
        "info": "describe a model folder, or this computer (--system)",
    },
    "results": {
        "restore": "apply a trained model to images",
        "run": "restore and deconvolve many images as described in a file",
        "export": "export a model for other programs: bioimage.io, ONNX",
        "evaluate": "compare a result with a reference",
        "evidence": "map where a restoration is supported by its measurement",
        "provenance": "say how a result was made, or make it again and compare",
    },
}

COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

WHAT = """\
Deconvolve and restore microscopy images: classically, or with networks that learn from
unpaired images (optimal-transport cycleGAN, UTOM). Stacks are TIFF, OME-TIFF, ImageJ,
OME-Zarr, ND2, CZI, LIF, OIF or OIB, of any size.
"""

EXAMPLES = """\
examples:
  blurgan demo
  blurgan deconvolve rl cell.tif --na 1.2 --ni 1.33 --wavelength 520 --out sharp.ome.tif
  blurgan train blind --blurred 'day1/*.tif' --sharp 'sharp/*.tif' --out mine.blurgan
  blurgan restore mine.blurgan 'day2/*.tif' --out restored/

See blurgan COMMAND --help for details. Nothing is overwritten without --overwrite.
"""

HUNG_UP = 141
"""Exit code for output that nobody reads any more: 128 + SIGPIPE."""
REFUSALS = (
    *(errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP),
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO),
)
"""Errors of the file system that are not bugs of the program."""
UNREAD = (errno.EPIPE, errno.EINVAL)
"""Errors of an output that nobody reads any more; the second is that of Windows."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # Spinning OpenMP threads make a shared machine many times slower; the runtime
    # reads this when torch is loaded, which has not happened yet.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with terminable():
            return _run(sys.argv[1:] if argv is None else list(argv))
    except OSError as error:
        if error.errno in UNREAD and _nobody_reads():
            return HUNG_UP
        return _failed(error)
    except Exception as error:
        return _failed(error)


def _run(arguments: list[str]) -> int:
    """Run the command line; its output is flushed when this returns."""
    try:
        code = _answered(arguments)
    except SystemExit:  # of --help; at exit nobody could catch what flushing raises
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code


def _answered(arguments: list[str]) -> int:
    try:
        parser = build_parser(arguments[0] if arguments else None)
        options = parser.parse_args(arguments)
        with output(options), made_by(arguments):
            return _done(options)
    except Misuse as error:
        print(error, file=sys.stderr)
        return 2
    except BlurGANError as error:
        say_error(f"blurgan: {error}", error)
        return 2


def _done(options: argparse.Namespace) -> int:
    """Run a command; say why it ended early, also in its log."""
    try:
        return int(options.run(options) or 0)
    except BlurGANError as error:
        say_error(f"blurgan: {error}", error)
        return 2
    except OSError as error:
        if error.errno in UNREAD:
            raise
        if error.errno not in REFUSALS or error.filename is None:
            return _failed(error)
        refused = BlurGANError(f"{error.filename}: {error.strerror}")
        say_error(f"blurgan: {refused}", error)
        return 2
    except Terminated:
        say_error("blurgan: terminated")
        return 143
    except KeyboardInterrupt:
        say_error("blurgan: interrupted")
        return 130
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    say_error(f"blurgan: {failure(error)}", error)
    return 1


def _nobody_reads() -> bool:
    """Return whether an output has lost its reader; if so, discard the rest."""
    for stream in (sys.stdout, sys.stderr):
        try:
            print(file=stream, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            return True
    return False


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; only the arguments of `command` are filled in.

    Each command lives in ``napari_blurgan.cli.<command>`` and offers
    ``add_arguments(parser)`` and ``run(options) -> int | None``.
    """
    parser = Parser(
        prog="blurgan",
        usage="blurgan COMMAND …",
        description=f"{WHAT}\n{_listed(GROUPS)}",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=version("napari-blurgan"),
        help="show the version and exit",
    )
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, help=argparse.SUPPRESS, prog="blurgan"
    )
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, description=summary)
        if name == command:
            module = importlib.import_module(f"napari_blurgan.cli.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def _listed(groups: dict[str, dict[str, str]]) -> str:
    """Return the commands in their groups, one per line."""
    lines: list[str] = []
    for title, commands in groups.items():
        lines.append(f"{title}:")
        lines += [f"  {name:12}{text}" for name, text in commands.items()]
    return "\n".join(lines)
