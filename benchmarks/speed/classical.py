"""Speed and memory of Richardson–Lucy beside its peers: tables of docs/classical.md.

python -m benchmarks.speed.classical [--repeats 5] [--peers FOLDER]
python -m benchmarks.speed.classical --memory

Twenty iterations on 64 × 256 × 256 voxels, a PSF of 31³, one thread. Every run is a
process of its own and the cases take turns. The floor is the time of eighty real FFTs,
forty each way, and nothing else. FOLDER is where the peers were installed, apart from
this environment:

pip install --no-deps --target FOLDER redlionfish SimpleITK diplib

Linux only: peak memory is read from /proc.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.helpers.tables import write_table

SHAPE, SIDE, ITERATIONS = (64, 256, 256), 31, 20
PADDED = (96, 288, 288)  # what `fast_shape` makes of SHAPE + SIDE - 1
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Iterations, where twenty would take minutes; and these are run once only.
SLOW = {"simpleitk": 2, "diplib": 1}

Array = NDArray[np.float32]
Case = Callable[[Array, Array, int], object]


def problem() -> tuple[Array, Array]:
    axes = np.meshgrid(*[np.arange(SIDE) - SIDE // 2] * 3, indexing="ij")
    radii = sum((a / s) ** 2 for a, s in zip(axes, (4, 2, 2), strict=True))
    psf = np.exp(-0.5 * radii)
    image = np.random.default_rng(0).poisson(50, SHAPE)
    return image.astype(np.float32), (psf / psf.sum()).astype(np.float32)


def ffts(shape: tuple[int, ...], iterations: int) -> None:
    """The floor: two transforms forth and two back an iteration, nothing else."""
    import torch

    x = torch.ones(shape)
    for _ in range(2 * iterations):
        torch.fft.irfftn(torch.fft.rfftn(x), s=shape)


def floor_periodic(image: Array, psf: Array, iterations: int) -> None:
    ffts(SHAPE, iterations)


def least(shape: tuple[int, ...], iterations: int) -> None:
    """The floor with the transforms of `Blur`, the fastest that were found here."""
    import torch

    from napari_blurgan.inverse.blur import Blur

    blur = Blur(torch.ones(1, 1, 1), shape, "periodic")
    x = torch.ones(shape)
    for _ in range(2 * iterations):
        blur.inverse(blur.spectrum(x))


def least_periodic(image: Array, psf: Array, iterations: int) -> None:
    least(SHAPE, iterations)


def least_edges(image: Array, psf: Array, iterations: int) -> None:
    least(PADDED, iterations)


def floor_edges(image: Array, psf: Array, iterations: int) -> None:
    ffts(PADDED, iterations)


def ours(image: Array, psf: Array, iterations: int, edges: str) -> object:
    from napari_blurgan.classical.richardson_lucy import richardson_lucy

    return richardson_lucy(image, psf, iterations, edges=edges, device="cpu")


def ours_periodic(image: Array, psf: Array, iterations: int) -> object:
    return ours(image, psf, iterations, "periodic")


def ours_edges(image: Array, psf: Array, iterations: int) -> object:
    return ours(image, psf, iterations, "extend")


def redlionfish(image: Array, psf: Array, iterations: int) -> object:
    import RedLionfishDeconv

    return RedLionfishDeconv.doRLDeconvolutionFromNpArrays(
        image, psf, niter=iterations, method="cpu"
    )


def scikit_image(image: Array, psf: Array, iterations: int) -> object:
    from skimage.restoration import richardson_lucy

    return richardson_lucy(image, psf, iterations, clip=False)


def simpleitk(image: Array, psf: Array, iterations: int) -> object:
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    return SimpleITK.RichardsonLucyDeconvolution(
        SimpleITK.GetImageFromArray(image),
        SimpleITK.GetImageFromArray(psf),
        numberOfIterations=iterations,
    )


def diplib(image: Array, psf: Array, iterations: int) -> object:
    import diplib as dip

    dip.SetNumberOfThreads(1)
    return dip.RichardsonLucy(dip.Image(image), dip.Image(psf), 0.0, iterations)


CASES: dict[str, tuple[str, Case]] = {
    "floor_periodic": ("80 FFTs of torch, 64 × 256 × 256", floor_periodic),
    "least_periodic": ("80 FFTs as used here, 64 × 256 × 256", least_periodic),
    "ours_periodic": ("napari-blurgan, periodic", ours_periodic),
    "redlionfish": ("RedLionfish", redlionfish),
    "floor_edges": ("80 FFTs of torch, 96 × 288 × 288", floor_edges),
    "least_edges": ("80 FFTs as used here, 96 × 288 × 288", least_edges),
    "ours_edges": ("napari-blurgan, edges", ours_edges),
    "scikit_image": ("scikit-image", scikit_image),
    "simpleitk": ("SimpleITK", simpleitk),
    "diplib": ("DIPlib", diplib),
}


def method(name: str) -> Case:
    """Return a method of ours, with edges, as a case."""
    from napari_blurgan.classical.methods import METHODS
    from napari_blurgan.optics.camera import Camera

    found = METHODS[name]
    camera = Camera(gain=1.0, offset=0.0, read_noise=0.0)

    def case(image: Array, psf: Array, iterations: int) -> object:
        steps = {"iterations": iterations} if found.iterative else {}
        return found.function(image, psf, camera=camera, device="cpu", **steps)

    return case


def child(name: str, iterations: int) -> None:
    """Run one case warm and print what it took."""
    import torch

    torch.set_num_threads(1)
    image, psf = problem()
    case = CASES[name][1] if name in CASES else method(name)
    case(image[:16, :64, :64].copy(), psf[12:19, 12:19, 12:19].copy(), 1)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    start = time.process_time()
    case(image, psf, iterations)
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "peak": resident("VmHWM") - before}))


def resident(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(what)]
    return int(line.split()[1]) * 1024


def measured(
    name: str, peers: Path | None, count: int = ITERATIONS
) -> dict[str, float] | None:
    """Run a case in a process of its own; None if its library is not there."""
    environment = {**os.environ, **THREADS}
    if peers:
        environment["PYTHONPATH"] = str(peers.absolute())
    count = SLOW.get(name, count)
    command = [
        sys.executable,
        "-m",
        __spec__.name,
        "--child",
        name,
        "--count",
        str(count),
    ]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    result["seconds"] *= ITERATIONS / count
    return result


def rows(runs: dict[str, list[dict[str, float]]]) -> list[list[object]]:
    seconds = {n: statistics.median(r["seconds"] for r in v) for n, v in runs.items()}
    volume = 4 * np.prod(SHAPE)
    table = []
    for name, results in runs.items():
        periodic, edges = (
            f"{seconds[name] / seconds[floor]:.2f}"
            for floor in ("floor_periodic", "floor_edges")
        )
        spread = [r["seconds"] for r in results]
        peak = statistics.median(r["peak"] for r in results)
        note = f" (from {SLOW[name]} iterations)" if name in SLOW else ""
        table.append(
            [
                CASES[name][0] + note,
                f"{seconds[name]:.2f}",
                f"{min(spread):.2f}–{max(spread):.2f}",
                periodic,
                edges,
                f"{peak / 1e6:.0f}",
                f"{peak / volume:.1f}",
            ]
        )
    return table


def memory_rows() -> Iterator[list[object]]:
    """Peak memory of every method with edges, and what it is planned with."""
    from napari_blurgan.classical.methods import METHODS

    for name, found in METHODS.items():
        result = measured(name, None, 2)
        assert result is not None
        volumes = result["peak"] / (4 * np.prod(PADDED))
        yield [found.title, f"{result['peak'] / 1e6:.0f}", f"{volumes:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--memory", action="store_true", help="of our own methods")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.count)
        return
    if options.memory:
        header = "| method, with edges | peak MB | in padded volumes |"
        write_table("classical.md", "memory", header, memory_rows())
        return
    header = (
        "| 20 iterations | CPU s (median) | least–most | over 80 FFTs "
        "| over 80 padded FFTs | peak MB | in volumes |"
    )
    runs: dict[str, list[dict[str, float]]] = {}
    for repeat in range(options.repeats):
        take_turns(runs, options.peers, repeat)
        write_table("classical.md", "speed", header, rows(runs))


def take_turns(
    runs: dict[str, list[dict[str, float]]], peers: Path | None, repeat: int
) -> None:
    """Run every case once more and add what it took."""
    for name in CASES:
        if name in SLOW and repeat > 0:
            continue
        result = measured(name, peers)
        if result is not None:
            print(name, f"{result['seconds']:.2f}", file=sys.stderr, flush=True)
            runs.setdefault(name, []).append(result)


if __name__ == "__main__":
    main()
