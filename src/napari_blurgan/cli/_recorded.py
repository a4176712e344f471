"""Optics in the files of images, for commands that are given none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_blurgan.cli._output import say_note
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.models import Optics

__all__ = ["GIVE", "common_optics", "recorded_optics"]

GIVE = "give either --psf, or --na, --ni and --wavelength"


def recorded_optics(stack: Stack) -> list[Optics]:
    """Return the optics of each channel according to the file; say which.

    Raises
    ------
    DataError
        If the file does not contain them for all channels.
    """
    found = _found(stack)
    if not found or None in found:
        raise DataError(
            f"{stack.name}: the file does not name objective, refractive index and "
            f"emission wavelength{' of every channel' if found else ''}; {GIVE}"
        )
    known = [optics for optics in found if optics is not None]
    for number, optics in enumerate(known):
        which = f", channel {number}" if len(known) > 1 else ""
        say_note(f"{stack.name}{which}: {_words(optics)}")
    return known


def common_optics(stacks: Sequence[Stack]) -> Optics | None:
    """Return the optics that the files of all images agree on; say them, if any."""
    found = {tuple(_found(stack)) for stack in stacks}
    if len(found) != 1:
        return None
    optics = set(found.pop())
    if len(optics) != 1 or None in optics:
        return None
    known = optics.pop()
    assert known is not None
    say_note(f"{stacks[0].name}: {_words(known)}")
    return known


def _found(stack: Stack) -> list[Optics | None]:
    from napari_blurgan.headers.ome_optics import optics_of
    from napari_blurgan.optics.models import Optics

    found = optics_of(stack.metadata.get("acquisition"))
    return [
        None if known is None else Optics(known["na"], known["ni"], known["wavelength"])
        for known in found
    ]


def _words(optics: Optics) -> str:
    return (
        f"the optics in its file are used: NA {optics.na:g}, refractive index "
        f"{optics.ni:g}, {optics.wavelength:g} nm"
    )
