"""How channels of an OME-Zarr are to be displayed."""

from __future__ import annotations

import numpy as np
import zarr

from napari_blurgan.writing.omero import channels, set_windows


def test_every_named_channel_has_name_colour_and_window() -> None:
    entries = channels(["DNA", "actin"])
    assert [entry["label"] for entry in entries] == ["DNA", "actin"]
    assert all(len(entry["color"]) == 6 for entry in entries)
    assert entries[0]["color"] != entries[1]["color"]
    axes = [{"name": name} for name in "tczyx"]
    ome = {"omero": {"channels": entries}, "multiscales": [{"axes": axes}]}
    pixels = zarr.create_array(
        {}, shape=(1, 2, 1, 3, 4), chunks=(1, 1, 1, 2, 4), dtype=float
    )
    pixels[:] = np.arange(24.0).reshape(1, 2, 1, 3, 4)
    set_windows(ome, pixels)
    windows = [entry["window"] for entry in entries]
    assert [(w["start"], w["end"]) for w in windows] == [(0, 11), (12, 23)]


def test_without_names_there_is_nothing_to_display() -> None:
    assert channels([]) == []
