"""What each extra brings and weighs: packages and MB as they are installed here."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9._-]+")
EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def main() -> None:
    ours = distribution("napari-blurgan")
    plain = closure(ours, "")
    print("| extra | packages more | MB more |")
    print("|---|---|---|")
    print(f"| none | {len(plain)} | {megabytes(plain)} |")
    for extra in sorted(ours.metadata.get_all("Provides-Extra") or ()):
        more = closure(ours, extra) - plain
        print(f"| `{extra}` | {len(more)} | {megabytes(more)} |")


def closure(of: Distribution, extra: str) -> set[str]:
    """Return the installed packages that a package needs, directly or not."""
    found: set[str] = set()
    todo = [(of, extra)]
    while todo:
        package, wanted = todo.pop()
        for line in package.requires or ():
            name, asked = NAME.match(line), EXTRA.search(line)
            if name is None or (asked and asked[1] != wanted):
                continue
            key = name[0].lower().replace("_", "-")
            if key in found:
                continue
            try:
                needed = distribution(key)
            except PackageNotFoundError:  # not for this system, or an extra's extra
                continue
            found.add(key)
            inner = re.search(r"\[(\w+)", line)
            todo.append((needed, inner[1] if inner else ""))
    return found


def megabytes(names: set[str]) -> str:
    size = 0
    for name in names:
        for file in distribution(name).files or ():
            path = Path(str(file.locate()))
            size += path.stat().st_size if path.is_file() else 0
    return f"{size / 1e6:,.0f}"


if __name__ == "__main__":
    main()
