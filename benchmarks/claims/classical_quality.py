"""Quality for time, and how methods stop: tables and a figure of docs/classical.md.

python -m benchmarks.claims.classical_quality [--seeds 5]

Three structures at three brightnesses, light from outside the field included, and the
truth known. Errors are the root mean square error over the truth's root mean square;
seconds are those of one CPU, without the measuring.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from benchmarks.helpers.candidates import CANDIDATES
from benchmarks.helpers.places import IMAGES
from benchmarks.helpers.tables import write_table
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.inverse.iteration import Progress
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import run
from napari_blurgan.inverse.stopping import Discrepancy, HeldOut
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur, margin_for

STRUCTURES = ("microtubules", "nuclei", "vesicles")
PHOTONS = (20, 100, 1000)  # in the brightest voxel
VOXEL, SHAPE = (0.3, 0.1, 0.1), (24, 64, 64)
PSF = theoretical_psf(Optics(1.2, 1.33, 520), (15, 21, 21), VOXEL)
GAIN = 2.0
# What the help of each method advises at these brightnesses.
TV_WEIGHT = dict(zip(PHOTONS, (0.01, 0.005, 0.002), strict=True))
NOISE = dict(zip(PHOTONS, (0.03, 0.01, 0.001), strict=True))
SMOOTHNESS = dict(zip(PHOTONS, (1.0, 0.1, 0.03), strict=True))
RULES = ("Gradient Consensus", "held-out", "discrepancy")
FIGURE = IMAGES / "classical-quality.png"
Key = tuple[str, int, int]
Follow = Callable[..., Deconvolution]


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

    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.errors)

    def until(self, error: float) -> float:
        """Return the seconds to an error; infinite if it was not reached."""
        pairs = zip(self.errors, self.seconds, strict=True)
        return next((s for e, s in pairs if e <= error), np.inf)


@dataclass
class Found:
    """What all methods and rules made of one case."""

    paths: dict[str, Trajectory]
    stops: dict[str, tuple[float, int]]  # error and iterations, by rule


def case(structure: str, photons: int, seed: int) -> Case:
    margin = margin_for(PSF.data)
    world = [n + 2 * m for n, m in zip(SHAPE, margin, strict=True)]
    window = tuple(slice(m, m + n) for m, n in zip(margin, SHAPE, strict=True))
    sharp = phantom(structure, world, VOXEL, seed)
    seen = blur(sharp, PSF.data)[window]
    scale = float(photons / seen.max())
    camera = Camera(photons=scale, read_noise=1.5, gain=GAIN, offset=100.0)
    return Case(camera.expose(seen, seed), sharp[window] * scale * GAIN, camera)


def lines(photons: int) -> dict[str, Follow]:
    """Return every method, to be run longer than anybody would."""
    rl, quick, tv, consensus = (
        METHODS[name].function for name in ("rl", "rl-accelerated", "rl-tv", "rlgc")
    )
    found: dict[str, Follow] = {
        "RL": partial(rl, iterations=300),
        "accelerated": partial(quick, iterations=50),
        "total variation": partial(tv, iterations=60, weight=TV_WEIGHT[photons]),
        # Without its rule, to see what there was to be had.
        "Gradient Consensus": partial(
            consensus, iterations=75, stop=HeldOut(patience=75)
        ),
    }
    for name, steps in CANDIDATES.items():
        found[name] = partial(candidate, steps)
    return found


def candidate(steps: Any, image: Any, plan: Plan, **options: Any) -> Deconvolution:
    return run(steps, image, plan, 60, options)


def filters(photons: int) -> dict[str, Follow]:
    """Return the methods without iterations."""
    return {
        "Wiener": partial(METHODS["wiener"].function, noise=NOISE[photons]),
        "Tikhonov": partial(
            METHODS["tikhonov"].function, smoothness=SMOOTHNESS[photons]
        ),
    }


def follow(made: Case, plan: Plan, function: Follow) -> Trajectory:
    """Run a method to the end; judge every iteration off the clock."""
    path = Trajectory()
    spent = [0.0, time.process_time()]

    def judge(progress: Progress) -> None:
        spent[0] += time.process_time() - spent[1]
        path.errors.append(made.error(progress.image()))
        path.seconds.append(spent[0])
        spent[1] = time.process_time()

    function(made.image, plan, camera=made.camera, callback=judge)
    return path


def once(made: Case, plan: Plan, function: Follow) -> Trajectory:
    start = time.process_time()
    image = function(made.image, plan, camera=made.camera).image
    return Trajectory([made.error(image)], [time.process_time() - start])


def stopped(made: Case, plan: Plan) -> dict[str, tuple[float, int]]:
    """Return the error and the iterations of what each rule kept."""
    consensus, quick = METHODS["rlgc"].function, METHODS["rl-accelerated"].function
    results = (
        consensus(made.image, plan, camera=made.camera),
        *(
            quick(made.image, plan, 200, camera=made.camera, stop=rule)
            for rule in (HeldOut(), Discrepancy())
        ),
    )
    return {
        rule: (made.error(result.image), result.iterations)
        for rule, result in zip(RULES, results, strict=True)
    }


def found_in(key: Key, plan: Plan) -> Found:
    made = case(*key)
    paths = {n: follow(made, plan, f) for n, f in lines(key[1]).items()}
    paths |= {n: once(made, plan, f) for n, f in filters(key[1]).items()}
    return Found(paths, stopped(made, plan))


def grouped(found: dict[Key, Found]) -> Iterator[tuple[str, int, list[Found]]]:
    for structure in STRUCTURES:
        for photons in PHOTONS:
            same = [f for k, f in found.items() if k[:2] == (structure, photons)]
            yield structure, photons, same


def speed_rows(found: dict[Key, Found]) -> Iterator[list[object]]:
    """CPU time of each method to the least error of plain RL, over RL's own."""
    for structure, photons, seeds in grouped(found):
        rl = [one.paths["RL"] for one in seeds]
        at = [int(np.argmin(path.errors)) + 1 for path in rl]
        ratios = [
            ratio([one.paths[name] for one in seeds], rl)
            for name in seeds[0].paths
            if name != "RL"
        ]
        seconds = np.median([path.until(path.best) for path in rl])
        yield [structure, photons, f"{np.median(at):.0f}", f"{seconds:.2f}", *ratios]


def ratio(paths: list[Trajectory], rl: list[Trajectory]) -> str:
    """Return the median and the worst ratio of the seeds; in words if not reached."""
    each = [p.until(r.best) / r.until(r.best) for p, r in zip(paths, rl, strict=True)]
    missed = int(np.isinf(each).sum())
    if missed == len(each):
        return "–"
    if missed:
        return f"{missed} of {len(each)} –"
    return f"{np.median(each):.2f} ({max(each):.2f})"


def error_rows(found: dict[Key, Found]) -> Iterator[list[object]]:
    """The least error along each path, mean over the seeds."""
    for structure, photons, seeds in grouped(found):
        least = [
            np.mean([one.paths[name].best for one in seeds]) for name in seeds[0].paths
        ]
        yield [structure, photons, *(f"{error:.3f}" for error in least)]


def stop_rows(found: dict[Key, Found]) -> Iterator[list[object]]:
    """How far above the least error of its path each rule ended: median and worst."""
    for structure, photons, seeds in grouped(found):
        row: list[object] = [structure, photons]
        for rule in RULES:
            line = rule if rule == "Gradient Consensus" else "accelerated"
            above = [one.stops[rule][0] / one.paths[line].best - 1 for one in seeds]
            count = np.median([one.stops[rule][1] for one in seeds])
            row.append(f"{np.median(above):+.1%} ({max(above):+.1%})")
            row.append(f"{count:.0f}")
        paths = [one.paths["accelerated"] for one in seeds]
        over = np.median([path.errors[-1] / path.best - 1 for path in paths])
        yield [*row, f"{over:+.0%}"]


def draw(found: dict[Key, Found]) -> None:
    """Error against seconds, one seed; a dot where Gradient Consensus stopped."""
    matplotlib.use("Agg")
    figure, axes = plt.subplots(
        len(STRUCTURES), len(PHOTONS), figsize=(10, 8.5), layout="constrained"
    )
    for ax, (structure, photons, seeds) in zip(axes.flat, grouped(found), strict=True):
        for number, (name, path) in enumerate(seeds[0].paths.items()):
            if len(path.errors) == 1:
                ax.plot(path.seconds, path.errors, "x+"[number % 2], label=name)
                continue
            dashed = "--" if name in CANDIDATES else "-"
            (drawn,) = ax.plot(path.seconds, path.errors, dashed, label=name)
            if name == "Gradient Consensus":
                error, count = seeds[0].stops[name]
                ax.plot(path.seconds[count - 1], error, "o", color=drawn.get_color())
        least = min(path.best for path in seeds[0].paths.values())
        ax.set(xscale="log", title=f"{structure}, {photons} photons")
        ax.set_ylim(0.95 * least, 1.8 * least)
    for ax in axes[-1]:
        ax.set_xlabel("CPU seconds")
    for ax in axes[:, 0]:
        ax.set_ylabel("RMSE / RMS of the truth")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5
    )
    figure.savefig(FIGURE, dpi=100)
    plt.close(figure)


def write(found: dict[Key, Found]) -> None:
    names = list(next(iter(found.values())).paths)
    write_table(
        "classical.md",
        "quality",
        f"| structure | photons | RL's best at | CPU s | {' | '.join(names[1:])} |",
        speed_rows(found),
    )
    write_table(
        "classical.md",
        "errors",
        f"| structure | photons | {' | '.join(names)} |",
        error_rows(found),
    )
    write_table(
        "classical.md",
        "stopping",
        "| structure | photons | Gradient Consensus | after | held-out | after "
        "| discrepancy | after | 50 iterations, no rule |",
        stop_rows(found),
    )
    draw(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(PSF, SHAPE, device="cpu")
    found: dict[Key, Found] = {}
    for structure in STRUCTURES:
        for photons in PHOTONS:
            for seed in range(options.seeds):
                key = (structure, photons, seed)
                found[key] = found_in(key, plan)
            print(structure, photons, flush=True)
    write(found)


if __name__ == "__main__":
    main()
