"""Pause, resume and stop."""

from __future__ import annotations

from napari_blurgan.training.controls import Controls


def test_a_pause_is_undone_by_resume_and_by_stop() -> None:
    for undo in ("resume", "stop"):
        controls = Controls()
        assert not controls.paused
        controls.pause()
        assert controls.paused
        getattr(controls, undo)()
        assert not controls.paused
        assert controls._stopped.is_set() == (undo == "stop")
