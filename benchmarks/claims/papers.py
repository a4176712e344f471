"""The tables of Lim et al. (2020) on simulated microtubules: rows, seeds, wavelengths.

Every row is tested on volumes that no training saw; a black image is the control that
must fail. What is found is kept in a JSON file, one entry a row, a seed and a number
of steps, so that a long list of rows may be stopped and gone on with;
``papers_report.py`` makes the tables and figures of the documents of it.

    python -m benchmarks.claims.papers --rows rl nonblind blind --seeds 0 1 2
    python -m benchmarks.claims.papers --rows blind --truth vectorial --seeds 0 1 2 3 4
    python -m benchmarks.claims.papers --rows nonblind --set terms.cycle_y=100
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml

from benchmarks.helpers.papers_data import (
    HELD_OUT,
    MODELS,
    SCALES,
    Experiment,
    Setting,
    experiment,
    held_out,
)
from benchmarks.helpers.papers_rows import (
    CLASSICAL,
    TRAINED,
    classical,
    tested,
    train,
    with_learned_psf,
)
from benchmarks.helpers.places import RESULTS
from napari_blurgan.optics.phantoms import STRUCTURES
from napari_blurgan.writing.atomic import replacing


def measure(
    name: str, data: Experiment, options: argparse.Namespace, seed: int
) -> dict[str, Any]:
    """Return everything found in one row for one seed."""
    truths = held_out(data.setting, options.tests, options.first)
    waves = options.wavelengths or [data.setting.wavelength]
    if name in CLASSICAL:
        images = {
            wave: [
                classical(name, data, data.expose(x, wave, 9000 + n), x)
                for n, x in enumerate(truths)
            ]
            for wave in waves
        }
        return {"images": images}
    row = TRAINED[name]
    row = replace(row, changes=row.changes | options.changes)
    found = train(row, data, options.steps, seed, options.device)
    result = {
        "images": {wave: tested(found.model, data, truths, wave) for wave in waves},
        "minutes": found.minutes,
        "steps": options.steps,
        "warnings": [warning.code for warning in found.warnings],
    }
    if len(waves) > 1 and found.model.blur is not None:
        result["images with the PSF of the wavelength"] = {
            wave: tested(found.model, data, truths, wave, own=True) for wave in waves
        }
    if found.kernels:
        result["kernels"] = found.kernels
    if found.kernels and seed == options.seeds[0]:
        result["rl with the learned PSF"] = with_learned_psf(found.model, data, truths)
    return result


def key(name: str, setting: Setting, options: argparse.Namespace, seed: int) -> str:
    """Name an entry of the JSON file."""
    parts = [name, setting.model, setting.structure, setting.other, f"seed {seed}"]
    parts += [f"{options.steps} steps"] if name in TRAINED else []
    parts += [f"volumes from {options.first}"] if options.first != HELD_OUT else []
    usual = setting.wavelength == Setting.wavelength
    parts += [] if usual else [f"trained at {setting.wavelength:.0f} nm"]
    return ", ".join([*parts, *options.set])


def show(name: str, entry: dict[str, Any]) -> None:
    """Print the first wavelength's volumes, and the kernel."""
    for f in next(iter(entry["images"].values())):
        print(f"{name}: " + ", ".join(f"{k} {v:.4g}" for k, v in f.items()))
    for kernel in entry.get("kernels", [])[-1:]:
        print("  kernel: " + ", ".join(f"{k} {v:.4g}" for k, v in kernel.items()))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = (*CLASSICAL, *TRAINED)
    parser.add_argument("--rows", nargs="+", choices=names, default=CLASSICAL)
    parser.add_argument("--scale", choices=SCALES, default="cpu")
    parser.add_argument("--truth", choices=MODELS, default="born-wolf")
    parser.add_argument("--structure", choices=STRUCTURES, default="microtubules")
    parser.add_argument("--other", choices=STRUCTURES, help="of the sharp set")
    parser.add_argument(
        "--wavelength", type=float, default=Setting.wavelength, help="to train at"
    )
    parser.add_argument("--wavelengths", type=float, nargs="+", help="to test at")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--tests", type=int, default=3, help="volumes held out")
    parser.add_argument(
        "--first", type=int, default=HELD_OUT, help="seed of the first of them"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    parser.add_argument("--again", action="store_true", help="even what is there")
    options = parser.parse_args()
    pairs = (pair.split("=", 1) for pair in options.set)
    options.changes = {name: yaml.safe_load(value) for name, value in pairs}
    options.json = options.json or RESULTS / f"papers-{options.scale}.json"
    return options


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    setting = Setting(
        SCALES[options.scale],
        options.truth,
        options.wavelength,
        options.structure,
        options.other or options.structure,
    )
    data = cache(lambda seed: experiment(setting, seed))
    for name in options.rows:
        for seed in options.seeds:
            entries = (
                json.loads(options.json.read_text()) if options.json.exists() else {}
            )
            entry = key(name, setting, options, seed)
            if options.again or entry not in entries:
                found = measure(name, data(seed), options, seed)
                found["machine"] = f"{platform.processor() or platform.machine()}"
                keep(options.json, {entry: found})
                show(entry, found)


def keep(path: Path, found: dict[str, Any]) -> None:
    """Add to what the file holds now: other runs may have written meanwhile."""
    entries = json.loads(path.read_text()) if path.exists() else {}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(entries | found, indent=1))


if __name__ == "__main__":
    main()
