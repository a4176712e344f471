"""Quality for time, and how methods stop: tables and a figure of docs/classical.md.

python benchmarks/classical_quality.py [--seeds 5]

Three structures at three brightnesses, light from outside the field included, and the
truth known. Errors are the root mean square error over the truth's root mean square;
seconds are those of one CPU, without the measuring.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from tables import write_table

from napari_blurgan.classical.gradient_consensus import gradient_consensus
from napari_blurgan.classical.iteration import Progress
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.plan import Plan
from napari_blurgan.classical.result import Deconvolution
from napari_blurgan.classical.stopping import Discrepancy, HeldOut
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur, margin_for

STRUCTURES = ("microtubules", "nuclei", "vesicles")
PHOTONS = (20, 100, 1000)  # in the brightest voxel
VOXEL, SHAPE = (0.3, 0.1, 0.1), (24, 64, 64)
PSF = theoretical_psf(Optics(1.2, 1.33, 520), (15, 21, 21), VOXEL)
GAIN = 2.0
LINES: dict[str, tuple[str, int, dict[str, float]]] = {
    "RL": ("rl", 200, {}),
    "accelerated": ("rl-accelerated", 60, {}),
    "total variation": ("rl-tv", 60, {"weight": 0.005}),
    "Gradient Consensus": ("rlgc", 60, {}),
}
FIGURE = Path(__file__).parents[1] / "docs/images/classical-quality.png"
Key = tuple[str, int, int]


@dataclass
class Case:
    """An image, its truth and its camera."""

    image: NDArray[np.float32]
    truth: NDArray[np.float32]
    camera: Camera

    def error(self, image: NDArray[np.float32]) -> float:
        """Return the RMSE over the truth's RMS."""
        squared = ((image - self.truth) ** 2).mean() / (self.truth**2).mean()
        return float(np.sqrt(squared))


@dataclass
class Trajectory:
    """Error and CPU seconds after each iteration."""

    errors: list[float]
    seconds: list[float]

    def until(self, error: float) -> float:
        """Return the seconds to an error; infinite if it was not reached."""
        reached = (
            s for e, s in zip(self.errors, self.seconds, strict=True) if e <= error
        )
        return next(reached, np.inf)


def case(structure: str, photons: int, seed: int) -> Case:
    margin = margin_for(PSF.data)
    world = [n + 2 * m for n, m in zip(SHAPE, margin, strict=True)]
    field = tuple(slice(m, m + n) for m, n in zip(margin, SHAPE, strict=True))
    sharp = phantom(structure, world, VOXEL, seed)
    seen = blur(sharp, PSF.data)[field]
    scale = float(photons / seen.max())
    camera = Camera(photons=scale, read_noise=1.5, gain=GAIN, offset=100.0)
    return Case(camera.expose(seen, seed), sharp[field] * scale * GAIN, camera)


def follow(case: Case, plan: Plan, name: str, count: int, **options: Any) -> Trajectory:
    """Run a method to the end; judge every iteration off the clock."""
    path = Trajectory([], [])
    spent = [0.0, time.process_time()]

    def judge(progress: Progress) -> None:
        spent[0] += time.process_time() - spent[1]
        path.errors.append(case.error(progress.image()))
        path.seconds.append(spent[0])
        spent[1] = time.process_time()

    if name == "rlgc":  # without its rule, to see what there was to be had
        options["stop"] = HeldOut(patience=count)
    METHODS[name].function(
        case.image,
        plan,
        iterations=count,
        camera=case.camera,
        callback=judge,
        **options,
    )
    return path


def stops(case: Case, plan: Plan) -> dict[str, tuple[str, Deconvolution]]:
    """Return what each rule kept, and the line whose path it is on."""
    accelerated = METHODS["rl-accelerated"].function
    options = {"iterations": 300, "camera": case.camera}
    return {
        "Gradient Consensus": (
            "Gradient Consensus",
            gradient_consensus(case.image, plan, camera=case.camera),
        ),
        "accelerated, held-out": (
            "accelerated",
            accelerated(case.image, plan, stop=HeldOut(), **options),
        ),
        "accelerated, discrepancy": (
            "accelerated",
            accelerated(case.image, plan, stop=Discrepancy(), **options),
        ),
    }


def speed_rows(paths: dict[Key, dict[str, Trajectory]]) -> Iterator[list[object]]:
    """Time of each method to the least error of plain RL, over RL's own."""
    for structure, photons, seeds in grouped(paths):
        rl = [paths[key]["RL"] for key in seeds]
        best = [min(path.errors) for path in rl]
        at = [int(np.argmin(path.errors)) + 1 for path in rl]
        ratios = []
        for line in LINES:
            each = [
                paths[key][line].until(error) / path.until(error)
                for key, error, path in zip(seeds, best, rl, strict=True)
            ]
            missed = sum(np.isinf(each))
            middle = np.median(each)
            text = "not" if np.isinf(middle) else f"{middle:.2f}"
            ratios.append(text + (f" ({missed} missed)" if missed else ""))
        least = [
            f"{np.mean([min(paths[k][m].errors) for k in seeds]):.3f}" for m in LINES
        ]
        yield [structure, photons, f"{min(at)}–{max(at)}", *ratios[1:], *least]


def stop_rows(
    paths: dict[Key, dict[str, Trajectory]],
    kept: dict[Key, dict[str, tuple[float, int]]],
) -> Iterator[list[object]]:
    """How far above the least error of its path each rule ended: median and worst."""
    lines = {"Gradient Consensus": "Gradient Consensus"}
    for structure, photons, seeds in grouped(paths):
        row: list[object] = [structure, photons]
        for rule in next(iter(kept.values())):
            line = lines.get(rule, "accelerated")
            above = [
                kept[key][rule][0] / min(paths[key][line].errors) - 1 for key in seeds
            ]
            row.append(f"{np.median(above):+.1%} ({max(above):+.1%})")
            row.append(f"{np.median([kept[key][rule][1] for key in seeds]):.0f}")
        over = [
            paths[key]["accelerated"].errors[-1] / min(paths[key]["accelerated"].errors)
            - 1
            for key in seeds
        ]
        yield [*row, f"{np.median(over):+.0%}"]


def grouped(paths: dict[Key, Any]) -> Iterator[tuple[str, int, list[Key]]]:
    for structure in STRUCTURES:
        for photons in PHOTONS:
            yield (
                structure,
                photons,
                [k for k in paths if k[:2] == (structure, photons)],
            )


def draw(
    paths: dict[Key, dict[str, Trajectory]],
    kept: dict[Key, dict[str, tuple[float, int]]],
) -> None:
    """Error against seconds, one seed; a dot where Gradient Consensus stopped."""
    matplotlib.use("Agg")
    figure, axes = plt.subplots(
        len(STRUCTURES), len(PHOTONS), figsize=(10, 8), layout="constrained"
    )
    for ax, (structure, photons, seeds) in zip(axes.flat, grouped(paths), strict=True):
        for line, path in paths[seeds[0]].items():
            (drawn,) = ax.plot(path.seconds, path.errors, label=line)
            if line == "Gradient Consensus":
                error, count = kept[seeds[0]][line]
                ax.plot(path.seconds[count - 1], error, "o", color=drawn.get_color())
        ax.set(xscale="log", title=f"{structure}, {photons} photons")
    for ax in axes[-1]:
        ax.set_xlabel("CPU seconds")
    for ax in axes[:, 0]:
        ax.set_ylabel("error / truth")
    axes[0, 0].legend(fontsize=8)
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(PSF, SHAPE, device="cpu")
    paths: dict[Key, dict[str, Trajectory]] = {}
    kept: dict[Key, dict[str, tuple[float, int]]] = {}
    for structure in STRUCTURES:
        for photons in PHOTONS:
            for seed in range(options.seeds):
                key, made = (structure, photons, seed), case(structure, photons, seed)
                paths[key] = {
                    line: follow(made, plan, name, count, **extra)
                    for line, (name, count, extra) in LINES.items()
                }
                kept[key] = {
                    rule: (made.error(result.image), result.iterations)
                    for rule, (_, result) in stops(made, plan).items()
                }
            print(structure, photons, flush=True)
    write_table(
        "classical.md",
        "quality",
        "| structure | photons | RL's best at | accelerated | total variation "
        "| Gradient Consensus | RL error | accelerated error | total variation error "
        "| Gradient Consensus error |",
        speed_rows(paths),
    )
    write_table(
        "classical.md",
        "stopping",
        "| structure | photons | Gradient Consensus | after | held-out | after "
        "| discrepancy | after | 60 iterations, no rule |",
        stop_rows(paths, kept),
    )
    draw(paths, kept)


if __name__ == "__main__":
    main()
