"""SIGINT and SIGTERM: how soon a command ends, what it leaves, and that it goes on.

    python -m benchmarks.claims.signals [--signals 4] [--limit 5] [--busy] [--small]

sends the two by turns at random moments to commands that train, restore and deconvolve
(to TIFF and to zarr), make references, simulate, map evidence and export, and measures
the seconds until the process is gone, by the clock and of the processor. Its exit code
has to be 130 or 143; nothing half-written may have a final name; and the command,
called again with ``--resume`` where it has it and ``--overwrite`` elsewhere, has to end
with the result of a run that nobody disturbed. A training that has begun leaves a
model. Exit code 1 if anything is otherwise, or takes longer than `limit` seconds: of
the processor with ``--busy``, for a machine that others use, too. Commands take some
half a minute of the processor (an export: seconds), or with ``--small`` very little.
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
import psutil
import torch

from benchmarks.claims.kills import (
    OPTICS,
    TINY,
    VOXEL,
    Result,
    finish,
    left_behind,
    load_everything,
    result,
    start,
)
from napari_blurgan.models.folder import ModelFolder
from napari_blurgan.writing.ome_tiff import write_ome_tiff

PATIENCE = 1200.0
"""Seconds to wait for a command on a machine that others use."""
ENDED = {signal.SIGINT: 130, signal.SIGTERM: 143}


HEADER = """\
| job | CPU time | signals | longest to end, CPU | by the clock | resumed |
|---|---|---|---|---|---|"""


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
    """The consequences of all signals to one job.

    Attributes
    ----------
    sent, models : int
        Signals; models that trainings left.
    alone, clock, processor : float
        Seconds that the job takes undisturbed, of the processor; longest time to end.
    faults : list of str
        What was wrong.
    """

    alone: float = 0.0
    sent: int = 0
    clock: float = 0.0
    processor: float = 0.0
    models: int = 0
    faults: list[str] = field(default_factory=list)


def jobs(small: bool) -> list[Job]:
    """Return the commands, of ordinary size or small."""
    size = f"{TINY} reconstructor.iterations=2" if small else "--device cpu"
    steps, few, many = (30, 60, 60) if small else (40, 14, 400)
    restore = "restore given.blurgan film.tif --device cpu --precision float32"
    restore += " --tile 8 16 16" if small else ""
    with_optics = f"{OPTICS} --device cpu"
    deconvolve = f"deconvolve rl film.tif {with_optics} --iterations {few}"
    train = f"train nonblind --blurred y.tif --sharp x.tif --steps {steps} {OPTICS}"
    references = (
        f"references rl wide-y.tif wide-x.tif {with_optics} --iterations {many}"
    )
    references += " --voxel .3 .2 .2"
    evidence = f"evidence given.blurgan wide-y.tif wide-x.tif {with_optics}"
    simulate = f"simulate sim --structure microtubules --voxel .3 .1 .1 {OPTICS}"
    simulate += f" --shape {'16 64 64' if small else '64 768 768'}"
    export = "export given.blurgan --to bioimageio"
    return [
        Job("train", f"{train} --out m.blurgan {size}", "m.blurgan"),
        Job("restore to TIFF", f"{restore} --out r.ome.tif", "r.ome.tif", OVERWRITE),
        Job("restore to zarr", f"{restore} --out r.zarr", "r.zarr"),
        Job("deconvolve to TIFF", f"{deconvolve} --out d.tif", "d.tif", OVERWRITE),
        Job("deconvolve to zarr", f"{deconvolve} --out d.zarr", "d.zarr"),
        Job("references", f"{references} --out refs", "refs", OVERWRITE),
        Job("evidence", f"{evidence} --out e.zarr", "e.zarr"),
        Job("simulate", simulate, "sim", OVERWRITE),
        Job("export", f"{export} --out e.zip", "e.zip", OVERWRITE),
    ]


OVERWRITE = "--overwrite"
INPUTS = ("film.tif", "wide-y.tif", "wide-x.tif")


def prepared(folder: Path, small: bool) -> None:
    """Write images, a film and a model into a folder."""
    rng = np.random.default_rng(0)
    shape = (16, 40, 48) if small else (24, 128, 128)
    wide = shape if small else (24, 256, 256)
    for name, size in (("y", shape), ("x", shape), ("wide-y", wide), ("wide-x", wide)):
        image = rng.poisson(40, size).astype(np.uint16)
        write_ome_tiff(folder / f"{name}.tif", image, "ZYX", VOXEL)
    film = rng.poisson(40, (3 if small else 30, *shape)).astype(np.uint16)
    write_ome_tiff(folder / "film.tif", film, "TZYX", VOXEL)
    line = "train supervised --blurred y.tif --sharp x.tif --steps 2"
    size = TINY if small else "--device cpu"
    finish(start(f"{line} --out given.blurgan {size}", folder), PATIENCE)


def signalled(
    process: int, number: signal.Signals, after: float
) -> tuple[int, float, float]:
    """Signal a process once it has computed for some seconds.

    Returns
    -------
    int, float, float
        Its exit code, and the seconds that it went on, by the clock and of the
        processor.
    """
    while (used := computed(process)) < after:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), 0.0, 0.0
        time.sleep(0.005)
    os.kill(process, number)
    begun = time.monotonic()
    _, status, usage = os.wait4(process, 0)
    clock = time.monotonic() - begun
    later = usage.ru_utime + usage.ru_stime
    return os.waitstatus_to_exitcode(status), clock, later - used


def computed(process: int) -> float:
    """Return the seconds of the processor that a process has had."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


def alone(job: Job, folder: Path) -> float:
    """Run a job that nobody disturbs; return its seconds of the processor."""
    before = os.times()
    finish(start(job.line, folder), PATIENCE)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def tried(job: Job, folder: Path, signals: int, chance: random.Random) -> Outcome:
    """Interrupt a job again and again, and let it finish in between."""
    found = Outcome(alone(job, folder))
    expected = result(folder / job.out)
    remove(folder / job.out)
    while found.sent < signals:
        number = (signal.SIGINT, signal.SIGTERM)[found.sent % 2]
        moment = chance.uniform(0.1, 0.9) * found.alone
        code, clock, used = signalled(start(job.line, folder), number, moment)
        found.sent += 1
        found.clock = max(found.clock, clock)
        found.processor = max(found.processor, used)
        found.faults += faults_of(job, folder, code, number, found)
        found.faults += half_written(job, folder, expected)
        finish(start(f"{job.line} {job.again}", folder), PATIENCE)
        if result(folder / job.out) != expected:
            found.faults.append("the result differs from that of an undisturbed run")
        remove(folder / job.out)
    return found


def faults_of(
    job: Job, folder: Path, code: int, number: signal.Signals, found: Outcome
) -> list[str]:
    """Return what is wrong with an exit code, and count the models that there are."""
    right = ENDED[number]
    if job.name == "train" and ModelFolder(folder / job.out).load() is not None:
        found.models += 1
        right = 0  # once it has begun, a training that is stopped just ended sooner
    faster = code == 0 and job.name != "train"
    return [] if code == right or faster else [f"exit code {code}"]


def half_written(job: Job, folder: Path, expected: Result) -> list[str]:
    """Return what has a final name, but is not complete."""
    try:
        found = result(folder / job.out)
    except Exception as error:  # whatever a damaged file leads to
        return [f"half-written: {error}"]
    if job.name == "train":
        return []  # any checkpoint is right that can be read
    return [
        f"{name} is half-written" for name in found if found[name] != expected[name]
    ]


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def row(job: Job, found: Outcome) -> str:
    """Return a line of the table."""
    ends = f"{found.processor:.1f} s | {found.clock:.1f} s"
    verdict = "; ".join(found.faults) or "equal"
    return f"| {job.name} | {found.alone:.0f} s | {found.sent} | {ends} | {verdict} |"


def main() -> int:
    """Print the table; return 1 if a job misbehaved."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--signals", type=int, default=4, help="to each job")
    parser.add_argument("--limit", type=float, default=5.0, help="seconds to end in")
    parser.add_argument("--busy", action="store_true", help="limit the processor's")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=[j.name for j in jobs(True)])
    options = parser.parse_args()
    torch.set_num_threads(1)
    load_everything()
    chance, failed = random.Random(options.seed), 0
    print(HEADER)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder, options.small)
        for job in jobs(options.small):
            if options.only and job.name not in options.only:
                continue
            found = tried(job, folder, options.signals, chance)
            took = found.processor if options.busy else found.clock
            failed += took > options.limit or bool(found.faults)
            print(row(job, found), flush=True)
            if job.name == "train":
                print(f"models that a training left: {found.models}", file=sys.stderr)
        rest = [n for n in left_behind(folder) if n not in INPUTS]
    print(f"left behind: {', '.join(rest) or 'nothing'}")
    return int(bool(failed or rest))


if __name__ == "__main__":
    sys.exit(main())
