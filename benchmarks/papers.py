"""The simulation of Lim et al. (2020) at the scale of a CPU: rows of figures.

64x128x128 voxels, 4 blurred and 4 other, sharp volumes of microtubules, a Born-Wolf PSF
of 15^3 voxels at 500 nm, and the paper's noise as `paper_noise` reads it. Every row is
tested on volumes that no training saw. A black image is the control that must fail.

    python benchmarks/papers.py --rows black input rl nonblind --seeds 0 1 2
    python benchmarks/papers.py --rows nonblind --set weights.cycle_y=100
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from napari_blurgan.classical.blur import Blur
from napari_blurgan.classical.observation import Observation
from napari_blurgan.classical.richardson_lucy import RichardsonLucySteps
from napari_blurgan.data.stack import Stack
from napari_blurgan.measure.fidelity import Fidelity, compare
from napari_blurgan.optics.camera import paper_noise
from napari_blurgan.optics.models import Optics, OpticsWarning, born_wolf
from napari_blurgan.optics.phantoms import microtubules
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur
from napari_blurgan.transport.presets import PRESETS, preset
from napari_blurgan.transport.train import train

VOXEL = (0.128, 0.064, 0.064)
SHAPE = (64, 128, 128)
TAPS = (15, 15, 15)
EDGE = 7  # half a kernel, cut off before measuring: the borders see objects unknown
Volume = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """The simulated sets; grey levels are 255 at the brightest blurred voxel."""

    psf: Psf
    blurred: list[Stack]
    paired: list[Stack]
    sharp: list[Stack]
    held_out: list[tuple[Volume, Volume]]
    gain: float


def theoretical(wavelength: float) -> Psf:
    with warnings.catch_warnings():
        # The paper's model, outside its domain: that is what is reproduced here.
        warnings.simplefilter("ignore", OpticsWarning)
        return born_wolf(Optics(1.4, 1.5, wavelength), TAPS, VOXEL)


def simulate(wavelength: float, count: int, tests: int) -> Data:
    psf = theoretical(wavelength)
    truth = [microtubules(SHAPE, VOXEL, seed=s) for s in range(count)]
    other = [microtubules(SHAPE, VOXEL, seed=100 + s) for s in range(count)]
    hidden = [microtubules(SHAPE, VOXEL, seed=500 + s) for s in range(tests)]
    peak = max(float(blur(x, psf.data).max()) for x in truth)

    def measured(x: Volume, seed: int) -> Volume:
        return paper_noise(blur(x, psf.data), seed, peak)

    stacks = [measured(x, s) for s, x in enumerate(truth)]
    return Data(
        psf,
        [Stack(y, "ZYX", VOXEL, name=f"y{n}") for n, y in enumerate(stacks)],
        [Stack(x, "ZYX", VOXEL, name=f"pair {n}") for n, x in enumerate(truth)],
        [Stack(x, "ZYX", VOXEL, name=f"x{n}") for n, x in enumerate(other)],
        [(x, measured(x, 900 + n)) for n, x in enumerate(hidden)],
        255 / peak,
    )


def figures(result: Volume, truth: Volume) -> Fidelity:
    inside = (slice(EDGE, -EDGE),) * 3
    return compare(np.clip(result, 0, 1)[inside], truth[inside], data_range=1.0)


def best_richardson_lucy(y: Volume, truth: Volume, psf: Psf, gain: float) -> Fidelity:
    """Stop where the truth says: no user could, so this flatters Richardson-Lucy."""
    plan = Blur(torch.from_numpy(psf.data), SHAPE, "extend")
    steps = RichardsonLucySteps(Observation(torch.from_numpy(y / gain), plan))
    best: Fidelity | None = None
    for n in range(1, 161):
        steps.correct(steps.predict())
        if n % 10 == 0:
            now = figures(plan.crop(steps.estimate).numpy(), truth)
            if best is None or now.psnr_fitted > best.psnr_fitted:
                best = now
    assert best is not None
    return best


def classical_row(data: Data, of: Callable[[Volume, Volume], Fidelity]) -> list[Any]:
    return [{"fidelity": [of(y, x) for x, y in data.held_out]}]


def trained_row(name: str, data: Data, options: argparse.Namespace) -> list[Any]:
    changes = dict(pair.split("=", 1) for pair in options.set)
    recipe = preset(name).updated({k: yaml.safe_load(v) for k, v in changes.items()})
    if recipe.forward.kind == "kernel" and recipe.forward.size is None:
        recipe = recipe.updated({"forward.size": TAPS})
    known = {} if recipe.forward.learned else {"psf": data.psf}
    sharp = data.paired if recipe.sampling.paired else data.sharp
    results = []
    for seed in options.seeds:
        start = time.process_time()
        model = train(
            recipe,
            data.blurred,
            sharp,
            steps=options.steps,
            seed=seed,
            device=options.device,
            **known,
        )
        minutes = (time.process_time() - start) / 60
        row = {"fidelity": list(tested(model, data)), "minutes": minutes}
        if model.psf is not None and recipe.forward.learned:
            row["kernel"] = kernel_figures(model.psf, data.psf)
        results.append(row)
    return results


def tested(model: Any, data: Data) -> Iterator[Fidelity]:
    operator = model.operator("cpu")
    for truth, y in data.held_out:
        image = torch.from_numpy(model.input.apply(y))[None, None]
        x = model.output.undo(operator(image)[0, 0].numpy()) / data.gain
        yield figures(x, truth)


def kernel_figures(psf: Psf, truth: Psf) -> dict[str, float]:
    widths = zip(psf.fwhm(), truth.fwhm(), strict=True)
    z, _, x = (a / b - 1 for a, b in widths)
    return {
        "ncc": psf.cropped(TAPS).padded(TAPS).ncc(truth),
        "fwhm_z": z,
        "fwhm_xy": x,
        "centroid": max(map(abs, psf.centroid())),
    }


def rows(data: Data, options: argparse.Namespace) -> Iterator[tuple[str, list[Any]]]:
    wrong = theoretical(610)
    fixed: dict[str, Callable[[Volume, Volume], Fidelity]] = {
        "black": lambda y, x: figures(np.zeros_like(x), x),
        "input": lambda y, x: figures(y / 255, x),
        "rl": lambda y, x: best_richardson_lucy(y, x, data.psf, data.gain),
        "rl-610nm": lambda y, x: best_richardson_lucy(y, x, wrong, data.gain),
    }
    for name in options.rows:
        if name in fixed:
            yield name, classical_row(data, fixed[name])
        else:
            yield name, trained_row(name, data, options)


def line(name: str, results: list[Any]) -> str:
    every = [f for row in results for f in row["fidelity"]]

    def middle(field: str) -> float:
        return statistics.median(getattr(f, field) for f in every)

    worst = min(f.psnr_fitted for f in every)
    cells = [
        name,
        f"{middle('psnr'):.2f}",
        f"{middle('psnr_fitted'):.2f} ({worst:.2f})",
        f"{middle('ssim'):.3f}",
        f"{middle('correlation'):.3f}",
    ]
    minutes = [row["minutes"] for row in results if "minutes" in row]
    cells.append(f"{statistics.median(minutes):.1f}" if minutes else "")
    kernels = [row["kernel"] for row in results if "kernel" in row]
    for field, form in (("ncc", ".4f"), ("fwhm_z", "+.3f"), ("fwhm_xy", "+.3f")):
        values = [kernel[field] for kernel in kernels]
        cells.append(format(statistics.median(values), form) if values else "")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = ("black", "input", "rl", "rl-610nm", *PRESETS)
    parser.add_argument("--rows", nargs="+", choices=names, default=list(names[:4]))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--volumes", type=int, default=4)
    parser.add_argument("--tests", type=int, default=1)
    parser.add_argument("--wavelength", type=float, default=500)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = simulate(options.wavelength, options.volumes, options.tests)
    print("| row | PSNR | fitted (worst) | SSIM | corr. | CPU min | NCC | dz | dxy |")
    print("|---|---|---|---|---|---|---|---|---|")
    found = {}
    for name, results in rows(data, options):
        print(line(name, results), flush=True)
        found[name] = results
    if options.json:
        options.json.write_text(json.dumps(found, default=vars))


if __name__ == "__main__":
    main()
