"""The peak memory of a restoration from zarr to zarr does not grow with the volume."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import resource, sys
import torch, zarr
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import OmeZarrSink

class Plus:
    device = torch.device("cpu")
    halo, stride = (4, 4, 4), (4, 4, 4)
    def channels_out(self, channels_in):
        return channels_in
    def __call__(self, image):
        return image + 1

folder = sys.argv[1]
for planes in (32, 128):
    path = f"{folder}/in{planes}.zarr"
    # Nothing is written: all its chunks are the fill value.
    zarr.create_array(path, shape=(planes, 512, 512), chunks=(64,) * 3, dtype="float32")
    sink = OmeZarrSink(__import__("pathlib").Path(f"{folder}/out{planes}.zarr"))
    for event in apply(Plus(), read_stack(path), sink, tile=(64, 64, 64)):
        pass
    assert event.result.data[planes - 1, 511, 511] == 1
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_the_peak_is_that_of_a_volume_of_a_quarter(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = map(int, done.stdout.split())
    # The larger volume alone is 128 MiB: it would raise the peak by a quarter.
    assert large <= 1.1 * small
