"""What a report of a problem says of the computer."""

from __future__ import annotations

import json
import sys

from napari_blurgan.system import system_facts


def test_the_facts_are_json_and_name_what_runs() -> None:
    facts = json.loads(json.dumps(system_facts()))
    assert facts["python"] == sys.version.split()[0]
    assert facts["memory_gb"] >= 0
    assert {"torch", "numpy"} <= facts["packages"].keys()
    assert all(
        device["precision"] in ("bfloat16", "float32") for device in facts["devices"]
    )
    assert facts["devices"]
