"""Long work ends in the middle of a loop when it is asked to."""

from __future__ import annotations

import threading

import pytest

from napari_blurgan.errors import CancelledError
from napari_blurgan.interruption import heed_stop, inherited, interruptible


def test_a_loop_ends_once_it_is_asked_to() -> None:
    rounds = 0
    with pytest.raises(CancelledError), interruptible(lambda: rounds >= 3):
        while True:
            heed_stop()
            rounds += 1
    assert rounds == 3


def test_outside_of_such_work_nothing_stops() -> None:
    with interruptible(lambda: True):
        pass
    heed_stop()


def test_a_helping_thread_ends_with_the_work() -> None:
    ended = []

    def help_out(begin: object) -> None:
        begin()
        try:
            heed_stop()
        except CancelledError:
            ended.append(True)

    with interruptible(lambda: True):
        thread = threading.Thread(target=help_out, args=(inherited(lambda: False),))
        thread.start()
        thread.join()
    assert ended == [True]
