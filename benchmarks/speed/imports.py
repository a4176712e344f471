"""How long it takes until something happens: imports and helps, in CPU milliseconds.

Budgets: 150 ms for ``import napari_blurgan`` and 200 ms for ``blurgan --help``, beyond
the bare interpreter. CPU time of a fresh process, the least of several, since the clock
on the wall tells of the other users of the machine.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

ROWS = {
    "import napari_blurgan": ("-c", "import napari_blurgan"),
    "blurgan --help": ("-m", "napari_blurgan", "--help"),
    "blurgan restore --help": ("-m", "napari_blurgan", "restore", "--help"),
    "blurgan deconvolve rl --help": ("-m", "napari_blurgan", "deconvolve", "rl", "-h"),
    "blurgan train --help": ("-m", "napari_blurgan", "train", "--help"),
}


def cpu_ms(arguments: tuple[str, ...]) -> float:
    """Return the CPU time of a process of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1e3 * seconds


def main() -> None:
    """Print a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    bare = min(cpu_ms(("-c", "pass")) for _ in range(repeats))
    print(f"the bare interpreter takes {bare:.0f} ms\n")
    for name, arguments in ROWS.items():
        least = min(cpu_ms(arguments) for _ in range(repeats))
        print(f"{name:30} {least - bare:6.0f} ms more")


if __name__ == "__main__":
    main()
