"""A handful of the kills of `benchmarks/claims/kills.py`; it makes a hundred."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_killed_commands_leave_nothing_half_written_and_go_on() -> None:
    command = [sys.executable, "-m", "benchmarks.claims.kills", "--kills", "6"]
    jobs = ["restore to zarr", "replace a TIFF", "references"]
    done = subprocess.run(
        [*command, "--only", *jobs], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| 2 |") == len(jobs)
    assert done.stdout.count("equal") == len(jobs)
    assert "left behind: nothing" in done.stdout
