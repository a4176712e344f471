"""Tiles become smaller where memory is short."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.restoration.events import Shrunk
from napari_blurgan.restoration.predict import apply
from tests.support.operators import Add, Smooth, ramp, restored


def test_memory_for_hardly_more_than_halos_is_an_error_that_says_what_would_do() -> (
    None
):
    def planned(memory: Any) -> Any:
        return next(apply(operator, ramp(128, 128, 128), memory=memory)).plan

    operator = Smooth()
    operator.halo = (16,) * 3
    with pytest.raises(OutOfMemoryError, match="each voxel would be comp") as error:
        planned(10**6)
    need = float(re.search(r"at least ([\d.]+) GB", str(error.value))[1])
    plan = planned(int(1e9 * need))
    assert plan.tiles > 1
    assert min(plan.tiling.core) >= 16
    assert plan.device_bytes <= 1e9 * need
    with pytest.raises(OutOfMemoryError):
        planned(int(1e9 * need / 4))
    small = next(apply(operator, ramp(128, 128, 128), tile=(8, 8, 8), memory=10**6))
    assert small.plan.tiles == 16**3


class LittleMemory(Smooth):
    """A device that holds images of up to `voxels`."""

    def __init__(self, voxels: int, error: Any) -> None:
        super().__init__()
        self.voxels, self.error = voxels, error
        self.tried = []

    def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
        self.tried.append(image[0, 0].numel())
        # The probe for the plan is small: it fits.
        if image[0, 0].numel() > self.voxels:
            raise self.error
        return super().__call__(image)


OUT_OF_MEMORY = [
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_out_of_memory_makes_tiles_smaller_and_says_so(error: Any) -> None:
    image = np.random.default_rng(0).normal(size=(50, 50, 50)).astype("float32")
    expected = restored(Smooth(), image, tile=(50, 50, 50)).data

    operator = LittleMemory(36_000, error)
    events = list(apply(operator, image, tile=(25, 50, 50)))

    shrunk = [e for e in events if isinstance(e, Shrunk)]
    assert shrunk and np.prod(shrunk[-1].core) <= 36_000
    assert np.allclose(events[-1].result.data, expected, atol=1e-5)
    # What did not fit once is not tried again.
    assert sum(n > 36_000 for n in operator.tried) == 2


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_pieces_of_any_size_make_the_whole(data: Any) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 20)] * 3))
    tile = data.draw(st.tuples(*[st.integers(1, 20)] * 3))
    operator = Smooth(stride=data.draw(st.sampled_from([1, 2, 4])))
    pixels = np.random.default_rng(0).normal(size=shape).astype("float32")
    image = Stack(pixels, "ZYX")
    whole = restored(operator, image, tile=shape).data

    voxels = data.draw(st.integers(200, 4000))
    original, probed = operator.net, []

    def little(image: torch.Tensor) -> torch.Tensor:
        if probed and image[0, 0].numel() > voxels:
            raise MemoryError
        probed.append(True)
        return original(image)

    operator.net = little  # type: ignore[assignment]
    try:
        pieces = restored(operator, image, tile=tile).data
    except OutOfMemoryError:
        return
    assert np.abs(pieces - whole).max() <= 1e-5 * np.abs(whole).max()


def test_out_of_memory_for_the_smallest_tile_is_an_error() -> None:
    class Full(Smooth):
        count = 0

        def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
            self.count += 1
            if self.count > 1:
                raise RuntimeError("CUDA out of memory")
            return super().__call__(image)

    with pytest.raises(OutOfMemoryError, match="cannot be smaller"):
        list(apply(Full(), ramp(8, 8, 8)))


def test_other_failures_are_not_taken_for_lack_of_memory() -> None:
    class Broken(Add):
        def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
            if image.shape[-1] == 5:
                raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
            return image

    with pytest.raises(RuntimeError, match="multiplied"):
        list(apply(Broken(), ramp(4, 6, 5)))
