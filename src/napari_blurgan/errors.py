"""Our kinds of errors: each says what was found, what was expected and what to do."""

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
    "WeakSignalError",
]


LONGEST = 1000
"""Characters of a message, which may quote input of any length."""


class BlurGANError(Exception):
    """Any error that a user can understand and correct; exit code 2.

    Parameters
    ----------
    message : str
        Joined to one line, and shortened in the middle to 1,000 characters.
    """

    def __init__(self, message: object = "") -> None:
        line = " ".join(str(message).splitlines())
        if len(line) > LONGEST:
            line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
        super().__init__(line)


class AxesError(BlurGANError):
    """The axes of an image are missing, ambiguous or not those required."""


class DataError(BlurGANError):
    """The pixels cannot be used: unreadable, empty, NaN, constant or too small."""


class WeakSignalError(DataError):
    """The images show too little above their noise to estimate their blur."""


class OpticsError(BlurGANError):
    """Optical parameters or a point-spread function that are physically impossible."""


class RecipeError(BlurGANError):
    """A recipe that cannot be read or does not fit the data."""


class ModelFileError(BlurGANError):
    """A model folder that is missing, damaged or of another version."""


class TrainingError(BlurGANError):
    """Training cannot continue: it diverged, or the device failed."""


class CancelledError(BlurGANError):
    """Work was stopped before there was a result to keep."""


class OutOfMemoryError(BlurGANError):
    """The device has too little memory, even for the smallest tile."""
