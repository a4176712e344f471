"""Our own few kinds of errors: each says what was found, expected and to be done."""

from __future__ import annotations

__all__ = [
    "AxesError",
    "BlurGANError",
    "CancelledError",
    "DataError",
    "ModelFileError",
    "OpticsError",
    "OutOfMemoryError",
    "RecipeError",
    "TrainingError",
]


LONGEST = 1000
"""Characters of a message; what it quotes may be as long as somebody made it."""


class BlurGANError(Exception):
    """Anything that a user can understand and mend; the command line exits with 2.

    Parameters
    ----------
    message : str
        Made one line; the middle of one beyond 1,000 characters is left out.
    """

    def __init__(self, message: object = "") -> None:
        line = " ".join(str(message).splitlines())
        if len(line) > LONGEST:
            line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
        super().__init__(line)


class AxesError(BlurGANError):
    """The axes of an image are missing, ambiguous or not what was asked for."""


class DataError(BlurGANError):
    """The pixels cannot be used: unreadable, empty, NaN, constant or too small."""


class OpticsError(BlurGANError):
    """Optical parameters or a point-spread function that physics does not allow."""


class RecipeError(BlurGANError):
    """A recipe that cannot be read or does not fit the data."""


class ModelFileError(BlurGANError):
    """A model folder that is missing, damaged or of another version."""


class TrainingError(BlurGANError):
    """Training cannot go on: diverged, or the device failed."""


class CancelledError(BlurGANError):
    """Work was stopped before there was anything to keep."""


class OutOfMemoryError(BlurGANError):
    """The device has too little memory, even for the smallest tile."""
