"""Defaults of a laboratory: optics and camera, in one file for all commands."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from napari_blurgan.checks import known_names
from napari_blurgan.errors import RecipeError

__all__ = ["lab_file", "lab_words"]

OPTICS = ("na", "ni", "wavelength")
CAMERA = ("gain", "offset", "read-noise")
GROUPS = (OPTICS, CAMERA, ("device",))
"""Options that only make sense together."""


def lab_file() -> Path | None:
    """Return the file with the defaults; None if there is none.

    ``$BLURGAN_DEFAULTS``, or ``blurgan.yaml`` in the configuration folder of the user.
    """
    named = os.environ.get("BLURGAN_DEFAULTS")
    if named is not None:
        return Path(named) if named else None
    home = "APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME"
    folder = Path(os.environ.get(home) or Path.home() / ".config")
    file = folder / "blurgan.yaml"
    return file if file.is_file() else None


def lab_words(given: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the defaults that complete a command line.

    Parameters
    ----------
    given : sequence of str
        The words of the command line.
    known : collection of str
        The options of the command, with their dashes.

    Returns
    -------
    list of str
        Options with their values. A group that stays incomplete is left out, and so are
        the optics if a PSF is given.
    """
    file = lab_file()
    values = {} if file is None else _read(file)
    said = {word.partition("=")[0] for word in given}
    words: list[str] = []
    for group in GROUPS:
        complete = all(f"--{n}" in said or n in values for n in group)
        fits = all(f"--{name}" in known for name in group)
        if complete and fits and not (group is OPTICS and "--psf" in said):
            missing = [name for name in group if f"--{name}" not in said]
            words += [part for n in missing for part in (f"--{n}", str(values[n]))]
    return words


def _read(file: Path) -> dict[str, Any]:
    from napari_blurgan.methods.guarded_yaml import read_yaml

    content = read_yaml(file, "file of defaults")
    if not isinstance(content, dict):
        raise RecipeError(f"{file}: expected lines such as na: 1.2")
    values = {str(name).replace("_", "-"): value for name, value in content.items()}
    known_names(f"{file}", values, [name for group in GROUPS for name in group])
    return values
