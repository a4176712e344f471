"""The provenance in every result: which program, which step, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

__all__ = ["created", "provenance_of"]


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
    return {**software, "step": step, **facts, "created": created()}
