"""The toy staining task, short: the content stays where it is, with the constraint."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.monitoring.events import ContentMeasured
from napari_blurgan.optics.phantoms import stained_cells
from napari_blurgan.training.trainer import Trainer

ALPHA, BETA = 0.265, 0.82


def domain(
    count: tuple[int, int], images: int, seed: int
) -> list[tuple[np.ndarray, ...]]:
    drawn = [stained_cells((64, 64), seed=seed + n, count=count) for n in range(images)]
    return [(d.grey, d.colour) for d in drawn]


def test_content_is_kept_where_the_two_domains_differ_in_it() -> None:
    """Few cells in A, many in B: a plain cycleGAN invents, or swaps, at this length."""
    few, many = domain((2, 4), 100, 0), domain((4, 7), 100, 500)
    a = Stack(np.stack([grey for grey, _ in few]), "TYX", name="A")
    b = Stack(np.stack([colour for _, colour in many]), "TYXS", name="B")
    recipe = preset("utom").updated(
        {
            "saliency.alpha": ALPHA,
            "saliency.beta": BETA,
            "saliency.bright_background_b": True,
        }
    )
    events = list(Trainer(recipe, [a], [b], steps=120, device="cpu"))
    content = [e.content for e in events if isinstance(e, ContentMeasured)][-1]
    assert content.held_out
    assert content.iou > 0.65
    model = events[-1].model
    grey, colour = (
        np.stack(kind) for kind in zip(*domain((2, 4), 10, 900), strict=True)
    )
    made = model.operator()(torch.from_numpy(model.input.apply(grey[:, None])))
    after = np.moveaxis(model.output.undo(made.numpy()), 1, -1)
    error = np.square(after - colour).mean()
    assert -10 * np.log10(error) > 19
