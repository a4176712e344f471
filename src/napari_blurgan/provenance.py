"""The provenance in every result: which program, which step, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

__all__ = ["command", "created", "made_by", "provenance_of"]

COMMAND: ContextVar[tuple[str, ...]] = ContextVar("command", default=())
"""Arguments of the ``blurgan`` command that is running."""


@contextmanager
def made_by(arguments: Sequence[str]) -> Iterator[None]:
    """Keep the arguments of a ``blurgan`` command in all results made within."""
    token = COMMAND.set(tuple(arguments))
    try:
        yield
    finally:
        COMMAND.reset(token)


def command() -> dict[str, Any]:
    """Return the arguments of the running command; nothing without one."""
    arguments = COMMAND.get()
    return {"command": list(arguments)} if arguments else {}


def created() -> str:
    """Return the current time in the format of results, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance_of(step: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the provenance of a result, for JSON.

    Parameters
    ----------
    step : str
        ``"restore"``, ``"deconvolve"`` ...
    facts : dict
        Of that step.
    """
    software = {"software": "napari-blurgan", "version": version("napari-blurgan")}
    return {**software, "step": step, **facts, **command(), "created": created()}
