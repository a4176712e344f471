"""The manifest: found, valid, and every menu one that napari accepts."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-blurgan")


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    manifest.validate_imports()


def test_every_menu_takes_contributions(manifest: PluginManifest) -> None:
    accepted = {menu.value for menu in MenuId.contributables()}
    menus = manifest.contributions.menus
    assert menus
    assert set(menus) <= accepted


def test_every_widget_is_in_a_menu(manifest: PluginManifest) -> None:
    in_menus = {
        item.command for m in manifest.contributions.menus.values() for item in m
    }
    assert {w.command for w in manifest.contributions.widgets} <= in_menus


def test_no_key_bindings_for_napari_ignores_them(manifest: PluginManifest) -> None:
    assert not manifest.contributions.keybindings


def test_the_link_at_the_top_leads_to_the_manifest() -> None:
    link = ROOT / "napari.yaml"
    if not link.is_symlink():
        pytest.skip("this checkout has no symbolic links")
    assert (
        link.resolve() == Path(str(files("napari_blurgan") / "napari.yaml")).resolve()
    )
    assert not Path(link.readlink()).is_absolute()
