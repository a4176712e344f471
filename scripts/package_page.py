"""What a package index shows of the README, and the addresses of the project.

The address of the repository is not known yet. Once it is, it stands in one place, the
table ``[tool.hatch.metadata.hooks.custom]`` of pyproject.toml; from it follow the links
on the page of the package and those of its README. Until then there are none: an
address that leads nowhere is worse than no link.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


class PackagePage(MetadataHookInterface):
    """Fills in ``readme`` and ``urls`` when a package is built."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add what pyproject.toml declares to be dynamic."""
        repository = str(self.config.get("repository", "")).rstrip("/")
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": for_index(readme, repository, str(metadata.get("version", ""))),
        }
        metadata["urls"] = addresses(repository, str(self.config.get("docs", "")))


def addresses(repository: str, docs: str = "") -> dict[str, str]:
    """Return the links beside the page of a package; none without a repository."""
    if not repository:
        return {}
    return {
        "Homepage": repository,
        "Documentation": docs or f"{repository}/tree/main/docs",
        "Source": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
    }


def for_index(readme: str, repository: str, version: str) -> str:
    """Return a README whose links lead somewhere from the page of a package.

    Parameters
    ----------
    readme : str
        With links relative to the repository.
    repository : str
        Its address; where it is empty, relative links become plain text, and pictures
        of the repository what they show in words.
    version : str
        Whose files the links lead to; the main branch for what was never tagged.
    """
    # Between releases there is no tag to link to.
    reference = f"v{version}" if re.fullmatch(r"[\d.]+", version) else "main"

    def made(link: re.Match[str]) -> str:
        target = link["target"]
        if re.match(r"https?://|mailto:|#", target):
            return link[0]
        if not repository:
            return f"*{link['text']}*" if link["image"] else link["text"]
        kind = "raw" if link["image"] else "blob"
        place = f"{repository}/{kind}/{reference}/{target}"
        return f"{link['image']}[{link['text']}]({place})"

    return LINK.sub(made, readme)
