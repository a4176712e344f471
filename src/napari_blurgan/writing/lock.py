"""A lock on a folder, which a process that dies does not keep."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from napari_blurgan.errors import DataError

__all__ = ["FolderLock"]

NAME = ".lock"


class FolderLock:
    """Keeps others from writing into a folder; the system frees it with the process.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[bytes] | None = None
        self._made = False

    def acquire(self) -> None:
        """Take the lock; nothing happens if it is ours.

        File systems that know no locks are written to without one.

        Raises
        ------
        DataError
            If another process, or another training of this one, has it, or the folder
            cannot be written to.
        """
        if self._file is not None:
            return
        try:
            self._made = not self.folder.exists()
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / NAME).open("a+b")
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written ({error.strerror or error})"
            ) from error
        if not _locked(file):
            file.close()
            raise DataError(
                f"{self.folder}: another training is writing into this folder; wait "
                "for it to end, stop it, or choose another name"
            )
        self._file = file

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not ours."""
        if self._file is not None:
            with suppress(OSError):  # Windows removes no open file
                (self.folder / NAME).unlink()
            self._file.close()
            self._file = None
            if self._made:
                with suppress(OSError):  # it stays, with what was written into it
                    self.folder.rmdir()


if sys.platform == "win32":
    import msvcrt

    def _locked(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _locked(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        # Whoever had it may have removed the file that we opened before.
        try:
            return os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
        except FileNotFoundError:
            return False
