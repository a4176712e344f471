"""What a command says: results on stdout, notes and errors on stderr, all in a log."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from napari_blurgan.errors import DataError

__all__ = [
    "add_json",
    "add_output",
    "answer",
    "output",
    "printable",
    "say_error",
    "say_note",
    "say_origin",
    "say_progress",
    "say_result",
    "say_warning",
    "shows_progress",
]

LOG = logging.getLogger("blurgan")
RESULTS = logging.getLogger("blurgan.results")
LIBRARY = logging.getLogger("napari_blurgan")
LINE = "%(asctime)s %(levelname)-7s %(message)s"


class Console(logging.Handler):
    """Prints on the present stderr; results are on stdout already."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        if record.name != RESULTS.name:
            print(self.format(record), file=sys.stderr, flush=True)


CONSOLE = Console(logging.INFO)
LOG.addHandler(CONSOLE)
LOG.setLevel(logging.DEBUG)
LOG.propagate = False


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options for what a command says."""
    group = parser.add_argument_group("messages")
    level = group.add_mutually_exclusive_group()
    level.add_argument(
        "--quiet", action="store_true", help="print only results and errors"
    )
    level.add_argument(
        "--verbose", action="store_true", help="also print where errors arose"
    )
    group.add_argument(
        "--log",
        metavar="FILE",
        help="append all messages to a file, with their time",
    )


def add_json(parser: argparse.ArgumentParser, text: str = "print JSON") -> None:
    """Add the option for results that programs read."""
    parser.add_argument("--json", action="store_true", help=text)


@contextmanager
def output(options: argparse.Namespace) -> Iterator[None]:
    """Say as much as the options ask for.

    Raises
    ------
    DataError
        If the log file cannot be written.
    """
    level = logging.INFO
    if options.quiet or options.verbose:
        level = logging.ERROR if options.quiet else logging.DEBUG
    file = None if options.log is None else _file(options.log)
    CONSOLE.setLevel(level)
    try:
        yield
    finally:
        CONSOLE.setLevel(logging.INFO)
        if file is not None:
            for logger in (LOG, LIBRARY):
                logger.removeHandler(file)
            file.close()


def _file(path: str) -> logging.Handler:
    try:
        file = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    file.setFormatter(logging.Formatter(LINE))
    for logger in (LOG, LIBRARY):
        logger.addHandler(file)
    words = f"blurgan {' '.join(sys.argv[1:])} ({version('napari-blurgan')})"
    RESULTS.info("%s", words)
    return file


def answer(options: argparse.Namespace, facts: Any, words: str) -> None:
    """Print the result of a command, as text or as JSON."""
    say_result(json.dumps(facts, indent=2) if options.json else words)


def say_result(words: str) -> None:
    """Print a result."""
    print(words)
    RESULTS.info("%s", words)


def say_note(words: str) -> None:
    """Print a note."""
    say_warning(f"note: {words}")


def say_warning(words: str) -> None:
    """Print a warning, in one line."""
    LOG.warning("%s", printable(words))


def printable(value: object) -> str:
    """Return a text in one line that cannot control a terminal.

    Names of files may hold line breaks, or orders to move or to colour.
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in str(value))


def say_progress(words: str) -> None:
    """Print how far a command is."""
    LOG.info("%s", words)


def say_error(words: str, error: BaseException | None = None) -> None:
    """Print an error; where it arose only with --verbose, and in the log."""
    LOG.error("%s", printable(words))
    if error is not None:
        say_origin(error)


def say_origin(error: BaseException) -> None:
    """Print where an error arose, with --verbose."""
    LOG.debug("this arose here:", exc_info=error)


def shows_progress() -> bool:
    """Return whether progress is printed."""
    return CONSOLE.level <= logging.INFO
