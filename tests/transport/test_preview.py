"""The field that is shown while a network learns: where it lies, and that it moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates import blocks, first_look
from napari_blurgan.estimates.first_look import around
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring import preview
from napari_blurgan.monitoring.events import Previewed
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training import trainer as trainer_module
from napari_blurgan.training.trainer import Trainer

FIELD = (6, 10, 10)


@pytest.fixture(autouse=True)
def small_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a field be a part of a block, a block a part of an image."""
    monkeypatch.setattr(first_look, "FIELD", FIELD)
    monkeypatch.setattr(preview, "FIELD", FIELD)
    monkeypatch.setattr(blocks, "BLOCK", {3: (20, 20, 20)})
    monkeypatch.setattr(trainer_module, "SHARE_SECONDS", 0.0)


def seen(
    trainer: Trainer, middles: Sequence[tuple[float, ...] | None]
) -> list[Previewed]:
    """Return the preview after each request."""
    found, left = [], list(middles)
    for event in trainer:
        if isinstance(event, Previewed):
            found.append(event)
            middle = left.pop(0) if left else None
            if middle is not None:
                trainer.look_at(middle)
    return found


def shown_as_measured(event: Previewed, image: Stack) -> None:
    index = tuple(
        slice(c, c + n)
        for c, n in zip(event.corner, event.before.shape[1:], strict=True)
    )
    np.testing.assert_allclose(event.before[0], image.data[index], rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("name", ["nonblind", "half", "supervised"])
def test_the_preview_goes_where_one_looks(
    name: str,
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    truth: list[Stack],
    psf: Psf,
) -> None:
    """To the middle that is asked for, in whatever block that lies."""
    x = truth if name == "supervised" else unpaired
    trainer = Trainer(tiny(name), measured, x, psf=psf, steps=4)
    places = [(10, 30, 9), (3, 5, 35), (99, 99, 99), (-5, -5, -5)]
    events = seen(trainer, [None, *places])
    for event in events:
        shown_as_measured(event, measured[0])
    corners = [event.corner for event in events]
    assert (7, 25, 4) in corners
    assert (0, 0, 30) in corners
    assert (14, 30, 30) in corners
    assert corners[-1] == (0, 0, 0)


def test_the_first_look_is_of_the_middle_that_is_asked_for_before(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack], psf: Psf
) -> None:
    trainer = Trainer(tiny("nonblind"), measured, unpaired, psf=psf, steps=1)
    trainer.look_at((10, 8, 12))
    first = next(event for event in trainer if isinstance(event, Previewed))
    assert first.corner == (7, 3, 7)
    shown_as_measured(first, measured[0])


def test_a_field_stays_within_its_image() -> None:
    assert around((5, 5), (4, 4), (10, 10)) == (3, 3)
    assert around((0, 99), (4, 4), (10, 10)) == (0, 6)
    assert around((7, 5, 5), (4, 4), (10, 10)) == (3, 3)
