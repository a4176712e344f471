"""The parser of the command line: full names, number ranges, one-line errors."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

from napari_blurgan.checks import VOXEL_RANGE, did_you_mean, in_range, whole
from napari_blurgan.cli._lab import lab_file, lab_words
from napari_blurgan.cli._output import add_output, say_note
from napari_blurgan.errors import BlurGANError

__all__ = [
    "LARGEST_GREY",
    "LARGEST_SEED",
    "LARGEST_SIZE",
    "Misuse",
    "Parser",
    "add_index",
    "add_number",
    "add_sizes",
    "add_voxel",
    "add_whole",
]

LARGEST_GREY = 1e30
LARGEST_SIZE = 1_000_000
"""Voxels along an axis."""
LARGEST_SEED = 2**31 - 1
LARGEST_INDEX = 1_000_000
NEGATIVE = re.compile(r"^-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$", re.IGNORECASE)


class Misuse(BlurGANError):
    """An option or a command that does not exist; the usage lists those that do.

    Parameters
    ----------
    message : str
        What is wrong, in one line.
    usage : str
        The usage, printed before the message.
    """

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage

    def __str__(self) -> str:
        return f"{self.usage}blurgan: {super().__str__()}"


class Parser(argparse.ArgumentParser):
    """A parser without abbreviations, which suggests a name for a misspelt one."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options | {"allow_abbrev": False})
        self._negative_number_matcher = NEGATIVE  # argparse mistakes -1e5 for an option

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as usual; report a misspelt option rather than what is missing."""
        self._complete()
        known = self._option_string_actions
        for word in () if self._subparsers else args or ():
            option, equals, value = word.partition("=")
            if option == "--":
                break
            if not word or (equals and option in known and not value):
                self.error("an argument is empty: is a variable of the shell not set?")
            if word.startswith("-") and option not in known and os.path.lexists(word):
                self.error(f"{word} is a file, but starts with a dash: write ./{word}")
            if option.startswith("--") and option not in known:
                hint = did_you_mean(option, known)
                self.error(f"unknown option {option}{hint}")
        if not self._subparsers and (lab := lab_words(args or (), known)):
            if "--quiet" not in (args or ()):
                say_note(f"from {lab_file()}: {' '.join(lab)}")
            args = [*args, *lab]
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        """Return the help, with the options that all commands have."""
        self._complete()
        return super().format_help()

    def _complete(self) -> None:
        """Add the options that all commands have, once."""
        if not self._subparsers and "--quiet" not in self._option_string_actions:
            add_output(self)

    def error(self, message: str) -> Any:
        """Raise `Misuse` with the usage, instead of leaving the program."""
        choice = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice:
            names = re.findall(r"[\w.-]+", choice[2])
            message += did_you_mean(choice[1], names)
        raise Misuse(message, self.format_usage())


def add_number(
    parser: argparse._ActionsContainer,
    name: str,
    least: float,
    most: float,
    *,
    text: str,
    unit: str = "",
    above: bool = False,
    default: float | None = None,
    **more: Any,
) -> None:
    """Add an option that takes a number in a range.

    Parameters
    ----------
    parser : parser or group
        Gets the option.
    name : str
        Name of the option.
    least, most : float
        The range; `least` itself is excluded if `above`.
    text : str
        Its description; unit and default are added.
    unit : str
        Unit of the number.
    default : float, optional
        Value if the option is not given.
    **more
        Passed to `argparse`.
    """

    def number(given: str) -> float:
        return in_range(
            name,
            _number(given),
            least,
            most,
            unit=unit,
            above=above,
            error=BlurGANError,
        )

    help_text = _help(text, unit, default)
    parser.add_argument(name, type=number, default=default, help=help_text, **more)


def add_whole(
    parser: argparse._ActionsContainer,
    name: str,
    least: int,
    most: int,
    *,
    text: str,
    default: int | None = None,
    **more: Any,
) -> None:
    """Add an option that takes a whole number in a range; see `add_number`."""

    def number(given: str) -> int:
        return whole(name, _number(given), least, most, error=BlurGANError)

    help_text = _help(text, "", default)
    parser.add_argument(name, type=number, default=default, help=help_text, **more)


def add_index(parser: argparse._ActionsContainer, name: str, text: str) -> None:
    """Add an option that takes an index along an axis, counted from 0."""
    metavar = name.strip("-")[0].upper()
    text = f"{text}, counted from 0"
    add_whole(parser, name, 0, LARGEST_INDEX, text=text, metavar=metavar)


def add_sizes(
    parser: argparse._ActionsContainer, name: str, text: str, **more: Any
) -> None:
    """Add an option that takes numbers of voxels along axes."""
    add_whole(parser, name, 1, LARGEST_SIZE, text=text, **more)


def add_voxel(
    parser: argparse._ActionsContainer,
    name: str = "--voxel",
    text: str = "voxel size, if the file does not contain it or is wrong",
    **more: Any,
) -> None:
    """Add an option that takes the size of a voxel."""
    options: dict[str, Any] = {"nargs": 3, "metavar": ("Z", "Y", "X")}
    options |= more
    add_number(parser, name, *VOXEL_RANGE, unit="µm", text=text, **options)


def _number(text: str) -> float | str:
    """Return an int, a float, or the text if it is not a number."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _help(text: str, unit: str, default: object) -> str:
    words = text + (f", in {unit}" if unit else "")
    return words if default is None else f"{words}; {default} by default"
