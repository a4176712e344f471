"""The tables of docs/restore.md: speed, whole volumes and memory.

    python -m benchmarks.speed.restore [--device cuda] [--threads 1] [--base 8]
    python -m benchmarks.speed.restore --volumes          # the papers' volumes too
    python -m benchmarks.speed.restore --memory 1 4       # peak RSS, in GiB of volume

Each run replaces its table in the document.

MONAI is only needed for its row: pip install --no-deps --target DIR monai==1.6.1 and
PYTHONPATH=DIR.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.helpers.presets import preset_operator
from benchmarks.helpers.tables import write_table
from napari_blurgan.networks.unet import UNet
from napari_blurgan.restoration.events import Finished, Planned
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import OmeZarrSink
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.tiling import Tiling

PAPER_VOLUMES = {"512×512×50": (50, 512, 512), "256×512×128": (128, 256, 512)}


class NetworkOperator:
    """A U-Net with batch norm at inference, in float32 or bfloat16."""

    def __init__(self, base: int, device: str, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        self.net = UNet(3, 1, 1, base=base).eval().to(device)
        self.device = torch.device(device)
        self.dtype = dtype
        if dtype != torch.float32:
            self.net.to(memory_format=torch.channels_last_3d)
        self.halo = self.net.receptive_halo
        self.stride = self.net.stride

    def channels_out(self, channels_in: int) -> int:
        """Return as many."""
        return channels_in

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """Apply the network."""
        return self._computed(image, None)

    @torch.inference_mode()
    def part(self, image: Tensor, region: Sequence[slice]) -> Tensor:
        """Return a region of the result."""
        return self._computed(image, region)

    def _computed(self, image: Tensor, region: Sequence[slice] | None) -> Tensor:
        lower = self.dtype != torch.float32
        if lower:
            image = image.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, self.dtype, enabled=lower):
            return self.net(image, region).float()


def seconds(function: Callable[[], object], device: str) -> tuple[float, float]:
    """Return wall and CPU seconds of one call."""
    if device == "cuda":
        torch.cuda.synchronize()
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def interleaved(
    cases: dict[str, Callable[[], object]], device: str, repeats: int
) -> dict[str, tuple[float, float]]:
    """Return the least wall and CPU time of each case, taken in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, function in cases.items():
            found[name].append(seconds(function, device))
    return {
        name: (min(w for w, _ in times), min(c for _, c in times))
        for name, times in found.items()
    }


def monai_case(
    operator: NetworkOperator,
    volume: NDArray[np.float32],
    roi: Sequence[int],
    halo: Sequence[int],
) -> Callable[[], object] | None:
    try:
        from monai.inferers import sliding_window_inference
    except ImportError:
        print("MONAI is not installed: its rows are left out.\n")
        return None

    image = torch.from_numpy(volume)[None, None]
    overlap = [2 * h / r for h, r in zip(halo, roi, strict=True)]

    def run() -> object:
        with torch.inference_mode():
            return sliding_window_inference(
                image, roi, 1, operator, overlap, sw_device=operator.device
            )

    return run


def bookkeeping(options: argparse.Namespace) -> None:
    """Print what tiles cost beside the forward passes, and MONAI's price."""
    shape, tile = tuple(options.shape), tuple(options.tile)
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    full = NetworkOperator(options.base, options.device, torch.float32)
    low = NetworkOperator(options.base, options.device, torch.bfloat16)
    # The whole halo as margin: all tiles have one size, as MONAI's have.
    settings = {"tile": tile, "margin": full.halo}
    planned = next(apply(full, volume, **settings))
    assert isinstance(planned, Planned)
    tiling = planned.plan.tiling
    roi = tiling[0].shape
    images = [torch.randn(1, 1, *t.shape) for t in tiling]

    def bare(operator: NetworkOperator, whole: bool) -> None:
        for tile, image in zip(tiling, images, strict=True):
            image = image.to(options.device)
            (operator(image) if whole else operator.part(image, tile.crop)).cpu()

    # What is measured, and the case whose time it is compared with.
    cases: dict[str, tuple[str, Callable[[], object]]] = {}
    for name, operator in {"float32": full, "bfloat16": low}.items():
        passes = f"{name}: forward passes, cores only"
        cases[f"{name}: forward passes, whole tiles"] = (
            "",
            partial(bare, operator, True),
        )
        cases[passes] = "", partial(bare, operator, False)
        cases[f"{name}: restore"] = (
            passes,
            partial(restored, operator, volume, settings),
        )
        monai = monai_case(operator, padded(volume, tiling), roi, tiling.halo)
        if monai is not None:
            whole = f"{name}: forward passes, whole tiles"
            cases[f"{name}: MONAI, the same tiles"] = whole, monai
    cases["bfloat16: restore, tiles of the plan"] = (
        "",
        partial(restored, low, volume, {}),
    )
    times = interleaved(
        {name: case for name, (_, case) in cases.items()},
        options.device,
        options.repeats,
    )
    print(
        f"{len(tiling)} tiles of {tiling.core}, halo {tiling.halo}, U-Net of base "
        f"{options.base}, {options.threads} threads on {options.device}\n"
    )
    slow = times.get("float32: MONAI, the same tiles", (np.nan, np.nan))[1]
    write_table(
        "restore.md",
        f"speed on {options.device}",
        "| case | wall s | CPU s | CPU over its passes | Mvoxel / CPU s | of MONAI |",
        [
            (
                name,
                f"{wall:.2f}",
                f"{cpu:.2f}",
                f"{cpu / times[cases[name][0]][1]:.3f}" if cases[name][0] else "",
                f"{volume.size / cpu / 1e6:.2f}",
                f"{slow / cpu:.2f}",
            )
            for name, (wall, cpu) in times.items()
        ],
    )


def restored(
    operator: Operator, volume: NDArray[np.float32], settings: dict[str, Any]
) -> object:
    """Restore a volume."""
    return list(apply(operator, volume, **settings))


def padded(volume: NDArray[np.float32], tiling: Tiling) -> NDArray[np.float32]:
    """Return the volume with its margin, for those who continue it otherwise."""
    return np.pad(volume, [(m, m) for m in tiling.margin], mode="reflect")


def whole_volumes(options: argparse.Namespace) -> None:
    """Print the time of the papers' volumes, tile size chosen by the plan."""
    rows = []
    refining = preset_operator("nonblind")
    refining.generator.to(options.device).set_precision(torch.bfloat16)
    operators: dict[str, Operator] = {
        "U-Net, float32": NetworkOperator(options.base, options.device, torch.float32),
        "U-Net, bfloat16": NetworkOperator(
            options.base, options.device, torch.bfloat16
        ),
        "preset nonblind, bfloat16": refining,
    }
    for name, shape in PAPER_VOLUMES.items():
        volume = np.random.default_rng(0).random(shape, np.float32)
        for kind, operator in operators.items():
            plan = next(apply(operator, volume)).plan  # also warms up
            run = partial(restored, operator, volume, {})
            wall, cpu = seconds(run, options.device)
            tiles = f"{plan.tiles} of {'×'.join(map(str, plan.tiling.core))}"
            rows.append((name, kind, tiles, f"{wall:.1f}", f"{cpu:.1f}"))
            print(rows[-1], flush=True)
    header = "| volume | generator | tiles | wall s | CPU s |"
    write_table("restore.md", f"volumes on {options.device}", header, rows)


class Plus:
    """Costs nothing, reaches as far as a network."""

    device = torch.device("cpu")
    halo, stride = (16, 16, 16), (4, 4, 4)

    def channels_out(self, channels_in: int) -> int:
        """Return as many."""
        return channels_in

    def __call__(self, image: Tensor) -> Tensor:
        """Add one."""
        return image + 1


def one_volume(gigabytes: float) -> None:
    """Restore a zarr without a chunk in it to zarr, and print the peak RSS in MiB."""
    import zarr

    from napari_blurgan.reading.images import read_stack

    planes = round(gigabytes * 2**30 / 4 / 1024**2)
    folder = Path(tempfile.mkdtemp())
    zarr.create_array(
        folder / "in.zarr", shape=(planes, 1024, 1024), chunks=(64,) * 3, dtype="f4"
    )
    sink = OmeZarrSink(folder / "out.zarr")
    for event in apply(Plus(), read_stack(folder / "in.zarr"), sink, tile=(128,) * 3):
        assert not isinstance(event, Finished) or event.result.data[-1, -1, -1] == 1
    shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // 1024)


def memory(sizes: Sequence[float]) -> None:
    """Print the peak RSS for volumes of some GiB, each in a process of its own.

    The peak of a process never goes down.
    """
    rows = []
    for size in sizes:
        command = [sys.executable, "-m", __spec__.name, "--one", str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append((f"{size:g} GiB", f"{int(done.stdout)} MiB"))
    write_table("restore.md", "memory", "| volume | peak RSS |", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--base", type=int, default=8)
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 128, 128))
    parser.add_argument("--tile", type=int, nargs=3, default=(32, 64, 64))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--volumes", action="store_true", help="the papers' too")
    parser.add_argument("--memory", type=float, nargs="+", metavar="GIB")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        one_volume(options.one)
    elif options.memory:
        memory(options.memory)
    else:
        bookkeeping(options)
        if options.volumes:
            whole_volumes(options)


if __name__ == "__main__":
    main()
