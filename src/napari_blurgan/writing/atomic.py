"""Files that are complete or absent."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_blurgan.errors import BlurGANError, DataError

__all__ = ["replace_folder", "replacing", "replacing_folder"]


@contextmanager
def replacing(
    path: str | os.PathLike[str], error: type[BlurGANError] = DataError
) -> Iterator[Path]:
    """Yield a temporary name next to `path` that replaces it at the end.

    If the body raises, the temporary file is removed and `path` is unchanged. Missing
    folders are created.

    Parameters
    ----------
    path : path-like
        The file.
    error : type
        What is raised where the operating system does not allow it (no permission,
        disk full).

    Raises
    ------
    BlurGANError
        Of the kind `error`.
    """
    target = Path(path)
    with _refused(target, error):
        temporary = _beside(target)
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the name of a folder to create, which replaces `path` at the end.

    If the body raises, the new folder is removed and `path` is unchanged.

    Raises
    ------
    DataError
        If the operating system does not allow it (no permission, disk full).
    """
    target = Path(path)
    with _refused(target, DataError):
        temporary = _beside(target)
        try:
            yield temporary
            replace_folder(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _beside(target: Path) -> Path:
    """Return an unused name in the folder of `target`, which is created."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")


@contextmanager
def _refused(target: Path, kind: type[BlurGANError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # numpy reports a full disk as "N requested and M written", without a number.
        reason = error.strerror or f"is the disk full? {error}"
        raise kind(f"{target}: cannot be written ({reason})") from error


def replace_folder(new: Path, target: Path) -> None:
    """Rename a folder to its final name; an existing one is complete until then.

    A folder cannot replace another one atomically: the old one is renamed first, and
    removed when the new one is in place.
    """
    if not os.path.lexists(target):
        new.replace(target)
        return
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.replace(old)
    try:
        new.replace(target)
    except BaseException:
        old.replace(target)
        raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)
