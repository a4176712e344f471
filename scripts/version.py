"""The version of the package: that of the last tag, ``v1.2.3``, and what came since.

Hatchling evaluates `version` when it builds. A source distribution knows no tags: its
own metadata say which version it is. Neither needs more than Python and git.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEFORE_THE_FIRST_TAG = "0.1.0"
DESCRIBED = re.compile(r"v(?P<tag>\d[\w.]*)-(?P<since>\d+)-g(?P<commit>[0-9a-f]+)")


def version(root: Path = ROOT) -> str:
    """Return the version of a source tree, as PEP 440 writes it.

    Parameters
    ----------
    root : Path
        A clone, or an unpacked source distribution.
    """
    return _packed(root) or _tagged(root) or BEFORE_THE_FIRST_TAG


def _packed(root: Path) -> str | None:
    """Return the version that a source distribution was made with."""
    facts = root / "PKG-INFO"
    if not facts.is_file():
        return None
    found = re.search(r"^Version: (.+)$", facts.read_text(encoding="utf-8"), re.M)
    return found[1] if found else None


def _tagged(root: Path) -> str | None:
    """Return the version of the last tag, with the commits since."""
    command = ["git", "describe", "--tags", "--long", "--match", "v[0-9]*"]
    try:
        said = subprocess.run(
            command, cwd=root, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    found = DESCRIBED.fullmatch(said)
    if found is None:
        return None
    if found["since"] == "0":
        return found["tag"]
    return f"{found['tag']}.post{found['since']}+g{found['commit']}"
