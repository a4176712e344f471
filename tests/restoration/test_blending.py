from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.data.stack import Stack
from napari_blurgan.restoration.events import Shrunk
from napari_blurgan.restoration.predict import apply
from tests.support.operators import Add, ramp, restored


class TileMean(Add):
    """Subtracts the mean of what it sees: tiles disagree, as with instance norm."""

    def __init__(self) -> None:
        super().__init__()
        self.halo = (4, 4, 4)

    def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
        return image - image.mean()


def test_blending_smooths_seams() -> None:
    image = np.tile(np.arange(48.0, dtype="float32"), (16, 16, 1))
    options = {"tile": (16, 16, 12), "margin": (0, 0, 0)}

    def largest_step(result: Any) -> Any:
        return np.abs(np.diff(result.data, axis=2) - 1).max()

    sharp = restored(TileMean(), image, **options)
    smooth = restored(TileMean(), image, blend=True, **options)

    assert largest_step(sharp) > 10
    assert largest_step(smooth) < largest_step(sharp) / 2


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_blending_what_agrees_changes_nothing(data: Any) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 20)] * 3))
    tile = data.draw(st.tuples(*[st.integers(4, 20)] * 3))
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    operator = Add(0)
    operator.halo = (4, 6, 5)
    result = restored(operator, Stack(image, "ZYX"), tile=tile, blend=True).data
    assert np.allclose(result, image, atol=1e-5)


def test_blending_with_little_memory_starts_the_frame_again() -> None:
    class Little(TileMean):
        def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
            if image[0, 0].numel() > 33_000:
                raise RuntimeError("out of memory")
            return super().__call__(image)

    image = ramp(16, 64, 64)
    events = list(apply(Little(), image, tile=(16, 64, 64), blend=True))
    assert [e.core for e in events if isinstance(e, Shrunk)]
    assert np.isfinite(events[-1].result.data).all()
