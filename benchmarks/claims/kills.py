"""Kill commands at random moments: nothing half-written, and every job goes on.

    python -m benchmarks.claims.kills [--kills 100] [--seed 0] [--only NAME …]

runs small jobs of the command line (training, restoring to TIFF and to zarr, replacing
an older result, deconvolving, making references, exporting), sends each SIGKILL at some
moment, looks at what is there under its final name, and runs it again: with
``--resume`` where the command has it, else with ``--overwrite``. In the end all results
have to equal those of a run that nobody disturbed, bit for bit. Exit code 1 if anything
is otherwise.

Commands run in forks of a process that has the libraries loaded already, so that most
moments fall into the work and not into imports. A training saves every fifth of a
second instead of every half a minute, so that kills fall into checkpoints, too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # what the first optimiser would load

from napari_blurgan.cli import main as blurgan
from napari_blurgan.models.checkpoint import read_state
from napari_blurgan.models.folder import ModelFolder
from napari_blurgan.models.model import load_model, read_history
from napari_blurgan.reading.images import read_stack
from napari_blurgan.training import trainer
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.3, 0.1, 0.1)
OPTICS = "--na 1 --ni 1.33 --wavelength 520"
TINY = (
    "--device cpu --set reconstructor.base=2 reconstructor.levels=2 "
    "discriminator.base=4 discriminator.scales=1 sampling.patch=16 precision=float32"
)
SAVE_EVERY = 0.2
PATIENCE = 120.0

Result = dict[str, object]


@dataclass(frozen=True)
class Job:
    """Something to be killed.

    Attributes
    ----------
    name : str
        For the table.
    line : str
        Of the command line, without "blurgan".
    again : str
        Option with which it is run after a kill.
    out : str
        Its result, beside the inputs.
    old : bool
        Whether there is an older result, which the command replaces.
    """

    name: str
    line: str
    again: str
    out: str
    old: bool = False


JOBS = (
    Job(
        "train",
        f"train nonblind --blurred y.tif --sharp x.tif --steps 30 {OPTICS} "
        f"--out m.blurgan {TINY} reconstructor.iterations=2",
        "--resume",
        "m.blurgan",
    ),
    Job("restore to TIFF", "restore", "--overwrite", "r.ome.tif"),
    Job("restore to zarr", "restore", "--resume", "r.zarr"),
    Job("replace a TIFF", "restore", "--overwrite", "s.ome.tif", old=True),
    Job("replace a zarr", "restore", "--overwrite", "s.zarr", old=True),
    Job(
        "deconvolve",
        f"deconvolve rl y.tif {OPTICS} --iterations 60 --device cpu --out d.ome.tif",
        "--overwrite",
        "d.ome.tif",
    ),
    Job(
        "references",
        f"references rl y.tif x.tif {OPTICS} --voxel 0.3 0.2 0.2 --iterations 30 "
        "--device cpu --out refs",
        "--overwrite",
        "refs",
    ),
    Job(
        "export",
        "export given.blurgan --to bioimageio --out e.zip",
        "--overwrite",
        "e.zip",
    ),
)
RESTORE = "restore given.blurgan y.tif --tile 8 16 16 --device cpu --precision float32"


def load_everything() -> None:
    """Import what commands import when they need it."""
    import napari_blurgan

    inside = pkgutil.walk_packages(napari_blurgan.__path__, "napari_blurgan.")
    for name in [module.name for module in inside]:
        if ".widgets" not in name and not name.endswith("__main__"):
            importlib.import_module(name)
    for name in ("rich.progress", "rich.live", "scipy.ndimage", "scipy.optimize"):
        importlib.import_module(name)


def prepared(folder: Path) -> None:
    """Write two images and a model into a folder."""
    rng = np.random.default_rng(0)
    for name in "yx":
        image = rng.poisson(40, (16, 40, 48)).astype(np.uint16)
        write_ome_tiff(folder / f"{name}.tif", image, "ZYX", VOXEL)
    line = "train supervised --blurred y.tif --sharp x.tif --steps 2"
    finish(start(f"{line} --out given.blurgan {TINY}", folder))


def line_of(job: Job) -> str:
    return f"{RESTORE} --out {job.out}" if job.line == "restore" else job.line


def start(line: str, folder: Path) -> int:
    """Run a command in a fork, its words in a file; return its process id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        # A shell starts what runs in its background deaf to Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(folder)
        words = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(words, 1)
        os.dup2(words, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        code = blurgan(line.split())
        sys.stderr.flush()
    finally:
        os._exit(code)


def finish(process: int, patience: float = PATIENCE) -> None:
    """Wait for a command that nobody disturbs."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            if status:
                raise RuntimeError(f"ended with {os.waitstatus_to_exitcode(status)}")
            return
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise RuntimeError(f"did not end in {patience:.0f} s")


def killed(process: int, after: float) -> float | None:
    """Kill a command after some seconds; return how long it took if it was faster."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < after:
        done, _ = os.waitpid(process, os.WNOHANG)
        if done:
            return passed
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def result(path: Path) -> Result:
    """Return all that a result holds, for comparison; raises where it is not whole."""
    if path.suffix == ".blurgan":
        return {**_model(path)}
    if path.name in ("refs", "sim"):
        return {str(p.relative_to(path)): _pixels(p) for p in path.rglob("[!.]*.tif")}
    if not path.exists():
        return {}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as package:
            return {name: package.read(name) for name in package.namelist()}
    return {path.name: _pixels(path)}


def _pixels(path: Path) -> bytes:
    stack = read_stack(path, strict=True)
    shape = f"{stack.axes} {stack.shape} {stack.voxel_size}".encode()
    return shape + np.ascontiguousarray(np.asarray(stack.data)).tobytes()


def _model(folder: Path) -> Result:
    """Return what a training has written; all of it has to be whole."""
    if not (folder / "weights.safetensors").exists():
        return {}
    model = load_model(folder)
    state = ModelFolder(folder).load()
    assert state is not None, "weights without a state to go on from"
    weights = model.generator.state_dict()
    rows = read_history(folder / "history.csv")
    losses = {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}
    psf = (
        b""
        if not (folder / "psf.ome.tif").exists()
        else _pixels(folder / "psf.ome.tif")
    )
    saved = read_state(folder / "weights.safetensors")["provenance"].get("steps")
    return {
        "steps": saved,
        "psf": psf,
        **{name: value.numpy().tobytes() for name, value in weights.items()},
        **{f"history {key}": values for key, values in losses.items()},
    }


def undisturbed(job: Job, folder: Path) -> tuple[Result, float]:
    """Return the result of a job that is left alone, and how long it takes."""
    begun = time.monotonic()
    finish(start(line_of(job), folder))
    seconds = time.monotonic() - begun
    found = result(folder / job.out)
    _remove(folder / job.out)
    return found, seconds


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def check(job: Job, folder: Path, expected: Result, older: Result) -> None:
    """Raise unless what has a final name is whole: as it should be, or as it was."""
    found = result(folder / job.out)
    if job.name == "train":
        return  # Any checkpoint is right that can be read; the end has to be equal.
    for name, value in found.items():
        if value not in (expected[name], older.get(name)):
            raise RuntimeError(f"{name} is neither the result nor what was there")


def tried(job: Job, folder: Path, kills: int, chance: random.Random) -> tuple[int, int]:
    """Kill a job again and again; return how often, and how often it ended."""
    expected, seconds = undisturbed(job, folder)
    count, ends = 0, 0
    while count < kills:
        older = _older(folder / job.out) if job.old else {}
        words = f"{line_of(job)} {job.again}" if job.old else line_of(job)
        while count < kills:
            took = killed(start(words, folder), chance.uniform(0, seconds))
            if took is not None:
                seconds = min(
                    seconds, 1.1 * took
                )  # the machine is less busy than it was
                break
            count += 1
            check(job, folder, expected, older)
            words = f"{line_of(job)} {job.again}"
        else:
            finish(start(words, folder))
        ends += 1
        if result(folder / job.out) != expected:
            raise RuntimeError("the result differs from that of an undisturbed run")
        _remove(folder / job.out)
    return count, ends


def _older(path: Path) -> Result:
    """Put an older result of another shape in place, and return it."""
    from napari_blurgan import Stack

    image = np.ones((8, 40, 40), np.float32)
    Stack(image, "ZYX", VOXEL).save(path, overwrite=True)
    return result(path)


def left_behind(folder: Path) -> list[str]:
    """Return what is there beside inputs and the given model."""
    kept = {"y.tif", "x.tif", "given.blurgan", "said.txt"}
    return sorted(p.name for p in folder.iterdir() if p.name not in kept)


def main(jobs: tuple[Job, ...] = JOBS) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=[j.name for j in jobs])
    options = parser.parse_args()
    torch.set_num_threads(1)
    load_everything()
    trainer.SAVE_SECONDS = SAVE_EVERY
    chosen = [j for j in jobs if not options.only or j.name in options.only]
    share = -(-options.kills // len(chosen))
    chance, failed = random.Random(options.seed), 0
    print("| job | kills | completed runs | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder)
        for job in chosen:
            verdict, counts = _verdict(
                lambda job=job: tried(job, folder, share, chance)
            )
            failed += verdict != "equal"
            print(f"| {job.name} | {counts[0]} | {counts[1]} | {verdict} |", flush=True)
        rest = left_behind(folder)
    print(f"left behind: {', '.join(rest) or 'nothing'}")
    return int(bool(failed))


def _verdict(run: Callable[[], tuple[int, int]]) -> tuple[str, tuple[int, int]]:
    try:
        return "equal", run()
    except Exception as error:  # whatever it is, the next job is tried
        return f"{type(error).__name__}: {error}", (0, 0)


if __name__ == "__main__":
    sys.exit(main())
