"""A hook of mkdocs: links out of docs/ become plain text on the site.

In the repository they lead to sources and scripts, which the site does not hold.
"""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page without links that lead out of the site."""
    return OUTSIDE.sub(r"\1", markdown)
