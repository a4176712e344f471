"""The tables of docs/restore.md: speed, whole volumes, seams, borders and memory.

    python benchmarks/restore.py [--device cuda] [--threads 1] [--base 8]
    python benchmarks/restore.py --volumes          # the volumes of the papers too
    python benchmarks/restore.py --seams            # tiles against the whole
    python benchmarks/restore.py --margin MODEL     # what reflection is worth
    python benchmarks/restore.py --memory 1 4       # peak RSS, in GiB of volume

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
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray
from tables import write_table
from torch import Tensor

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.models.inference import model_operator
from napari_blurgan.models.model import load_model
from napari_blurgan.models.network_operator import NetworkOperator as ModelOperator
from napari_blurgan.networks.unet import UNet
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.reconstructors.reconstructor import build_reconstructor
from napari_blurgan.restoration.events import Finished, Planned
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import OmeZarrSink
from napari_blurgan.tasks.samples import sample
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
    guided = preset_operator("nonblind")
    guided.generator.to(options.device).set_precision(torch.bfloat16)
    operators: dict[str, Operator] = {
        "U-Net, float32": NetworkOperator(options.base, options.device, torch.float32),
        "U-Net, bfloat16": NetworkOperator(
            options.base, options.device, torch.bfloat16
        ),
        "preset nonblind, bfloat16": guided,
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


def preset_operator(name: str) -> ModelOperator:
    """Return a preset's generator, its weights drawn at random."""
    recipe = preset(name)
    iterations, dims = recipe.reconstructor.estimate_iterations, recipe.dims
    torch.manual_seed(0)
    generator = build_reconstructor(recipe.reconstructor, dims, (1, 1), (2,) * dims)
    network = generator.network
    network.train()
    with torch.inference_mode():
        # Running statistics that are not nought and one, and a correction that is
        # not nought.
        torch.nn.init.normal_(network.last.weight, std=0.1)
        network(torch.rand(1, 1 + (iterations > 0), *[32] * dims))
    generator = generator.eval()
    if not iterations:
        return ModelOperator(generator, (1, 1))
    psf = theoretical_psf(Optics(1.2, 1.33, 520), (11, 11, 11), (0.2, 0.1, 0.1))
    blur = BlurKernel(FixedKernel(psf.data), 1.0, dims)
    return ModelOperator(generator, (1, 1), Estimator(iterations, 0.02), blur)


def seams() -> None:
    """Print by how much tiles differ from the whole, for the generators of presets."""
    names: dict[str, list[str]] = {}
    for name in PRESETS:
        recipe = preset(name)
        names.setdefault(f"{recipe.dims} {recipe.reconstructor}", []).append(name)
    rows = []
    for alike in names.values():
        operator = preset_operator(alike[0])
        settings = preset(alike[0]).reconstructor
        iterations = settings.estimate_iterations
        norm = settings.norm + (f", {iterations} iterations" if iterations else "")
        halo = "×".join(map(str, operator.halo))
        rows.append((", ".join(alike), norm, halo, *differences(operator)))
        print(rows[-1], flush=True)
    header = "| presets | norm | halo | tiles | tiles, blended |"
    write_table("restore.md", "seams", header, rows)


def differences(operator: ModelOperator) -> Iterator[str]:
    """Yield the largest difference of any tile from the whole, then if blended."""
    flat = len(operator.stride) == 2
    shape = (256, 256) if flat else (24, 112, 112)
    tiles = [(96, 96), (40, 256)] if flat else [(24, 40, 40), (8, 32, 112)]
    image = np.random.default_rng(0).random(shape, np.float32)
    image[..., shape[-1] // 2 :] *= 0.1
    whole = restored_array(operator, image, shape, False)
    for blend in (False, True):
        errors = [restored_array(operator, image, t, blend) - whole for t in tiles]
        yield f"{np.abs(errors).max() / np.abs(whole).max():.1e}"


def restored_array(
    operator: Operator, image: NDArray[np.float32], tile: Sequence[int], blend: bool
) -> NDArray[np.float32]:
    """Return the result of one tile size."""
    data = list(apply(operator, image, tile=tile, blend=blend))[-1].result.data
    return np.asarray(data)


def margins(model: str) -> None:
    """Print how wrong a cropped stack's border comes out, against the whole stack's."""
    stack = sample("dna")
    operator = model_operator(load_model(Path(model)), torch.device("cpu"), "float32")
    options = {"channel": 1}  # the widefield image
    whole = _array(list(apply(operator, stack, **options))[-1].result.data)
    crop = (..., slice(20, -20), slice(20, -20))
    cropped = stack.with_data(np.asarray(stack.data)[crop])
    rows = []
    for margin in (0, 4, 8, 16):
        events = apply(operator, cropped, margin=[margin] * 3, **options)
        wrong = _array(list(events)[-1].result.data) - whole[crop]
        shells = (_shell(wrong, *edges) for edges in ((0, 4), (4, 8), (8, 16)))
        figures = (f"{np.sqrt(np.mean(s**2)) / whole.std():.4f}" for s in shells)
        rows.append((margin, *figures))
    header = "| voxels of reflection | 0 to 4 from the border | 4 to 8 | 8 to 16 |"
    write_table("restore.md", "border", header, rows)


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
    """Restore a zarr without a chunk in it to zarr, and print the peak RSS in MiB."""
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
    print(peak // 1024)


def memory(sizes: Sequence[float]) -> None:
    """Print the peak RSS for volumes of some GiB, each in a process of its own.

    The peak of a process never goes down.
    """
    rows = []
    for size in sizes:
        command = [sys.executable, __file__, "--one", str(size)]
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
        memory(options.memory)
    else:
        bookkeeping(options)
        if options.volumes:
            whole_volumes(options)


if __name__ == "__main__":
    main()
