"""A signal to each job of `benchmarks/claims/signals.py`; how soon is not asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS = ("train", "restore to TIFF", "restore to zarr", "deconvolve to zarr")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_commands_that_get_a_signal_keep_what_is_done_and_go_on() -> None:
    command = [sys.executable, "-m", "benchmarks.claims.signals", "--small"]
    options = ["--signals", "1", "--limit", "600", "--only", *JOBS]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines()[2:-1]]
    assert [row[0] for row in rows] == [f"| {job}" for job in JOBS]
    assert [row[2] for row in rows] == ["1"] * len(JOBS)
    assert done.stdout.count("equal") == len(JOBS)
    assert "left behind: nothing" in done.stdout
