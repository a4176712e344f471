"""What real images, restored, say of data that nobody was shown.

    python -m benchmarks.claims.real_unseen --data FOLDER [--only FIELD ...]
        [--seeds N ...] [--steps N] [--set KEY=VALUE ...] [--write]

FOLDER is that of the real images; helpers/unseen_data.py says which, and what is kept
from the methods. A restoration is blurred again and compared with it; errors are
weighed as the preset `self-supervised` weighs them, so that they are those of the
object wherever the blur lets light through. Each row is compared with Richardson-Lucy
that stops by itself, as `deconvolve` makes it: how much smaller the error is in per
cent of it, noise included, and of how many standard errors that difference is.
Correlations with a confocal image are at the best shift; "blurred" is the best one with
a Gaussian: restorations are sharper than the confocal image, and are blurred to its
resolution. What has been measured is kept in benchmarks/results/real-unseen.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.helpers.cameras import camera_of
from benchmarks.helpers.places import RESULTS
from benchmarks.helpers.tables import write_table
from benchmarks.helpers.unseen_data import FIELDS, Field
from napari_blurgan import Model, Trainer, deconvolve, preset, restore
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.judge import FLOOR, standard_error
from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.inverse.stopping import HeldOut
from napari_blurgan.measure.fidelity import correlation
from napari_blurgan.monitoring.events import Finished
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.levels import calibrate

Array = NDArray[np.float32]
FOUND = RESULTS / "real-unseen.json"
TAPER = 12
FIRST = "Richardson–Lucy"
REACH = 6
GAUSSIANS = (0.0, 1.0, 1.5, 2.0, 2.5)
"""Standard deviations, in voxels, with which restorations are blurred."""
MOST = 60
"""Iterations of the classical methods where their rule does not stop them before."""


class Unseen:
    """Compares restorations of a field by what they predict of its unseen data.

    Light from beyond the border reaches the image, and no restoration is handed over
    with what lies there: that of Richardson-Lucy is taken for all, and what a
    restoration has within the border that Richardson-Lucy has not is added, blurred.

    Parameters
    ----------
    field : Field
        The image, its PSF, and what is unseen.
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        recipe = preset("self-supervised").updated({"dims": dims_of(field)})
        levels = calibrate(recipe, [field.stack], [])
        self.offset, self.scale = levels.y.offset, levels.y.scale
        self.blur = BlurKernel(FixedKernel(field.psf.data), dims=dims_of(field))
        image = self._normal(np.asarray(field.stack.data) - self.offset)
        estimator = Estimator(16, levels.noise.pedestal)
        estimate, expected = estimator.fit(image, self.blur)
        self.estimate, self.expected = estimate, self._onto(expected)
        self.unseen = self._fitted(torch.from_numpy(field.unseen)[None, None])
        self.taper = window(tuple(self.unseen.shape[2:]), TAPER)
        self.errors: dict[str, torch.Tensor] = {}

    def _normal(self, image: Array) -> torch.Tensor:
        return torch.from_numpy(np.asarray(image, np.float32))[None, None] / self.scale

    def _onto(self, predicted: torch.Tensor) -> torch.Tensor:
        if not self.field.between:
            return predicted
        middle = (predicted[:, :, 1:] + predicted[:, :, :-1]) / 2
        return middle[:, :, : self.field.unseen.shape[0]]

    def _fitted(self, unseen: torch.Tensor) -> torch.Tensor:
        """Return the unseen data with the brightness of what is seen."""
        known, measured = (t.flatten().numpy() for t in (self.expected, unseen))
        slope, level = np.polyfit(known, measured, 1)
        return (unseen - float(level)) / float(slope)

    def judge(self, row: str, restored: Array) -> dict[str, float]:
        """Return how much better than Richardson-Lucy a restoration predicts.

        Parameters
        ----------
        row : str
            Its name; the first one is Richardson-Lucy.
        restored : ndarray
            In grey levels, its background included: a lower one is no light that would
            end at the border.
        """
        change = self.blur(self._normal(restored - self.offset) - self.estimate, "zero")
        residual = self.unseen - self.expected - self._onto(change)
        level = (self.taper * residual).sum() / self.taper.sum()
        left = self.taper * (residual - level)
        error = ProjectedError(self.blur, tuple(left.shape[2:]), FLOOR)
        self.errors[row] = error.filtered(left).square()
        first = self.errors[FIRST]
        gain = first - self.errors[row]
        bar = standard_error(gain) or 1.0
        return {
            "gain": float(gain.mean() / first.mean()),
            "errors": float(gain.mean()) / bar,
        }


def dims_of(field: Field) -> int:
    return len(field.stack.spatial_shape) if "Z" in field.stack.axes else 2


def richardson_lucy(field: Field, method: str) -> Array:
    """Deconvolve until held-out photons are no longer predicted better."""
    camera = camera_of(np.asarray(field.stack.data, np.float32))
    found = deconvolve(
        field.stack,
        field.psf,
        method,
        camera=camera,
        iterations=MOST,
        stop=HeldOut(),
        device="cpu",
    )
    return np.asarray(found.image, np.float32) + np.float32(camera.offset)


def trained(field: Field, changes: dict[str, Any]) -> tuple[Array, Model]:
    recipe = preset("self-supervised").updated({"dims": dims_of(field)} | changes)
    *_, last = Trainer(recipe, [field.stack], [], psf=field.psf, device="cpu")
    assert isinstance(last, Finished)
    return np.asarray(restore(last.model, field.stack).data, np.float32), last.model


def _blurred(image: Array) -> Iterator[Array]:
    for width in GAUSSIANS:
        yield gaussian_filter(image, width)


def agreement(image: Array, confocal: Array) -> float:
    """Return the correlation at the best shift by whole voxels."""
    inner = tuple(slice(REACH, n - REACH) for n in confocal.shape)
    found = []
    for steps in product(range(-REACH, REACH + 1), repeat=confocal.ndim):
        moved = tuple(
            slice(s.start + d, s.stop + d) for s, d in zip(inner, steps, strict=True)
        )
        found.append(correlation(image[moved], confocal[inner]))
    return max(found)


def measure(
    field: Field,
    changes: dict[str, Any],
    note: Callable[[str, dict[str, Any]], None],
) -> None:
    """Run all rows of a field, with such changes of the recipe."""
    unseen = Unseen(field)

    def judged(row: str, image: Array, **more: Any) -> None:
        found = unseen.judge(row, image) | more
        if field.confocal is not None:
            blurred = [agreement(b, field.confocal) for b in _blurred(image)]
            found |= {"correlation": blurred[0], "blurred": max(blurred)}
        note(row, found)

    judged(FIRST, richardson_lucy(field, "rl-accelerated"))
    start = time.process_time()
    image, model = trained(field, changes)
    said = model.provenance["unseen"]
    judged(
        title(changes),
        image,
        minutes=(time.process_time() - start) / 60,
        iterations=model.recipe.reconstructor.estimate_iterations,
        own=1 - said["error"] / said["of_estimate"],
    )
    judged("RLGC", richardson_lucy(field, "rlgc"))


def title(changes: dict[str, Any]) -> str:
    """Name a row after what was changed of the recipe."""
    others = [f"{k}={v}" for k, v in changes.items() if k not in ("steps", "seed")]
    return ", ".join(["self-supervised", f"{changes['steps']} steps", *others])


def read() -> dict[str, Any]:
    return json.loads(FOUND.read_text()) if FOUND.exists() else {}


def keep(name: str, seed: int) -> Callable[[str, dict[str, Any]], None]:
    def note(row: str, found: dict[str, Any]) -> None:
        print(name, seed, row, found, sep=" | ", flush=True)
        results = read()
        results.setdefault(name, {}).setdefault(str(seed), {})[row] = found
        FOUND.parent.mkdir(exist_ok=True)
        text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
        FOUND.write_text(text)

    return note


def table() -> list[tuple[str, ...]]:
    rows = []
    for name, seeds in read().items():
        for seed, found in seeds.items():
            for row, figures in found.items():
                if row != FIRST or "correlation" in figures:
                    rows.append((name, seed, row, *cells(figures)))
    return rows


def cells(figures: dict[str, Any]) -> tuple[str, ...]:
    names = ("own", "minutes", "correlation", "blurred")
    own, minutes, seen, blurred = (figures.get(name) for name in names)
    return (
        f"{figures['gain']:+.2%}",
        f"{figures['errors']:+.1f}",
        "" if own is None else f"{own:+.2%}",
        "" if seen is None else f"{seen:.3f}",
        "" if blurred is None else f"{blurred:.3f}",
        "" if minutes is None else f"{minutes:.1f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, required=True)
    add("--only", nargs="+", choices=FIELDS, default=list(FIELDS))
    add("--seeds", nargs="+", type=int, default=[0])
    add("--steps", type=int, default=500)
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the recipe")
    add("--write", action="store_true", help="into docs/real-data.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = {"steps": options.steps} | dict(
        pair.split("=", 1) for pair in options.set
    )
    for name in options.only:
        for seed in options.seeds:
            field = FIELDS[name](options.data)
            measure(field, settings | {"seed": seed}, keep(name, seed))
    if options.write:
        header = (
            "| field | seed | row | unseen data | standard errors | own criterion "
            "| confocal | confocal, blurred | CPU minutes |"
        )
        write_table("real-data.md", "unseen", header, table())


if __name__ == "__main__":
    main()
