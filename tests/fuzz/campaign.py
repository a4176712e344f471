"""Damaged inputs, read one by one: right, refused, or one of four faults.

    python -m tests.fuzz.campaign --count 20000

prints the table of docs/restore.md; ``--write`` puts it there. An input is named by its
reader and a number; ``--only "TIFF images" --first 17 --count 1`` reads that one again
and says what came. Ten seconds are those of the processor, as others may use it, too;
after a minute by the clock, an input counts as a traceback.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.helpers.tables import write_table
from napari_blurgan.errors import BlurGANError
from tests.fuzz.readers import READERS, Answer, Reader

SECONDS = 10
KIBIBYTES = 2 * 2**20
LONGEST_MESSAGE = 1500
FAULTS = ("traceback", "wrong, silently", "memory > 2 GiB", "over 10 s", "crash")
COLUMNS = ("tried", "read", "refused", *FAULTS)
SHARES = {
    "TIFF images": 0.25,
    "files of vendors": 0.05,
    "PSF files": 0.12,
    "zarr, OME-Zarr 0.4/0.5": 0.2,
    "models": 0.1,
    "states of training": 0.07,
    "resumed trainings": 0.01,
    "history.csv": 0.05,
    "recipes": 0.15,
}
BATCH = 250


class Campaign:
    """Reads damaged copies of the seeds of one reader.

    Parameters
    ----------
    name : str
        Of the reader.
    folder : Path
        To work in.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.reader: Reader = READERS[name]
        self.folder = folder
        (folder / "seeds").mkdir()
        self.seeds = self.reader.seeds(folder / "seeds")
        self.whole: dict[Path, Answer] = {}
        for seed in self.seeds:
            try:
                self.whole[seed] = self.reader.read(seed)
            except BlurGANError:
                continue  # a real file that is refused; its damaged copies are, too

    def outcome(self, number: int) -> tuple[str, str]:
        """Return what became of an input, and what was said."""
        rng = random.Random(f"{self.name} {number}")
        seed = rng.choice(self.seeds)
        path = self.folder / seed.name
        (shutil.copytree if seed.is_dir() else shutil.copyfile)(seed, path)
        try:
            lost = self.reader.damage(rng, path)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.process_time()
            kind, said = self._read(path, self.whole.get(seed), lost)
            if time.process_time() - began > SECONDS:
                kind = "over 10 s"
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if after - before > KIBIBYTES:
                kind = "memory > 2 GiB"
        finally:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return kind, f"{seed.name}: {said}"

    def _read(self, path: Path, whole: Answer | None, lost: bool) -> tuple[str, str]:
        try:
            answer = self.reader.read(path)
        except BlurGANError as error:
            said = str(error)
            plain = "\n" not in said and len(said) < LONGEST_MESSAGE
            return ("refused" if plain else "traceback"), said
        except Exception:
            return "traceback", traceback.format_exc()
        if lost and whole is not None and silently_other(answer, whole):
            return "wrong, silently", repr(answer)[:300]
        return "read", ""


def silently_other(answer: Answer, whole: Answer) -> bool:
    """Return whether an answer is another, and all that it notes was noted before."""
    return not answer.same(whole) and set(answer.notes) <= set(whole.notes)


def run_batch(name: str, numbers: range, sent: Any) -> None:
    """Send the outcome of each number; a process of its own, which may crash."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(name, Path(folder))
        for number in numbers:
            signal.alarm(6 * SECONDS)
            sent.send((number, *campaign.outcome(number)))
            signal.alarm(0)
    sent.close()


def _too_long(*_: Any) -> None:
    raise RuntimeError("a minute has passed")


def run(name: str, numbers: range) -> Counter[str]:
    """Read the inputs of one reader; say the faults on stderr."""
    found: Counter[str] = Counter()
    while numbers:
        batch, numbers = numbers[:BATCH], numbers[BATCH:]
        received, sent = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=run_batch, args=(name, batch, sent))
        process.start()
        sent.close()
        last = batch.start - 1
        while True:
            try:
                last, kind, said = received.recv()
            except EOFError:
                break
            found[kind] += 1
            if kind in FAULTS:
                print(f"{name} {last}: {kind}: {said}", file=sys.stderr, flush=True)
        process.join()
        if process.exitcode:
            found["crash"] += 1
            print(f"{name} {last + 1}: crash {process.exitcode}", file=sys.stderr)
            numbers = range(last + 2, max(numbers.stop, batch.stop))
    return found


def row(name: str, found: Counter[str]) -> list[object]:
    """Return the cells of a line of the table."""
    return [name, *(found[column] for column in COLUMNS)]


def main() -> int:
    """Run the campaign; 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=list(READERS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    total: Counter[str] = Counter()
    rows = []
    for name, share in SHARES.items():
        if options.only in (None, name):
            count = options.count if options.only else round(share * options.count)
            found = run(name, range(options.first, options.first + count))
            found["tried"] = sum(found.values())
            total += found
            rows.append(row(name, found))
            print(*rows[-1], sep=" | ", flush=True)
    rows.append(row("together", total))
    print(*rows[-1], sep=" | ")
    if options.write:
        header = " | ".join(["| reader", *COLUMNS]) + " |"
        write_table("restore.md", "damaged inputs", header, rows)
    return int(any(total[fault] for fault in FAULTS))


if __name__ == "__main__":
    sys.exit(main())
