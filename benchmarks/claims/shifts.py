"""Images that a model was not trained for are announced before any work.

    python -m benchmarks.claims.shifts [--structures NAME ...] [--write]
    python -m benchmarks.claims.shifts --data FOLDER [--write]
    python -m benchmarks.claims.shifts --calibrate

Widefield stacks of 16 x 192 x 192 voxels, NA 1.3, 120 photons at the brightest. A model
is trained for one step on four stacks of one structure, so that it has all that a
training records. Then it is given ten images of each kind of shift, and twenty like
those of the training. Announced is what restoring says before it begins. Each row is
kept in benchmarks/results/shifts.json, of which `--write` makes the table.

`--calibrate` prints the covariance of `models/strangeness.py`, of structures and seeds
that are not in the table: `CALIBRATION`. With `--data`, real images are compared with
each other: two halves of each, and two stacks of one experiment.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch

from benchmarks.helpers.drawings import PROOF, Drawing, Image, family
from benchmarks.helpers.tables import write_table
from napari_blurgan import Optics, Stack, preset, train
from napari_blurgan.models.model import Model
from napari_blurgan.models.strangeness import LARGE, strangeness
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import gibson_lanni
from napari_blurgan.optics.simulation import blur
from napari_blurgan.preparation.appearance import Appearance, appearance
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.events import Noted, Planned
from napari_blurgan.tasks.restore import restoring

RESULTS = Path(__file__).parents[1] / "results/shifts.json"
SHAPE, VOXELS, TAPS = (16, 192, 192), (0.16, 0.08, 0.08), (31, 31, 31)
NA, PHOTONS, READ_NOISE, OFFSET = 1.3, 120.0, 1.5, 100.0


DRAWN: dict[str, Drawing] = {
    "microtubules": family("microtubules", density=0.4),
    "vesicles": family("vesicles"),
    "membranes": family("membranes"),
    "nuclei": family("nuclei", diameter=1.6),
    "beads": family("beads"),
    "bundles": family(
        "microtubules", density=1.0, bundling=0.8, persistence_length=5.0
    ),
} | PROOF
CALIBRATION = ("microtubules", "vesicles", "membranes")
KNOWN = ("nuclei", "beads", "bundles")
"""Structures that some of the features were chosen with."""
SHIFTS: dict[str, dict[str, float]] = {
    "voxel size × 1.4, stated": {"stated": 1.4},
    "voxel size × 1.4, not stated": {"magnified": 1.4},
    "light ÷ 3": {"photons": PHOTONS / 3},
    "NA − 30 %": {"na": 0.7 * NA},
    "NA − 15 %": {"na": 0.85 * NA},
}
EACH, ALIKE = 10, 20
HEADER = (
    f"| trained on | {' | '.join(SHIFTS)} | other structure | none: like the training |"
)


@cache
def psf(na: float, magnified: float) -> Image:
    voxels = tuple(size * magnified for size in VOXELS)
    return gibson_lanni(Optics(na, 1.515, 525.0), TAPS, voxels).data


def drawn(structure: str, seed: int, magnified: float = 1.0) -> Image:
    voxels = [size * magnified for size in VOXELS]
    return DRAWN[structure](SHAPE, voxels, seed).astype(np.float32)


@cache
def brightest(structure: str) -> float:
    """Return the light of a structure that is exposed with `PHOTONS`."""
    light = blur(drawn(structure, 999), psf(NA, 1.0))
    return float(np.percentile(light, 99.9))


def image(
    structure: str,
    seed: int,
    na: float = NA,
    photons: float = PHOTONS,
    magnified: float = 1.0,
    stated: float = 1.0,
) -> Stack:
    """Return a stack as a camera records it; `stated` is what its header says."""
    light = blur(drawn(structure, seed, magnified), psf(na, magnified))
    light /= np.float32(brightest(structure))
    camera = Camera(photons=photons, read_noise=READ_NOISE, gain=1.0, offset=OFFSET)
    voxels = tuple(size * stated for size in VOXELS)
    return Stack(camera.expose(light, seed + 7), "ZYX", voxels, name="image")


def trained(structure: str) -> Model:
    recipe = preset("noise2self").updated({"steps": 1, "precision": "float32"})
    stacks = [image(structure, seed) for seed in range(300, 304)]
    return train(recipe, stacks, device="cpu", progress=lambda event: None)


def announced(model: Model, stack: Stack) -> list[str]:
    """Return what is said before restoring begins."""
    said = []
    for event in restoring(model, stack, device="cpu"):
        if isinstance(event, Planned):
            break
        if isinstance(event, Noted):
            said.append(event.message)
    return said


def share(model: Model, stacks: Iterator[Stack]) -> str:
    found = [bool(announced(model, stack)) for stack in stacks]
    return f"{sum(found)} of {len(found)}"


def row(structure: str) -> tuple[str, ...]:
    model = trained(structure)
    cells = [
        share(model, (image(structure, 400 + n, **shift) for n in range(EACH)))
        for shift in SHIFTS.values()
    ]
    others = [name for name in DRAWN if name != structure]
    strange = (image(others[n % len(others)], 500 + n) for n in range(EACH))
    alike = (image(structure, 600 + n) for n in range(ALIKE))
    return *cells, share(model, strange), share(model, alike)


def real(folder: Path) -> Iterator[tuple[str, tuple[Stack, Stack]]]:
    """Yield two images of each kind."""
    stacks, planes = folder / "G_real/B_stacks3d", folder / "G_real/A_pairs2d"
    names = [stacks / f"rbc_lattice_lightsheet_raw_{n}.ome.tif" for n in (1, 2)]
    one, other = map(read_stack, names)
    yield "red blood cells", (one, other)
    mitochondria = read_stack(stacks / "mitochondria_lightsheet_dz50nm.ome.tif")
    yield "mitochondria", halves(mitochondria, "ZYX", -2)
    frames = read_stack(planes / "fmd_bpae_widefield_raw_mean50.ome.tif")
    for stain in range(frames.channels):
        plane = frames.with_data(np.asarray(frames.data)[0, stain], "YX")
        yield f"BPAE, stain {stain}", halves(plane, "YX", -1)


def halves(stack: Stack, axes: str, axis: int) -> tuple[Stack, Stack]:
    pixels = np.asarray(stack.data)
    one, other = np.array_split(pixels, 2, axis)
    return stack.with_data(one, axes), stack.with_data(other, axes)


def distance(found: Appearance, known: Appearance) -> float:
    """Return how different an image is, in units of what is tolerated."""
    strange = strangeness(found, known)
    return max(strange.difference, abs(strange.fading))


def compared(folder: Path) -> list[tuple[str, ...]]:
    """Return how different the second image of each kind is from each first one."""
    seen = {
        name: [appearance([stack]) for stack in pair] for name, pair in real(folder)
    }
    return [
        (name, *(f"{distance(other, known):.1f}" for _, other in seen.values()))
        for name, (known, _) in seen.items()
    ]


def calibrate() -> None:
    """Print the covariance of the features between images of one kind."""
    away = []
    for structure in CALIBRATION:
        seen = [appearance([image(structure, seed)]) for seed in range(16)]
        found = np.array([one.features for one in seen if one is not None])
        worth = min(seen[0].voxels, LARGE) / LARGE if seen[0] else 1.0
        factor = np.sqrt(worth * len(found) / (len(found) - 1))
        away.append(factor * (found - found.mean(0)))
    moved = np.concatenate(away)
    covariance = moved.T @ moved / len(moved)
    for n, line in enumerate(covariance):
        print(f"    ({', '.join(f'{v:.2e}' for v in line[: n + 1])}),")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--structures", nargs="+", default=[*KNOWN, *PROOF], choices=DRAWN)
    add("--calibrate", action="store_true")
    add("--data", type=Path, help="folder with the real images")
    add("--write", action="store_true", help="into docs/trust.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.calibrate:
        calibrate()
        return
    if options.data:
        found = compared(options.data)
        header = f"| known | {' | '.join(name for name, *_ in found)} |"
        print(header, *(" | ".join(line) for line in found), sep="\n")
        if options.write:
            write_table("trust.md", "shifts-real", header, found)
        return
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for structure in options.structures:
        known[structure] = row(structure)
        print(structure, *known[structure], sep=" | ", flush=True)
        RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    if options.write:
        rows = [(name, *known[name]) for name in (*KNOWN, *PROOF) if name in known]
        write_table("trust.md", "shifts", HEADER, rows)


if __name__ == "__main__":
    main()
