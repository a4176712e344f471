"""What repositories of other programs contain besides code, as a table.

    python -m benchmarks.claims.peers FOLDER

FOLDER holds a clone of each, bare or not, by the name in `PEERS`. A tick says that a
file of that kind is in the repository, or that the README speaks of it: no more.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PEERS = (
    "careamics-napari",
    "aydin",
    "cellpose",
    "napari-n2v",
    "RedLionfish",
    "pyclesperanto",
    "deconwolf",
    "sdeconv",
    "DeconvolutionLab2",
)
HERE = Path(__file__).parents[2]
CODE = ("*.py", "*.toml", "*.cfg", "*.c", "*.java")


@dataclass
class Repository:
    """The last commit of a clone."""

    path: Path

    def git(self, *words: str) -> str:
        """Return what a command of git prints; nothing if it fails."""
        command = ["git", "-C", str(self.path), *words]
        found = subprocess.run(command, capture_output=True, check=False)
        return found.stdout.decode("utf-8", "replace")

    @cached_property
    def files(self) -> list[str]:
        """Return the paths of all files."""
        return self.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()

    def has(self, pattern: str) -> bool:
        """Return whether a path matches."""
        return any(re.search(pattern, name, re.IGNORECASE) for name in self.files)

    @cached_property
    def readme(self) -> str:
        """Return the README."""
        names = [n for n in self.files if re.fullmatch(r"(?i)readme(\.\w+)?", n)]
        return self.git("show", f"HEAD:{names[0]}") if names else ""

    def says(self, pattern: str) -> bool:
        """Return whether the README matches."""
        return bool(re.search(pattern, self.readme, re.IGNORECASE))

    def uses(self, pattern: str) -> bool:
        """Return whether code, or what it requires, matches."""
        return bool(self.git("grep", "-liE", pattern, "HEAD", "--", *CODE))

    @cached_property
    def systems(self) -> set[str]:
        """Return the operating systems that workflows name."""
        names = [n for n in self.files if n.startswith(".github/workflows/")]
        text = "".join(self.git("show", f"HEAD:{name}") for name in names)
        return set(re.findall(r"(ubuntu|windows|macos)-", text))


ROWS: dict[str, Callable[[Repository], bool]] = {
    "documentation in the repository": lambda r: r.has(r"^docs?/"),
    "tutorial or quick start": lambda r: (
        r.says(r"tutorial|getting started|quick.?start")
        or r.has(r"^docs?/.*(tutorial|getting.?started|quick.?start)")
    ),
    "notebooks": lambda r: r.has(r"(?<!checkpoint)\.ipynb$"),
    "conda": lambda r: (
        r.has(r"conda-recipe|(^|/)recipe\.yaml|meta\.yaml") or r.says("conda-forge")
    ),
    "the README speaks of GPUs": lambda r: r.says(r"\b(gpu|cuda|opencl|nvidia)\b"),
    "files of vendors (ND2, CZI, LIF)": lambda r: r.uses(
        r"\b(nd2|czifile|liffile|bioformats|bioio|aicsimageio)\b"
    ),
    "models as bioimage.io or ONNX": lambda r: r.uses(r"bioimageio|\bonnx\b"),
    "how to cite": lambda r: r.has(r"^citation") or r.says(r"\bcite\b|citation|citing"),
    "CONTRIBUTING": lambda r: r.has(r"contributing"),
    "code of conduct": lambda r: r.has(r"code.of.conduct"),
    "templates for issues": lambda r: r.has(r"issue_template"),
    "CI on three systems": lambda r: len(r.systems) == 3,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    peers = {name: Repository(folder / name) for name in PEERS}
    columns = {"here": Repository(HERE)} | peers
    print("| |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    dates = (r.git("log", "-1", "--format=%cs").strip() for r in peers.values())
    print("| last commit looked at | |", " | ".join(dates), "|")
    for row, rule in ROWS.items():
        found = ("✓" if rule(repository) else "✗" for repository in columns.values())
        print(f"| {row} |", " | ".join(found), "|")


if __name__ == "__main__":
    main()
