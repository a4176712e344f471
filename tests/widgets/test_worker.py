"""Jobs in threads: what is reported, what fails, and who hears of it."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import pytest
import torch
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QThread

from napari_blurgan.errors import DataError
from napari_blurgan.widgets import _worker
from napari_blurgan.widgets._worker import Job, TrainingJob, explain


def run(qtbot: QtBot, job: Job) -> Any:
    """Run to the end; return reports, results, failures and the order of signals."""
    told = {"reported": [], "returned": [], "failed": []}
    job.reported.connect(told["reported"].extend)
    job.returned.connect(told["returned"].append)
    job.failed.connect(told["failed"].append)
    with qtbot.waitSignal(job.ended, timeout=20_000):
        job.start()
    assert job.wait(1)
    assert not job.running
    return told


def test_reports_arrive_in_order_and_before_the_result(qtbot: QtBot) -> None:
    def work(report: Any) -> Any:
        for i in range(1000):
            report(i)
        return "done"

    told = run(qtbot, Job(work))
    assert told["reported"] == list(range(1000))
    assert (told["returned"], told["failed"]) == (["done"], [])


def test_slots_run_in_the_thread_of_the_widgets(qtbot: QtBot) -> None:
    here = QThread.currentThread()
    threads = []
    job = Job(lambda report: report(threading.current_thread().name))
    job.reported.connect(lambda names: threads.append((names, QThread.currentThread())))
    run(qtbot, job)
    assert threads == [(["blurgan"], here)]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes differ"),
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        DataError("the stack is empty"),
        SystemExit(1),
        StopIteration(),
    ],
)
def test_every_exception_is_reported(qtbot: QtBot, error: Any) -> None:
    def work(report: Any) -> None:
        report("last words")
        raise error

    told = run(qtbot, Job(work))
    assert told["reported"] == ["last words"]
    (failure,) = told["failed"]
    assert failure.sentence == explain(error)
    assert "in work" in failure.details
    assert told["returned"] == []


def test_our_own_errors_speak_for_themselves() -> None:
    assert explain(DataError("the stack is empty")) == "the stack is empty"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_says_what_to_do(error: Any) -> None:
    assert "smaller tiles" in explain(error)


def test_a_failure_holds_no_memory(qtbot: QtBot) -> None:
    class Big:
        pass

    kept = []

    def work(report: Any) -> None:
        big = Big()
        kept.append(weakref.ref(big))
        raise RuntimeError("boom")

    job = Job(work)
    run(qtbot, job)
    gc.collect()
    assert kept[0]() is None


def test_cancel_ends_at_the_next_report_without_a_failure(qtbot: QtBot) -> None:
    started = threading.Event()

    def work(report: Any) -> None:
        for i in range(10**9):
            report(i)
            started.set()

    job = Job(work)
    ends = []
    job.failed.connect(ends.append)
    job.returned.connect(ends.append)
    job.start()
    qtbot.waitUntil(started.is_set, timeout=20_000)
    with qtbot.waitSignal(job.ended, timeout=5000):
        job.cancel()
    assert ends == []


class Scripted:
    """Trainer-shaped: counts until it is stopped, and does what the flags say."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.going = threading.Event()
        self.going.set()

    def __iter__(self) -> Iterator[Any]:
        count = 0
        while not self.stopped.is_set():
            if self.going.is_set():
                count += 1
                yield count
        yield "checkpoint"

    def pause(self) -> None:
        self.going.clear()

    def resume(self) -> None:
        self.going.set()

    def stop(self) -> None:
        self.stopped.set()

    def look_at(self, middle: Sequence[float], time: int = 0) -> None:
        self.middle, self.time = middle, time


def test_a_stop_before_the_trainer_exists_is_not_lost(qtbot: QtBot) -> None:
    job = TrainingJob(lambda report: Scripted())
    job.stop()
    assert run(qtbot, job)["reported"] == []  # there was nothing yet to keep
    assert not job.running


def test_a_pause_before_the_trainer_exists_is_not_lost(qtbot: QtBot) -> None:
    trainer = Scripted()
    job = TrainingJob(lambda report: trainer)
    job.pause()
    job.start()
    qtbot.waitUntil(lambda: not trainer.going.is_set(), timeout=20_000)
    with qtbot.waitSignal(job.reported, timeout=5000):
        job.resume()
    with qtbot.waitSignal(job.ended, timeout=5000):
        job.stop()


def test_a_look_elsewhere_before_the_trainer_exists_is_not_lost(qtbot: QtBot) -> None:
    trainer = Scripted()
    job = TrainingJob(lambda report: trainer)
    job.look_at((1, 2, 3))
    job.start()
    qtbot.waitUntil(lambda: hasattr(trainer, "middle"), timeout=20_000)
    assert trainer.middle == (1, 2, 3)
    job.look_at((4, 5, 6), 7)
    assert (trainer.middle, trainer.time) == ((4, 5, 6), 7)
    with qtbot.waitSignal(job.ended, timeout=5000):
        job.stop()


def test_an_error_while_the_trainer_is_made_is_told(qtbot: QtBot) -> None:
    def make(report: Any) -> None:
        raise DataError("no such file")

    (failure,) = run(qtbot, TrainingJob(make))["failed"]
    assert failure.sentence == "no such file"


def test_stop_is_heeded_while_the_trainer_is_being_made(qtbot: QtBot) -> None:
    begun, failures = threading.Event(), []

    def make(report: Any) -> None:
        for _ in range(500):
            begun.set()
            time.sleep(0.01)
            report("a stage")
        raise AssertionError("nobody stopped it")

    job = TrainingJob(make)
    job.failed.connect(failures.append)
    job.start()
    qtbot.waitUntil(begun.is_set, timeout=10_000)
    with qtbot.waitSignal(job.ended, timeout=5_000):
        job.stop()
    assert not failures


def test_a_stop_while_torch_is_being_imported_is_an_end_like_any_other(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = threading.Event()

    def warm_up() -> None:
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # half imported
        importing.set()
        time.sleep(0.5)

    monkeypatch.setattr(_worker, "warm_up", warm_up)
    job = TrainingJob(lambda report: Scripted())
    job.start()
    qtbot.waitUntil(importing.is_set, timeout=10_000)
    with qtbot.waitSignal(job.ended, timeout=5_000):
        job.stop()
    assert job.wait(5)
