"""Make the figures and tables of the documentation anew: each by its own command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = (
    ("benchmarks/claims/phantoms.py",),
    ("benchmarks/claims/measures.py",),
    ("benchmarks/claims/physics.py",),
    ("-m", "napari_blurgan", "demo", "--out", "blurgan-demo"),
)


def main() -> None:
    for command in COMMANDS:
        print("python", *command, flush=True)
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    shutil.copy(
        ROOT / "blurgan-demo" / "report.png", ROOT / "docs/images/demo-report.png"
    )


if __name__ == "__main__":
    main()
