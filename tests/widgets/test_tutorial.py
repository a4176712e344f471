"""What the tutorial asks for is there, and can be done with its sample."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from napari.layers import Layer

from napari_blurgan.sampling.patches import check_disjoint
from napari_blurgan.tasks.sharp_set import SHARP_SETS
from napari_blurgan.widgets._layers import to_stack
from napari_blurgan.widgets.sample_data import dna

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_sample_has_the_layers_that_the_tutorial_names() -> None:
    layers = {attributes["name"]: attributes for _, attributes, _ in dna()}
    assert set(layers) == {"nucleus, widefield", "nucleus, confocal"}
    assert all(f"*{name}*" in TEXT for name in layers)
    assert not layers["nucleus, confocal"]["visible"]
    optics = layers["nucleus, widefield"]["metadata"]["napari-blurgan"]["optics"]
    assert (
        f"NA {optics['na']:g}, a water immersion, {optics['wavelength']:g} nm" in TEXT
    )
    assert layers["nucleus, widefield"]["metadata"]["napari-blurgan"]["recipe"] in TEXT
    assert f"*{SHARP_SETS['layers']}*" in TEXT


def test_its_two_images_may_be_in_the_two_domains() -> None:
    confocal, widefield = (to_stack(Layer.create(*layer)) for layer in dna())
    check_disjoint([widefield], [confocal])
    assert not np.array_equal(np.asarray(widefield), np.asarray(confocal))


def test_each_picture_is_made_by_the_script() -> None:
    script = PAGE.parents[1] / "scripts" / "screenshots_tutorial.py"
    pictures = re.findall(r"images/(tutorial-[\w-]+)\.png", TEXT)
    assert len(pictures) == 6
    assert all(f'"{name}"' in script.read_text(encoding="utf-8") for name in pictures)
