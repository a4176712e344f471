"""What a person does, by mouse alone, counting the clicks."""

import pytest
from qtpy.QtCore import Qt

from napari_blurgan.widgets._controls import Phase


@pytest.fixture
def person(make_napari_viewer, qtbot):
    return Person(make_napari_viewer(), qtbot)


class Person:
    """Someone with a mouse and no keyboard."""

    def __init__(self, viewer, qtbot):
        self.viewer = viewer
        self.clicks = 0
        self._qtbot = qtbot

    def choose(self, menu, *path):
        """Open a menu, follow its submenus, click an entry."""
        self.clicks += 2  # the menu and the entry; submenus open under the mouse
        for name in path[:-1]:
            menu = entry(menu, name).menu()
        entry(menu, path[-1]).trigger()

    def click(self, button):
        self.clicks += 1
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def widget(self, title):
        return self.viewer.window.dock_widgets[title]

    def wait_for(self, layer, widget):
        self._qtbot.waitUntil(
            lambda: layer in self.viewer.layers or widget.run.phase is Phase.IDLE,
            timeout=120_000,
        )
        assert layer in self.viewer.layers, widget.messages.details


def entry(menu, text):
    menu.aboutToShow.emit()
    return next(a for a in menu.actions() if a.text().startswith(text))


def test_from_a_sample_to_the_first_preview(person):
    """At most six clicks, and no typing."""
    person.viewer.open_sample("napari-blurgan", "microtubules")
    person.choose(person.viewer.window.plugins_menu, "BlurGAN", "Train")
    train = person.widget("Train (BlurGAN)")
    person.click(train.run.start_button)
    person.wait_for("microtubules, blurred · preview", train)
    assert person.clicks <= 6
    train._job.finish(20)
