"""Errors of readers on damaged bytes, as errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_blurgan.errors import BlurGANError, DataError

__all__ = ["damage_refused"]


@contextmanager
def damage_refused(path: Path, what: str) -> Iterator[None]:
    """Turn any error of a reader on damaged bytes into a `DataError`.

    Parameters
    ----------
    path : Path
        The file that is read.
    what : str
        What is wrong with it if reading fails, such as "cannot be decoded".

    Raises
    ------
    DataError
        For any other error than this package's own.
    """
    try:
        yield
    except BlurGANError:
        raise
    except MemoryError:
        raise DataError(f"{path.name}: needs more memory than is free") from None
    except Exception as error:  # struct.error, zlib.error, IndexError, AttributeError…
        said = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path.name}: {what} ({said}); copy it again from where it came from"
        ) from error
