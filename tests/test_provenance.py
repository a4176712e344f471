"""The provenance of a result says what, by which version, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version

from napari_blurgan.provenance import created, provenance_of


def test_the_time_is_now_in_utc() -> None:
    found = datetime.fromisoformat(created())
    assert abs((datetime.now(UTC) - found).total_seconds()) < 60


def test_a_result_names_its_step_its_version_and_its_facts() -> None:
    found = provenance_of("restored", {"model": "abc"})
    assert found["model"] == "abc"
    words = json.dumps(found)
    assert "restored" in words
    assert version("napari-blurgan") in words
