"""The rows of the papers' tables: what is done to a volume, and how well it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from benchmarks.helpers.papers_data import EDGE, TAPS, VOXEL, Experiment, Volume
from napari_blurgan.classical.richardson_lucy import RichardsonLucySteps
from napari_blurgan.classical.wiener import wiener
from napari_blurgan.data.stack import Stack
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.measure.fidelity import compare, paper_scores
from napari_blurgan.methods.parts import LEARNED_KERNEL, PAIRS
from napari_blurgan.methods.presets import preset
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import KernelUpdated, Stepped, Warned
from napari_blurgan.optics.kernel import gaussian_kernel
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer

RL_STEPS = (160, 10)  # at most, and between two looks
WIENER = (0.3, 0.1, 0.03, 0.01, 0.003)
Restore = Callable[[Volume], Volume]


def figures(result: Volume, truth: Volume) -> dict[str, float]:
    """Compare inside: the borders see objects that nobody knows."""
    inside = (slice(EDGE, -EDGE),) * 3
    found = compare(np.clip(result, 0, 1)[inside], truth[inside], data_range=1.0)
    keep = ("psnr", "psnr_fitted", "ssim", "ssim_fitted", "correlation")
    scores = {name: round(getattr(found, name), 4) for name in keep}
    return scores | equalised(np.clip(result, 0, 1)[inside], truth[inside])


def equalised(result: Volume, truth: Volume) -> dict[str, float]:
    """Return what the paper seems to have scored; a black image has no contrast."""
    if np.ptp(result) == 0:
        return {}
    scores = paper_scores(result, truth)
    return {
        "psnr_equalized": round(scores.psnr_equalized, 4),
        "ssim_equalized": round(scores.ssim_equalized, 4),
    }


def best(results: Iterator[Volume], truth: Volume) -> dict[str, float]:
    """Choose by the truth, as no user could: this flatters the method."""
    return max((figures(x, truth) for x in results), key=lambda f: f["psnr_fitted"])


def richardson_lucy(
    y: Volume, psf: Psf, gain: float, device: str = "cpu"
) -> Iterator[Volume]:
    """Yield the estimate every few iterations."""
    plan = Blur(torch.from_numpy(psf.data).to(device), y.shape, "extend")
    measured = torch.from_numpy(y / gain).to(device)
    steps = RichardsonLucySteps(Observation(measured, plan))
    last, every = RL_STEPS
    for n in range(1, last + 1):
        steps.correct(steps.predict())
        if n % every == 0:
            yield plan.crop(steps.estimate).cpu().numpy()


def classical(name: str, data: Experiment, y: Volume, truth: Volume) -> dict[str, Any]:
    """Return the figures of a row without any training."""
    wrong = data.setting.psf(610.0)
    rows: dict[str, Callable[[], Iterator[Volume]]] = {
        "black": lambda: iter([np.zeros_like(y)]),
        "input": lambda: iter([y / data.gain]),
        "wiener": lambda: (
            wiener(y / data.gain, data.psf, noise=n).image for n in WIENER
        ),
        "rl": lambda: richardson_lucy(y, data.psf, data.gain),
        "rl-610nm": lambda: richardson_lucy(y, wrong, data.gain),
    }
    return best(rows[name](), truth)


CLASSICAL = ("black", "input", "wiener", "rl", "rl-610nm")


@dataclass(frozen=True)
class Row:
    """A training.

    Parameters
    ----------
    preset : str
        The recipe it starts from.
    start : str
        What is known of the blur, see `known`.
    changes : dict
        Of the recipe.
    """

    preset: str
    start: str = "nothing"
    changes: dict[str, Any] = field(default_factory=dict)


PRINTED = {"forward.size": [10, 10, 10]}
"""Taps of the kernel in the simulation of Lim et al."""

TRAINED = {
    "supervised": Row("supervised"),
    "cyclegan": Row("cyclegan"),
    "half": Row("half", "true"),
    "nonblind": Row("nonblind", "true"),
    "nonblind-plain": Row("nonblind", "true", {"reconstructor.kind": "plain"}),
    "blind": Row("blind"),
    "blind-from-610nm": Row("blind", "610 nm"),
    "blind-from-gaussian": Row("blind", "gaussian"),
    "blind-two-discriminators": Row("blind-two-discriminators"),
    "nonblind-as-published": Row("nonblind-as-published", "true", PRINTED),
    "blind-as-published": Row("blind-as-published", changes=PRINTED),
}


def known(start: str, data: Experiment) -> dict[str, Any]:
    """Return what the training is given of the blur."""
    givens: dict[str, dict[str, Any]] = {
        "nothing": {},
        "true": {"psf": data.psf},
        "610 nm": {"optics": Optics(1.4, 1.5, 610.0)},
        "gaussian": {"psf": Psf(gaussian_kernel(TAPS, (1.5 * 2.355,) * 3), VOXEL)},
    }
    return givens[start]


@dataclass
class Trained:
    """What a training came to."""

    model: Model
    minutes: float  # of CPU time, preparation included
    kernels: list[dict[str, float]]
    warnings: list[Warned]


def train(
    row: Row,
    data: Experiment,
    steps: int,
    seed: int,
    device: str,
    looks: int = 10,
    given: dict[str, Any] | None = None,
) -> Trained:
    """Train and record the kernel; `given` of the blur defaults to the row."""
    recipe = preset(row.preset)
    if recipe.forward.kind == "kernel":
        recipe = recipe.updated({"forward.size": TAPS})
    recipe = recipe.updated(row.changes)
    sharp = data.paired if PAIRS in recipe.offers else data.sharp
    learned = LEARNED_KERNEL in recipe.offers
    start, kernels, warnings = time.process_time(), [], []
    trainer = Trainer(
        recipe,
        data.blurred,
        sharp,
        steps=steps,
        seed=seed,
        device=device,
        **(known(row.start, data) if given is None else given),
    )
    for event in trainer:
        if isinstance(event, Warned):
            warnings.append(event)
        if isinstance(event, KernelUpdated) and event.step == 0:
            kernels.append({"step": 0} | kernel_figures(event.psf, data.psf))
        if isinstance(event, Stepped) and event.step % max(steps // looks, 1) == 0:
            psf = trainer.model().psf
            if psf is not None and learned:
                figures = kernel_figures(psf, data.psf)
                kernels.append({"step": event.step} | figures)
    minutes = (time.process_time() - start) / 60
    return Trained(trainer.model(), minutes, kernels if learned else [], warnings)


def kernel_figures(psf: Psf, truth: Psf) -> dict[str, float]:
    """Compare a learned PSF with the true one, at zero shift."""
    z, y, x = (a / b - 1 for a, b in zip(psf.fwhm(), truth.fwhm(), strict=True))
    return {
        "ncc": psf.cropped(TAPS).padded(TAPS).ncc(truth),
        "fwhm_z": z,
        "fwhm_xy": (x + y) / 2,
        "centroid": max(map(abs, psf.centroid())),
    }


def restored(
    model: Model,
    data: Experiment,
    truths: Sequence[Volume],
    wavelength: float = 500.0,
    own: bool = False,
) -> list[Volume]:
    """Restore what was held out, tile by tile as a user would, in the units of x.

    The model has the PSF that it was trained for or, where asked to have its `own`,
    that of the wavelength.
    """
    psf = data.setting.psf(wavelength) if own else None
    # A deconvolved image is in the units of y, one that was mapped in those of x.
    unit = data.gain if model.recipe.forward.kind == "kernel" else 1.0
    found = []
    for n, truth in enumerate(truths):
        y = data.expose(truth, wavelength, 9000 + n)
        result = restore(model, Stack(y, "ZYX", VOXEL, name=f"held out {n}"), psf=psf)
        found.append(np.asarray(result.data, np.float32) / np.float32(unit))
    return found


def tested(
    model: Model,
    data: Experiment,
    truths: Sequence[Volume],
    wavelength: float,
    own: bool = False,
) -> list[dict[str, float]]:
    """Compare what was held out, restored, with the truth."""
    made = restored(model, data, truths, wavelength, own)
    return [figures(x, truth) for x, truth in zip(made, truths, strict=True)]


def with_learned_psf(
    model: Model, data: Experiment, truths: Sequence[Volume]
) -> list[dict[str, float]]:
    """Richardson-Lucy with the PSF that the model learned, stopped at its best."""
    assert model.psf is not None
    found = []
    for n, truth in enumerate(truths):
        y = data.expose(truth, data.setting.wavelength, 9000 + n)
        found.append(best(richardson_lucy(y, model.psf, data.gain), truth))
    return found
