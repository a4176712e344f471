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
]


class BlurGANError(Exception):
    """Any error that a user can understand and correct; exit code 2."""


class AxesError(BlurGANError):
    """The axes of an image are missing, ambiguous or not those required."""


class DataError(BlurGANError):
    """The pixels cannot be used: unreadable, empty, NaN, constant or too small."""


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
