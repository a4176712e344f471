"""Make the figures and tables of the documentation that are cheap, by their commands.

`--list` only prints the commands. What takes hours, real data or other programs is in
benchmarks/README.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = (
    ("benchmarks.claims.phantoms",),
    ("benchmarks.claims.measures",),
    ("benchmarks.claims.physics",),
    ("benchmarks.claims.spectral",),
    ("benchmarks.claims.blur",),
    ("benchmarks.claims.papers_report",),
    ("benchmarks.claims.utom_tables",),
    ("benchmarks.claims.borders", "--seams"),
    ("benchmarks.claims.classical_quality",),
    ("napari_blurgan", "demo", "--out", "blurgan-demo"),
)


def main() -> None:
    for module, *options in COMMANDS:
        print("python -m", module, *options, flush=True)
        if "--list" not in sys.argv[1:]:
            command = [sys.executable, "-m", module, *options]
            subprocess.run(command, cwd=ROOT, check=True)
    if "--list" not in sys.argv[1:]:
        report = ROOT / "blurgan-demo" / "report.png"
        shutil.copy(report, ROOT / "docs/images/demo-report.png")


if __name__ == "__main__":
    main()
