"""TorchScript from unknown sources: programs, which may compute and nothing else."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from napari_blurgan.errors import ModelFileError
from napari_blurgan.headers.limits import refuse_beyond_memory

__all__ = ["refuse_side_effects"]

TOUCHING = {"save", "from_file", "rpc_sync", "rpc_async", "rpc_remote"}
"""Words of TorchScript for writing or reading files or accessing other computers, among
the operations of `CALCULATING`."""

CALCULATING = {"aten", "prim"}
"""Families of operations that only compute, except for those above."""

WORD = re.compile(r"[A-Za-z_]\w*")
FAMILY = re.compile(r"\bops\b[\s\\]*\.[\s\\]*(\w+)")
FOREIGN = re.compile(r"\btorch[\s\\]*\.[\s\\]*(classes)\b")
"""Classes written in C++, including stores in files."""


def refuse_side_effects(content: bytes) -> None:
    """Inspect the code of an archive before any of it is loaded.

    Parameters
    ----------
    content : bytes
        A TorchScript archive.

    Raises
    ------
    ModelFileError
        If it is no archive with code in plain text, or its code names what touches
        files, other computers or foreign libraries.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = list(_code(archive))
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError) as error:
        raise ModelFileError(f"not readable as TorchScript ({error})") from None
    if not texts:
        raise ModelFileError("not TorchScript: it contains no code in plain text")
    for text in texts:
        odd = TOUCHING.intersection(WORD.findall(text))
        odd |= set(FAMILY.findall(text)) - CALCULATING
        odd |= set(FOREIGN.findall(text))
        if odd:
            raise ModelFileError(
                f"its code may do more than compute: it refers to "
                f"{', '.join(sorted(odd))}"
            )


def _code(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise ModelFileError("it contains two files of the same name")
    for info in archive.infolist():
        if info.filename.endswith(".py"):
            refuse_beyond_memory(info.file_size, info.filename)
            yield archive.read(info).decode("utf-8")
