"""`Recipes`: the recipes to choose from, including those from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from napari_blurgan.errors import BlurGANError
from napari_blurgan.widgets._controls import Messages, button
from napari_blurgan.widgets._fields import changes_of
from napari_blurgan.writing.atomic import replacing

if TYPE_CHECKING:
    from napari_blurgan.methods.recipe import Recipe
    from napari_blurgan.widgets._forms import Form

__all__ = ["Recipes"]

FILES = "Recipes (*.yaml *.yml *.json);;All files (*)"


class Recipes(QWidget):
    """*Load settings…* and *Save settings…*: recipe files, as `blurgan train` reads.

    Parameters
    ----------
    form : Form
        Its field ``"preset"`` offers what was loaded, too.
    advanced : Form
        Its field ``"changes"`` counts for what is saved, and is empty after loading.
    messages : Messages
        Where to say what is wrong with a file.
    """

    def __init__(self, form: Form, advanced: Form, messages: Messages) -> None:
        super().__init__()
        self._choice = form["preset"]
        self._changes = advanced["changes"]
        self._messages = messages
        self._loaded: dict[str, Recipe] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for made in (
            button("Load settings…", "Choose a recipe file", self._ask_to_load),
            button("Save settings…", "Save the recipe to a file", self._ask_to_save),
        ):
            layout.addWidget(made)

    @property
    def base(self) -> Recipe | None:
        """The chosen recipe of a file; None for a preset."""
        return self._loaded.get(self._choice.value)

    def load(self, path: Path) -> bool:
        """Offer the recipe of a file and choose it; return whether it could be read."""
        from napari_blurgan.methods.recipe import Recipe

        try:
            recipe = Recipe.read(path)
        except (BlurGANError, OSError) as error:
            self._messages.refuse(f"{path}: {error}")
            return False
        name = f"{path.parent.name}/{path.name}"
        self._loaded[name] = recipe
        presets = [c for c in self._choice.choices if c not in self._loaded]
        self._choice.choices = [*presets, *self._loaded]
        self._choice.value, self._changes.value = name, ""
        return True

    def save(self, path: Path) -> None:
        """Write the chosen recipe and its changes, completely or not at all."""
        from napari_blurgan.methods.presets import preset

        try:
            base = self.base or preset(self._choice.value)
            text = base.updated(changes_of(self._changes.value)).to_yaml()
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except (BlurGANError, OSError) as error:
            self._messages.refuse(error)

    def _ask_to_load(self) -> None:
        self._with(
            QFileDialog.getOpenFileName(self, "Load settings", "", FILES), self.load
        )

    def _ask_to_save(self) -> None:
        usual = "recipe.yaml"
        self._with(
            QFileDialog.getSaveFileName(self, "Save settings", usual, FILES), self.save
        )

    @staticmethod
    def _with(answer: tuple[str, str], use: Any) -> None:
        if answer[0]:
            use(Path(answer[0]))
