"""Is training dead, collapsing, drifting, inverted, shifted? Messages with a remedy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from napari_blurgan.monitoring.events import Warned
from napari_blurgan.transport.transported import Transported

__all__ = ["Diagnostics", "Vitals", "measure_vitals"]

SMOOTHING = 0.9
"""Decay of the running means; single patches are not informative."""

RECONSTRUCTIONS = ("cycle_x", "cycle_y", "supervised", "masked", "remeasured")
"""Losses whose sum should fall."""

BLOCK = 4
"""Side of the blocks, in voxels, whose means contain little noise: with 10 photons at
the brightest, restored images and inputs still have a correlation of 0.5 to 0.9."""

RATIOS = {
    "contrast": ("spread", "expected_spread"),
    "activity": ("contribution", "expected_spread"),
    "checkerboard": ("alternation", "expected_alternation"),
    "farther": ("misfit", "misfit_of_input"),
}
"""Ratios of running means; for a single patch of x, which may be dark, they would be
meaningless."""

Vitals = dict[str, float]


@dataclass(frozen=True)
class Check:
    """A symptom of a problem.

    Parameters
    ----------
    code : str
        Stable name.
    after : int
        Steps before which it means nothing.
    shows : callable
        Of the running means; whether the trouble is there.
    message, remedy : str
        For people. `message` may name the vitals in braces.
    """

    code: str
    after: int
    shows: Callable[[Vitals], bool]
    message: str
    remedy: str


def _beyond(name: str, limit: float) -> Callable[[Vitals], bool]:
    return lambda v: v.get(name, 0.0) > limit


def _below(name: str, limit: float) -> Callable[[Vitals], bool]:
    return lambda v: v.get(name, math.inf) < limit


CHECKS = (
    Check(
        "dead-start",
        300,
        _below("activity", 0.005),
        "The generator has learned nothing: its contribution has {activity:.1%} of the "
        "contrast of the sharp images.",
        "Training restarts with other random weights, at most twice. If that does not "
        "help, check the PSF or the optics: a blur that removes nothing leaves nothing "
        "to learn.",
    ),
    Check(
        "generator-collapse",
        600,
        _below("contrast", 0.05),
        "The restored image is almost uniform: its contrast is {contrast:.1%} of that "
        "of the sharp images.",
        "Stop; lower the learning rate of the generator, or raise the cycle weights.",
    ),
    Check(
        "below-input",
        200,
        # For images of different fields, x is no reference; a patch may be worse by
        # chance.
        lambda v: "supervised" in v and _beyond("farther", 1.1)(v),
        "The restored images differ more from the matched images than the inputs "
        "do ({farther:.1f} times the squared difference).",
        "Train longer. If the matched images are noisy, use the preset "
        "noise2noise, or squared errors and a linear output (cycle_power=2, "
        "reconstructor.output=linear, reconstructor.norm=none).",
    ),
    Check(
        "inverted-contrast",
        300,
        _below("agreement", -0.2),
        "The restored image is the negative of its input "
        "(correlation {agreement:.2f}).",
        "Stop and restart with another seed; check that both sets have a dark (or "
        "both a bright) background.",
    ),
    Check(
        "unrelated",
        600,
        _below("likeness", 0.1),
        "The restored image has nothing in common with its input: in blocks of 4 "
        "voxels, their correlation is {likeness:.2f}.",
        "Stop; raise the cycle weights, or use the preset nonblind or blind, which "
        "start from Richardson-Lucy.",
    ),
    Check(
        "content-lost",
        400,
        _below("content", 0.5),
        "Only {content:.0%} of the content is preserved in place (IoU of the two "
        "masks).",
        "Raise terms.saliency.weight; check both thresholds, and whether the "
        "background is "
        "bright (terms.saliency.bright_background_a and _b).",
    ),
    Check(
        "intensity-drift",
        600,
        _beyond("drift", 1.0),
        "The mean intensity of the restored images is off by a factor of two or more "
        "(log2 ratio {drift:.1f}).",
        "Raise the cycle weights, or check the background levels of the two sets.",
    ),
    Check(
        "shifted-kernel",
        0,
        _beyond("kernel_shift", 0.5),
        "The learned kernel is {kernel_shift:.1f} voxels off centre, and so is the "
        "restored image.",
        "Use the softmax or the pupil parametrisation, which are centred by "
        "construction.",
    ),
    Check(
        "kernel-at-border",
        0,
        _beyond("kernel_border", 0.25),
        "{kernel_border:.0%} of the kernel lies on the border of its support.",
        "Enlarge forward.size.",
    ),
    Check(
        "discriminator-collapse",
        600,
        # The Wasserstein loss has no lower bound: its slope is checked instead.
        lambda v: "slope_x" not in v and _below("discriminator_x", 1e-3)(v),
        "The discriminator recognises every restored patch: the adversarial term no "
        "longer gives a useful gradient.",
        "Lower optimiser.discriminator_rate, or use fewer discriminator.layers.",
    ),
    Check(
        "flat-discriminator",
        600,
        _below("slope_x", 0.2),
        "The Wasserstein discriminator is flat (mean slope {slope_x:.2f}; it should be "
        "1): the adversarial term gives no useful gradient.",
        "Raise optimiser.discriminator_rate, discriminator.steps or "
        "discriminator.gradient_penalty.",
    ),
    Check(
        "no-improvement",
        1000,
        _beyond("stalled", 1000),
        "The reconstructions have not improved for {stalled:.0f} steps.",
        "Training may have converged: look at the preview, and stop if you are "
        "satisfied.",
    ),
    Check(
        "checkerboard",
        600,
        _beyond("checkerboard", 3.0),
        "The restored image has {checkerboard:.1f} times the finest alternating detail "
        "of the sharp images: a checkerboard.",
        "Train longer, or raise the cycle weights.",
    ),
)


@dataclass
class Diagnostics:
    """Running means of the vital signs, and the symptoms already reported."""

    means: Vitals = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    best: float = math.inf
    best_step: int = 0

    def observe(self, step: int, vitals: Vitals) -> list[Warned]:
        """Record new vital signs; return symptoms not reported before."""
        for name, value in vitals.items():
            old = self.means.get(name, value)
            self.means[name] = SMOOTHING * old + (1 - SMOOTHING) * value
        self.means["stalled"] = self._stalled(step)
        self.means["drift"] = _drift(self.means)
        self.means |= _ratios(self.means) | _likeness(self.means)
        return [
            self._say(step, check)
            for check in CHECKS
            if step >= check.after
            and check.code not in self.said
            and check.shows(self.means)
        ]

    def _stalled(self, step: int) -> float:
        """Return the steps since the reconstructions last improved by 1 %."""
        level = sum(self.means.get(name, 0.0) for name in RECONSTRUCTIONS)
        if level < 0.99 * self.best:
            self.best, self.best_step = level, step
        return float(step - self.best_step)

    def _say(self, step: int, check: Check) -> Warned:
        self.said.add(check.code)
        message = check.message.format(**self.means)
        return Warned(step, check.code, message, check.remedy, dict(self.means))

    def state_dict(self) -> dict[str, Any]:
        """Return the state needed to resume."""
        state = asdict(self)
        return state | {"said": sorted(self.said)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.means, self.said = dict(state["means"]), set(state["said"])
        self.best, self.best_step = state["best"], state["best_step"]


@torch.no_grad()
def measure_vitals(t: Transported) -> Vitals:
    """Measure one batch: contrast, agreement with the input, drift, the kernel."""
    vitals = {
        "spread": float(t.x_hat.std()),
        "contribution": float(t.contribution.std()),
        "level": float(t.x_hat.mean()),
        "expected_level": _expected_level(t),
        "alternation": _alternation(t.x_hat),
    }
    if t.drawn.x is not None:
        vitals["expected_spread"] = float(t.x.std())
        vitals["expected_alternation"] = _alternation(t.x)
        vitals |= _misfits(t)
    if t.x_hat.shape[1] == t.y.shape[1]:
        vitals["agreement"] = _sign(t) * _correlation(t.x_hat, t.y)
    return vitals | _kernel_vitals(t) | _content_vitals(t)


def _misfits(t: Transported) -> Vitals:
    """Return the squared differences of G(y) and of y from x, for matched pairs."""
    if not t.y.shape == t.x.shape == t.x_hat.shape:
        return {}
    return {
        "misfit": float((t.x_hat - t.x).square().mean()),
        "misfit_of_input": float((t.y - t.x).square().mean()),
    }


def _sign(t: Transported) -> float:
    """Return -1 where content is bright in one domain and dark in the other."""
    if t.transport.thresholds is None:
        return 1.0
    alpha, beta = t.transport.thresholds
    return 1.0 if alpha.bright_background == beta.bright_background else -1.0


def _content_vitals(t: Transported) -> Vitals:
    """Return the share of the content of y that is also content in G(y)."""
    if t.transport.thresholds is None:
        return {}
    alpha, beta = t.transport.thresholds
    was, is_now = alpha(t.y) > 0.5, beta(t.x_hat) > 0.5
    either = (was | is_now).sum()
    return {"content": float((was & is_now).sum() / either)} if either else {}


def _kernel_vitals(t: Transported) -> Vitals:
    """Return what G(y) has in common with y, where a blur is between them, and that."""
    kernel = t.transport.kernel()
    if kernel is None:
        return {}
    vitals = _block_vitals(t)
    weight = kernel.clamp_min(0)
    weight = weight / weight.sum()
    shift = torch.stack([_centroid(weight, axis) for axis in range(weight.ndim)])
    inner = weight[tuple(slice(1, -1) if n > 2 else slice(None) for n in weight.shape)]
    return vitals | {
        "kernel_shift": float(shift.abs().max()),
        "kernel_border": float(1 - inner.sum()),
    }


def _block_vitals(t: Transported) -> Vitals:
    made, seen = (_blocks(image).flatten().float() for image in (t.x_hat, t.y))
    both = torch.cov(torch.stack([made, seen]), correction=0)
    return {
        "made_variance": float(both[0, 0]),
        "seen_variance": float(both[1, 1]),
        "covariance": float(both[0, 1]),
    }


def _centroid(weight: Tensor, axis: int) -> Tensor:
    n = weight.shape[axis]
    others = [a for a in range(weight.ndim) if a != axis]
    positions = torch.arange(n, device=weight.device) - n // 2
    return (weight.sum(others) * positions).sum()


def _expected_level(t: Transported) -> float:
    """Return the expected mean of G(y): a blur conserves the light."""
    like = t.y if t.drawn.x is None else t.x
    return float(t.transport.forward_model.expected_level(t.y, like))


def _drift(means: Vitals) -> float:
    """Return the ratio of the means of many patches, as a power of two."""
    levels = ("level", "expected_level")
    made, expected = (max(means.get(name, 1.0), 1e-4) for name in levels)
    return abs(math.log2(made / expected))


def _ratios(means: Vitals) -> Vitals:
    """Return the output of G relative to its target, as means of many patches."""
    return {
        name: means[made] / max(means[expected], 1e-6)
        for name, (made, expected) in RATIOS.items()
        if made in means and expected in means
    }


def _likeness(means: Vitals) -> Vitals:
    """Return the correlation of G(y) and y in blocks; dark patches weigh little."""
    if "covariance" not in means:
        return {}
    product = means["made_variance"] * means["seen_variance"]
    return {"likeness": means["covariance"] / max(math.sqrt(product), 1e-12)}


def _correlation(a: Tensor, b: Tensor) -> float:
    pair = torch.stack([a.flatten(), b.flatten()]).float()
    return float(torch.corrcoef(pair)[0, 1].nan_to_num())


def _blocks(image: Tensor) -> Tensor:
    """Return the means of the blocks of (n, c, [z,] y, x)."""
    pool = functional.avg_pool3d if image.ndim == 5 else functional.avg_pool2d
    return pool(image, [min(BLOCK, n) for n in image.shape[2:]])


def _alternation(image: Tensor) -> float:
    """Amplitude of the pattern + - + - along both in-plane axes."""
    quads = [image[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
    h, w = (min(q.shape[-2] for q in quads), min(q.shape[-1] for q in quads))
    a, b, c, d = (q[..., :h, :w] for q in quads)
    return float((a - b - c + d).abs().mean())
