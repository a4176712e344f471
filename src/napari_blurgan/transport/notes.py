"""What preparation found that people should know before they wait for hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from napari_blurgan.transport.events import Warned

__all__ = ["Note"]


@dataclass(frozen=True)
class Note:
    """A finding, to be told as a `Warned` event.

    Parameters
    ----------
    code, message, remedy, figures
        As in `Warned`.
    """

    code: str
    message: str
    remedy: str
    figures: dict[str, Any] = field(default_factory=dict)

    def told(self, step: int) -> Warned:
        """Return the event."""
        return Warned(step, self.code, self.message, self.remedy, self.figures)

    @classmethod
    def mismatch(cls, message: str, residual: float) -> Note:
        """The two sets are not related by a blur alone."""
        return cls(
            "mismatched-sets",
            message,
            "The learned PSF is relative to the sharp set: prefer a sharp set of the "
            "same structures, or give the optics and keep the kernel fixed (nonblind).",
            {"residual": residual},
        )

    @classmethod
    def unidentified(cls, reason: str) -> Note:
        """The spectra say nothing of the blur."""
        return cls(
            "unidentified-blur",
            f"The blur could not be identified from power spectra: {reason}.",
            "Training starts from the optics or the PSF that were given.",
        )

    @classmethod
    def no_voxel_size(cls, name: str) -> Note:
        """Without a voxel size there are no micrometres."""
        return cls(
            "no-voxel-size",
            f"{name} has no voxel size: the PSF is in voxels, not in µm.",
            "Set the voxel size in the file or the layer.",
        )
