"""Locks on files being written, which are released if the process dies."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from napari_blurgan.errors import DataError

__all__ = ["FolderLock", "Lock"]

NAME = ".lock"


class Lock:
    """Keeps others from writing to a file; released by the system with the process.

    Parameters
    ----------
    path : Path
        Of a file that stands for what is written; it is there while the lock is held,
        and empty.
    busy : str
        What to say to those who come second.
    """

    def __init__(self, path: Path, busy: str) -> None:
        self.path = path
        self.busy = busy
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Acquire the lock; no effect if it is already ours.

        On file systems without locks, files are written without one.

        Raises
        ------
        DataError
            If another process, or another writer in this one, has it, or the file
            cannot be made.
        """
        if self._file is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("a+b")
        except OSError as error:
            raise DataError(
                f"{self.path.parent}: cannot be written ({error.strerror or error})"
            ) from error
        if not _locked(file):
            file.close()
            raise DataError(self.busy)
        self._file = file

    def release(self) -> None:
        """Release the lock; no effect if it is not ours."""
        if self._file is not None:
            with suppress(OSError):  # Windows cannot remove an open file
                self.path.unlink()
            self._file.close()
            self._file = None


class FolderLock:
    """Keeps a second training from writing to a folder.

    Parameters
    ----------
    folder : Path
        Made where it is missing, and removed with the lock if nothing came into it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = False
        self._lock = Lock(
            folder / NAME,
            f"{folder}: another training is writing into this folder; wait for it to "
            "end, stop it, or choose another name",
        )

    def acquire(self) -> None:
        """Acquire the lock; see `Lock`."""
        self._made = self._made or not self.folder.exists()
        self._lock.acquire()

    def release(self) -> None:
        """Release the lock; no effect if it is not ours."""
        self._lock.release()
        if self._made:
            with suppress(OSError):  # it stays, with its content
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
        # The previous owner may have removed the file that we opened before.
        try:
            return os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
        except FileNotFoundError:
            return False
