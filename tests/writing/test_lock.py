"""One writer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.writing.lock import FolderLock, Lock

TAKE = """
import sys
from pathlib import Path
from napari_blurgan.writing.lock import Lock
Lock(Path(sys.argv[1]), "busy").acquire()
"""


def other(path: Path) -> int:
    """Return the exit status of another process that takes the lock."""
    command = [sys.executable, "-c", TAKE, str(path)]
    return subprocess.run(command, env=os.environ, capture_output=True).returncode


def test_another_process_must_wait_until_the_lock_is_released(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "a.lock", "busy")
    lock.acquire()
    lock.acquire()  # it is ours already
    assert other(tmp_path / "a.lock") != 0
    lock.release()
    assert other(tmp_path / "a.lock") == 0


def test_a_dead_process_keeps_no_lock(tmp_path: Path) -> None:
    assert other(tmp_path / "a.lock") == 0
    lock = Lock(tmp_path / "a.lock", "busy")
    lock.acquire()
    lock.release()


def test_two_trainings_cannot_write_to_one_folder(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    with pytest.raises(DataError, match="another training"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
