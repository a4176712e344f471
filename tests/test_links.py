"""Links of the documents lead to files and to headings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.package_page import LINK

ROOT = Path(__file__).parents[1]
OWN = ("docs", "benchmarks", ".github", "src", "recipe")
INSIDE = (page for folder in OWN for page in (ROOT / folder).rglob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *INSIDE])
BLOCK = re.compile(r"^```.*?^```", re.M | re.S)


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))


def anchors(page: Path) -> set[str]:
    """Return what headings can be linked to, named as repositories and sites do."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.M)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(without_code(page.read_text(encoding="utf-8"))):
        target, _, anchor = link["target"].partition("#")
        if re.match(r"\w+:", target):
            continue
        file = page.parent / target if target else page
        assert file.exists(), link[0]
        if anchor:
            assert anchor in anchors(file), link[0]
