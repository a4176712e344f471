"""What is stopped leaves neither a result nor a thread."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.interruption import heed_stop
from napari_blurgan.restoration.events import TileDone
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import MemorySink
from tests.support.operators import Add, ramp


class Endless(Add):
    """An operator of a minute, in rounds."""

    def __init__(self, begun: threading.Event) -> None:
        super().__init__(1)
        self.begun = begun

    def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
        self.begun.set()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            heed_stop()
            time.sleep(0.01)
        return image


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C raise here, also where tests run in processes that ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_what_a_thread_computes() -> None:
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait(30)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    image = Stack(np.ones((4, 6, 6), np.float32), "ZYX")
    with pytest.raises(KeyboardInterrupt):
        list(apply(Endless(begun), image, tile=(4, 6, 6)))
    assert not [t for t in threading.enumerate() if t.name.startswith("restore")]


def test_stopping_early_leaves_no_result() -> None:
    class Watched(MemorySink):
        aborted = False

        def abort(self) -> None:
            self.aborted = True
            super().abort()

    sink = Watched()
    events = apply(Add(), ramp(4, 6, 5), sink, tile=(1, 6, 5))
    for event in events:
        if isinstance(event, TileDone):
            break
    events.close()
    assert sink.aborted
