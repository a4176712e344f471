"""SIGINT and SIGTERM: how soon a command ends, what it leaves, and that it goes on.

    python -m benchmarks.claims.signals [--signals 4] [--limit 5] [--small] [--seed 0]

sends either of the two at random moments to commands that train, restore (to TIFF and
to zarr) and deconvolve (to both), and measures the seconds until the process is gone.
Its exit code has to be 130 or 143; nothing half-written may have a final name; and the
command, called again with ``--resume`` where it has it and ``--overwrite`` elsewhere,
has to end with the result of a run that nobody disturbed. A training that has begun
leaves a model. Exit code 1 if anything is otherwise, or takes longer than `limit`
seconds. Sizes are those of ordinary work, or with ``--small`` as small as can be.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from benchmarks.claims.kills import (
    OPTICS,
    TINY,
    VOXEL,
    finish,
    left_behind,
    load_everything,
    result,
    start,
)
from napari_blurgan.models.folder import ModelFolder
from napari_blurgan.writing.ome_tiff import write_ome_tiff

ENDED = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass(frozen=True)
class Job:
    """A command that receives a signal to stop.

    Attributes
    ----------
    name, line, out
        For the table; of the command line, without "blurgan"; its result.
    again : str
        Option with which it is run afterwards.
    """

    name: str
    line: str
    out: str
    again: str = "--resume"


@dataclass
class Outcome:
    """The consequences of all signals to one job."""

    sent: int = 0
    longest: float = 0.0
    models: int = 0
    faults: list[str] = field(default_factory=list)


def jobs(small: bool) -> list[Job]:
    """Return the commands, of ordinary size or small."""
    size = f"{TINY} reconstructor.iterations=2" if small else "--device cpu"
    steps = 30 if small else 40
    iterations = 60 if small else 25
    restore = "restore given.blurgan y.tif --device cpu --precision float32"
    restore += " --tile 8 16 16" if small else ""
    deconvolve = f"deconvolve rl film.tif {OPTICS} --device cpu"
    deconvolve += f" --iterations {iterations}"
    train = f"train nonblind --blurred y.tif --sharp x.tif --steps {steps} {OPTICS}"
    return [
        Job("train", f"{train} --out m.blurgan {size}", "m.blurgan"),
        Job("restore to TIFF", f"{restore} --out r.ome.tif", "r.ome.tif", OVERWRITE),
        Job("restore to zarr", f"{restore} --out r.zarr", "r.zarr"),
        Job("deconvolve to TIFF", f"{deconvolve} --out d.tif", "d.tif", OVERWRITE),
        Job("deconvolve to zarr", f"{deconvolve} --out d.zarr", "d.zarr"),
    ]


OVERWRITE = "--overwrite"


def prepared(folder: Path, small: bool) -> None:
    """Write two images, a film and a model into a folder."""
    rng = np.random.default_rng(0)
    shape = (16, 40, 48) if small else (24, 128, 128)
    for name in "yx":
        image = rng.poisson(40, shape).astype(np.uint16)
        write_ome_tiff(folder / f"{name}.tif", image, "ZYX", VOXEL)
    film = rng.poisson(40, (3, *shape)).astype(np.uint16)
    write_ome_tiff(folder / "film.tif", film, "TZYX", VOXEL)
    line = "train supervised --blurred y.tif --sharp x.tif --steps 2"
    size = TINY if small else "--device cpu"
    finish(start(f"{line} --out given.blurgan {size}", folder))


def signalled(process: int, number: signal.Signals, after: float) -> tuple[int, float]:
    """Signal a process after some seconds; return its code, and how long it took on."""
    begun = time.monotonic()
    while time.monotonic() - begun < after:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), 0.0
        time.sleep(0.005)
    os.kill(process, number)
    begun = time.monotonic()
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - begun


def tried(job: Job, folder: Path, signals: int, chance: random.Random) -> Outcome:
    """Interrupt a job again and again, and let it finish in between."""
    begun = time.monotonic()
    finish(start(job.line, folder))
    seconds = time.monotonic() - begun
    expected, found = result(folder / job.out), Outcome()
    remove(folder / job.out)
    while found.sent < signals:
        number = chance.choice((signal.SIGINT, signal.SIGTERM))
        moment = chance.uniform(0.1, 0.9) * seconds
        code, took = signalled(start(job.line, folder), number, moment)
        found.sent += 1
        found.longest = max(found.longest, took)
        found.faults += faults_of(job, folder, code, number, found)
        finish(start(f"{job.line} {job.again}", folder))
        if result(folder / job.out) != expected:
            found.faults.append("the result differs from that of an undisturbed run")
        remove(folder / job.out)
    return found


def faults_of(
    job: Job, folder: Path, code: int, number: signal.Signals, found: Outcome
) -> list[str]:
    """Return what is wrong after a signal, and count the models that there are."""
    place = folder / job.out
    if job.name == "train":
        # Once it has begun, a training that is stopped is one that ended sooner.
        kept = ModelFolder(place).load() is not None
        found.models += kept
        return [] if code == (0 if kept else ENDED[number]) else [f"exit code {code}"]
    if code == 0:  # it was faster than the signal
        return []
    faults = [] if code == ENDED[number] else [f"exit code {code}"]
    if place.exists():
        faults.append("what is not complete has a final name")
    return faults


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    """Print the table; return 1 if a job misbehaved."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--signals", type=int, default=4, help="to each job")
    parser.add_argument("--limit", type=float, default=5.0, help="seconds to end in")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=[j.name for j in jobs(True)])
    options = parser.parse_args()
    torch.set_num_threads(1)
    load_everything()
    chance, failed = random.Random(options.seed), 0
    print("| job | signals | longest time to end | resumed |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder, options.small)
        for job in jobs(options.small):
            if options.only and job.name not in options.only:
                continue
            found = tried(job, folder, options.signals, chance)
            late = found.longest > options.limit
            failed += late or bool(found.faults)
            verdict = "; ".join(found.faults) or "equal"
            row = f"{found.sent} | {found.longest:.1f} s | {verdict}"
            print(f"| {job.name} | {row} |", flush=True)
            if job.name == "train":
                print(f"models that a training left: {found.models}", file=sys.stderr)
        rest = [n for n in left_behind(folder) if n != "film.tif"]
    print(f"left behind: {', '.join(rest) or 'nothing'}")
    return int(bool(failed or rest))


if __name__ == "__main__":
    sys.exit(main())
