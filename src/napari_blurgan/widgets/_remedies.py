"""Remedies for a diagnosis, in terms of the window."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_blurgan.monitoring.events import Warned

__all__ = ["remedy"]

SAME_STRUCTURES = (
    "Choose sharp images of the same structures; or choose the recipe nonblind, which "
    "keeps the blur as the optics say."
)
TICK = "tick 'Optics known' and enter them"
SHARP_OR_TICK = (
    f"Choose sharp images of the same structures; or {TICK}, and choose the recipe "
    "nonblind, which keeps the blur as the optics say."
)
WITHOUT_OPTICS = {
    "mismatched-sets": SHARP_OR_TICK,
    "kernel-held": SHARP_OR_TICK,
    "psf-does-not-explain": f"If you know the optics, {TICK}; or measure the PSF with "
    "beads in the PSF widget and choose it under Advanced → Known PSF.",
}
"""What is recommended only to those who have not done it."""
IN_THE_WINDOW = {
    "mismatched-sets": SAME_STRUCTURES,
    "sharper-than-optics": f"Check NA and wavelength. If they are right: "
    f"{SAME_STRUCTURES[0].lower()}{SAME_STRUCTURES[1:]}",
    "kernel-held": SAME_STRUCTURES,
    "psf-does-not-explain": "Check NA, wavelength, refractive index and voxel size, or "
    "measure the PSF with beads in the PSF widget.",
    "no-voxel-size": "Enter it in the fields below the images.",
    "other-voxels": "Resample one of the sets, or correct the scale of its layer.",
    "truncated-kernel": "If there is haze, compute a PSF as large as it reaches in the "
    "PSF widget and choose it under Advanced → Known PSF; each step then takes longer.",
    "crowded-content": "If that is too much, pick the threshold of this domain again, "
    "or change its 'Bright background'.",
    "content-lost": "Check both thresholds and both 'Bright background'; if they are "
    "right, raise terms.saliency.weight.",
}
FIELD = re.compile(r"\b(terms|forward|sampling|optimiser|discriminator)\.\w+")
WHERE = " Fields of the recipe go under Advanced → Recipe changes, as name=value."


def remedy(event: Warned, optics_given: bool) -> str:
    """Return what the user can do in napari about a warning, and has not done yet."""
    words = IN_THE_WINDOW.get(event.code, event.remedy)
    if not optics_given:
        words = WITHOUT_OPTICS.get(event.code, words)
    return words + WHERE if FIELD.search(words) else words
