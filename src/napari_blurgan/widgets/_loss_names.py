"""The names of the losses, their meaning, and their line styles in every run."""

from __future__ import annotations

import math
from zlib import crc32

__all__ = ["COLOURS", "MEANINGS", "bullet", "log_ticks", "look"]

# Okabe and Ito's colours, which colour-blind people can distinguish.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
STYLES = ("solid", "dashed", "dotted", "dash-dotted")
BULLETS = {"solid": "⬤", "dashed": "◐", "dotted": "◌", "dash-dotted": "◉"}

LOOKS = {
    "cycle_y": (0, "solid"),
    "cycle_x": (1, "solid"),
    "adversarial_x": (2, "solid"),
    "discriminator_x": (2, "dashed"),
    "slope_x": (2, "dotted"),
    "adversarial_y": (5, "solid"),
    "discriminator_y": (5, "dashed"),
    "slope_y": (5, "dotted"),
    "identity": (6, "solid"),
    "identity_y": (6, "dashed"),
    "spectral": (4, "solid"),
    "kernel_l1": (4, "dashed"),
    "supervised": (3, "solid"),
    "saliency": (3, "dashed"),
    "masked": (3, "dotted"),
    "remeasured": (0, "dashed"),
    "bootstrap": (2, "dash-dotted"),
    "predicted": (0, "dotted"),
    "adversarial_remeasured": (1, "dashed"),
    "adversarial_planes": (1, "dotted"),
    "spatial": (1, "dash-dotted"),
    "likelihood": (6, "dotted"),
    "divergence": (4, "dotted"),
    "criterion": (0, "solid"),
}
"""Related losses have one colour, with different lines."""

MEANINGS = {
    "cycle_y": "difference between the data and the restored image after blurring",
    "cycle_x": "difference between a sharp image and the same after blurring and "
    "restoring",
    "adversarial_x": "how easily restored images are told apart from sharp ones",
    "discriminator_x": "error of the discriminator of sharp and restored images",
    "slope_x": "mean slope of the discriminator of sharp images; kept near 1",
    "adversarial_y": "how easily simulated data are told apart from the data",
    "discriminator_y": "error of the discriminator of measured and simulated data",
    "slope_y": "mean slope of the discriminator of the data; kept near 1",
    "identity": "how much restoring changes an image that is already sharp",
    "identity_y": "how much mapping to the data changes an image that already is data",
    "spectral": "misfit between the power spectra of the data and of blurred images",
    "kernel_l1": "sum of the magnitudes of the PSF",
    "supervised": "difference from the matched sharp image",
    "saliency": "content that is lost or invented",
    "masked": "difference from the data at hidden pixels",
    "remeasured": "error in predicting the other half of the photons",
    "bootstrap": "difference between an estimate and the same after blurring and "
    "restoring",
    "predicted": "error in predicting the hidden lines of k-space",
    "adversarial_remeasured": "how easily restored images, measured again, are told "
    "apart from the data",
    "adversarial_planes": "how easily sections of restored images are told apart from "
    "planes of the data",
    "spatial": "difference between the data and the restored image",
    "likelihood": "how unlikely the data are, given a restored image and the noise",
    "divergence": "how much the distribution of restored images says beyond what was "
    "to be expected",
    "criterion": "criterion of the stopping rule",
}


def look(name: str) -> tuple[str, str]:
    """Return the colour and the style of a loss, the same in every run."""
    number, style = LOOKS.get(name, (crc32(name.encode()) % len(COLOURS), "solid"))
    return COLOURS[number], style


def bullet(name: str) -> str:
    """Return a symbol for a legend, which also shows the line style."""
    colour, style = look(name)
    return f'<font color="{colour}">{BULLETS[style]}</font>'


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return where to label a logarithmic axis, as decimal logarithms.

    Whole decades, as many as there is space for; within little more than one, also
    twice and five times them.

    Parameters
    ----------
    low, high : float
        Ends of the axis, as decimal logarithms.
    most : int
        Labels for which there is room.
    """
    first, last = math.floor(low), math.ceil(high)
    every = max(1, math.ceil((last - first + 1) / max(most, 1)))
    decades: list[float] = [d for d in range(first, last + 1) if d % every == 0]
    if high - low < 1.5:
        decades = [d + math.log10(k) for d in range(first, last + 1) for k in (1, 2, 5)]
    return [tick for tick in decades if low <= tick <= high]
