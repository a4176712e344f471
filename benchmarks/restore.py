"""The tables of docs/restore.md: bookkeeping, MONAI, whole volumes, and memory.

    python benchmarks/restore.py [--device cuda] [--threads 1] [--base 8]
    python benchmarks/restore.py --volumes          # the volumes of the papers too
    python benchmarks/restore.py --seams            # tiles against the whole
    python benchmarks/restore.py --margin MODEL     # what reflection is worth
    python benchmarks/restore.py --memory 1 16      # peak RSS, in GiB of volume

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

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.data.samples import sample
from napari_blurgan.networks.unet import UNet
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.restore.copies import model_operator
from napari_blurgan.restore.events import Finished, Planned
from napari_blurgan.restore.predict import apply
from napari_blurgan.restore.sinks import OmeZarrSink
from napari_blurgan.transport.generator import Generator, make_network
from napari_blurgan.transport.guide import Guide
from napari_blurgan.transport.model import load_model
from napari_blurgan.transport.operator import NetworkOperator as ModelOperator
from napari_blurgan.transport.presets import PRESETS, preset

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
        lower = self.dtype != torch.float32
        if lower:
            image = image.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, self.dtype, enabled=lower):
            return self.net(image).float()


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
    net: UNet,
    volume: NDArray[np.float32],
    roi: Sequence[int],
    halo: Sequence[int],
    device: str,
) -> Callable[[], object] | None:
    try:
        from monai.inferers import sliding_window_inference
    except ImportError:
        print("MONAI is not installed: its row is left out.\n")
        return None

    image = torch.from_numpy(volume)[None, None]
    overlap = [2 * h / r for h, r in zip(halo, roi, strict=True)]

    def run() -> object:
        with torch.inference_mode():
            return sliding_window_inference(
                image, roi, 1, net, overlap, sw_device=device, device="cpu"
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

    def bare(operator: NetworkOperator) -> None:
        for image in images:
            operator(image.to(options.device)).cpu()

    cases: dict[str, Callable[[], object]] = {
        "forward passes alone": lambda: bare(full),
        "restore": lambda: list(apply(full, volume, **settings)),
        "forward passes alone, bfloat16": lambda: bare(low),
        "restore, bfloat16": lambda: list(apply(low, volume, **settings)),
        "restore, bfloat16, tiles of the plan": lambda: list(apply(low, volume)),
    }
    world = np.pad(volume, [(m, m) for m in tiling.margin], mode="reflect")
    for name, image in {
        "MONAI sliding_window_inference, the same tiles": world,
        "MONAI sliding_window_inference, without the margin": volume,
    }.items():
        monai = monai_case(full.net, image, roi, tiling.halo, options.device)
        if monai is not None:
            cases[name] = monai
    times = interleaved(cases, options.device, options.repeats)
    wall, cpu = times["forward passes alone"]
    print(
        f"{len(tiling)} tiles of {tiling.core}, halo {tiling.halo}, U-Net of base "
        f"{options.base}, {options.threads} threads on {options.device}\n"
    )
    print("| case | wall s | CPU s | wall / forward | CPU / forward | Mvoxel / s |")
    print("|---|---|---|---|---|---|")
    for name, (w, c) in times.items():
        print(
            f"| {name} | {w:.2f} | {c:.2f} | {w / wall:.3f} | {c / cpu:.3f} "
            f"| {volume.size / w / 1e6:.2f} |"
        )


def whole_volumes(options: argparse.Namespace) -> None:
    """Print the time of the papers' volumes, tile size chosen by the plan."""
    print("\n| volume | precision | seconds | plan |\n|---|---|---|---|")
    for name, shape in PAPER_VOLUMES.items():
        volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        for dtype in (torch.float32, torch.bfloat16):
            operator = NetworkOperator(options.base, options.device, dtype)
            plan = next(apply(operator, volume)).plan  # also warms up
            run = partial(lambda *case: list(apply(*case)), operator, volume)
            wall, _ = seconds(run, options.device)
            print(f"| {name} | {dtype} | {wall:.2f} | {plan} |")


def preset_operator(name: str) -> ModelOperator:
    """Return a preset's generator, its weights drawn at random."""
    recipe = preset(name)
    guided, dims = recipe.generator.guide > 0, recipe.dims
    torch.manual_seed(0)
    network = make_network(recipe.generator, dims, 1 + guided, 1, (2,) * dims)
    network.train()
    with torch.inference_mode():
        # Running statistics that are not nought and one, and a correction that is
        # not nought.
        torch.nn.init.normal_(network.last.weight, std=0.1)
        network(torch.rand(1, 1 + guided, *[32] * dims))
    generator = Generator(network, guided).eval()
    if not guided:
        return ModelOperator(generator, (1, 1))
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 11, 11), (0.2, 0.1, 0.1))
    blur = BlurKernel(FixedKernel(psf.data), 1.0, dims)
    return ModelOperator(generator, (1, 1), Guide(recipe.generator.guide, 0.02), blur)


def seams() -> None:
    """Print by how much tiles differ from the whole, for every preset."""
    print("| preset | norm | halo | tiles | tiles, blended |\n|---|---|---|---|---|")
    for name in PRESETS:
        operator = preset_operator(name)
        settings = preset(name).generator
        dims = len(operator.stride)
        shape = (40, 128, 128)[-dims:] if dims == 3 else (256, 256)
        tile = (40, 48, 48) if dims == 3 else (96, 96)
        image = np.random.default_rng(0).random(shape, np.float32)
        image[..., shape[-1] // 2 :] *= 0.1
        whole, tiled, blended = (
            list(apply(operator, image, tile=t, blend=b))[-1].result.data
            for t, b in ((shape, False), (tile, False), (tile, True))
        )
        norm = settings.norm + (f", guide {settings.guide}" if settings.guide else "")
        errors = [
            np.abs(r - whole).max() / np.abs(whole).max() for r in (tiled, blended)
        ]
        print(
            f"| {name} | {norm} | {operator.halo} | {errors[0]:.1e} | {errors[1]:.1e} |"
        )


def margins(model: str) -> None:
    """Print how wrong a cropped stack's border comes out, against the whole stack's."""
    stack = sample("dna")
    operator = model_operator(load_model(Path(model)), torch.device("cpu"), "float32")
    options = {"channel": 1}  # the widefield image
    whole = _array(list(apply(operator, stack, **options))[-1].result.data)
    crop = (..., slice(20, -20), slice(20, -20))
    cropped = stack.with_data(np.asarray(stack.data)[crop])
    print("| margin | 0 to 4 voxels from the border | 4 to 8 | 8 to 16 |")
    print("|---|---|---|---|")
    for margin in (0, 2, 4, 8, 16):
        events = apply(operator, cropped, margin=[margin] * 3, **options)
        wrong = _array(list(events)[-1].result.data) - whole[crop]
        shells = (_shell(wrong, *edges) for edges in ((0, 4), (4, 8), (8, 16)))
        row = " | ".join(f"{np.sqrt(np.mean(s**2)) / whole.std():.4f}" for s in shells)
        print(f"| {margin} | {row} |", flush=True)


def _array(data: object) -> NDArray[np.float64]:
    return np.asarray(data, np.float64)


def _shell(image: NDArray[np.float64], near: int, far: int) -> NDArray[np.float64]:
    """Return the voxels from `near` to `far` away from the border, in y and x."""
    y, x = np.indices(image.shape[-2:])
    rows, columns = image.shape[-2:]
    distance = np.minimum.reduce([y, x, rows - 1 - y, columns - 1 - x])
    return image[..., (distance >= near) & (distance < far)]


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
    """Restore a zarr without a chunk in it to zarr, and print the peak RSS."""
    import zarr

    from napari_blurgan.data.io import read_stack

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
    print(f"| {gigabytes:g} GiB | {peak / 1024:.0f} MiB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--base", type=int, default=8)
    parser.add_argument("--shape", type=int, nargs=3, default=(96, 192, 192))
    parser.add_argument("--tile", type=int, nargs=3, default=(48, 96, 96))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--volumes", action="store_true", help="the papers' too")
    parser.add_argument("--seams", action="store_true", help="tiles against the whole")
    parser.add_argument("--margin", metavar="MODEL", help="what reflection is worth")
    parser.add_argument("--memory", type=float, nargs="+", metavar="GIB")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        one_volume(options.one)
    elif options.margin:
        margins(options.margin)
    elif options.seams:
        seams()
    elif options.memory:
        print("| volume | peak RSS |\n|---|---|", flush=True)
        for size in options.memory:
            # Each in a process of its own: the peak of a process never goes down.
            subprocess.run([sys.executable, __file__, "--one", str(size)], check=True)
    else:
        bookkeeping(options)
        if options.volumes:
            whole_volumes(options)


if __name__ == "__main__":
    main()
