"""What a package index, a citation and a conda recipe say of the project is true."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.package_page import LINK, addresses, for_index
from scripts.version import BEFORE_THE_FIRST_TAG, version

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def targets(text: str) -> list[str]:
    return [link["target"] for link in LINK.finditer(text)]


def test_no_link_on_the_index_leads_nowhere() -> None:
    shown = for_index(README, "", "0.1.0")
    assert all(t.startswith(("https://", "#")) for t in targets(shown))
    assert "Installing" in shown


def test_links_follow_from_the_one_address() -> None:
    shown = for_index(README, "https://example.org/r", "1.2.3")
    assert "(https://example.org/r/blob/v1.2.3/docs/install.md)" in shown
    assert "(https://example.org/r/raw/v1.2.3/docs/images/demo-report.png)" in shown
    development = for_index(README, "https://example.org/r", "1.2.3.post4+gabc")
    assert "(https://example.org/r/blob/main/docs/install.md)" in development
    assert addresses("") == {}
    assert set(addresses("https://example.org/r")) > {"Source", "Issues"}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *who, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_the_version_is_that_of_the_tag(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "one")
    assert version(tmp_path) == BEFORE_THE_FIRST_TAG
    git(tmp_path, "tag", "v1.2.3")
    assert version(tmp_path) == "1.2.3"
    git(tmp_path, "commit", "--allow-empty", "-m", "two")
    assert re.fullmatch(r"1\.2\.3\.post1\+g[0-9a-f]+", version(tmp_path))
    (tmp_path / "PKG-INFO").write_text("Name: a\nVersion: 4.5\n", encoding="utf-8")
    assert version(tmp_path) == "4.5"


def test_the_citation_names_the_papers_and_the_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    dois = {reference["doi"] for reference in cited["references"]}
    assert dois == set(re.findall(r"https://doi\.org/([^)\s]+)", README))
    released = re.findall(r"^## \[?(\d[\w.]*)", CHANGES, re.M)
    assert cited["version"] == (released or [BEFORE_THE_FIRST_TAG])[0]


def bounds(lines: list[str]) -> dict[str, str]:
    found = (re.fullmatch(r"([\w-]+?)(?:-base)? ?>=([\d.]+)", line) for line in lines)
    return {m[1].replace("pytorch", "torch"): m[2] for m in found if m}


def test_the_conda_recipe_asks_for_what_the_package_asks_for() -> None:
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text("utf-8"))
    wanted = bounds(PROJECT["project"]["dependencies"])
    found = bounds(recipe["requirements"]["run"])
    assert found.pop("python") == PROJECT["project"]["requires-python"].strip(">=")
    assert found == wanted


@pytest.mark.parametrize("page", sorted((ROOT / ".github").rglob("*.yml")), ids=str)
def test_workflows_and_templates_are_yaml(page: Path) -> None:
    assert yaml.safe_load(page.read_text(encoding="utf-8"))
