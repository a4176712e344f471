"""The thresholds of the layers: kept with them, told to whoever trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_blurgan.widgets._layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["Level", "levels"]

KEY = "saliency"


@dataclass(frozen=True)
class Level:
    """What is content in an image.

    Parameters
    ----------
    domain : str
        ``"A"`` or ``"B"``: from, and to.
    value : float
        The threshold in grey levels, on the mean over the channels.
    bright_background : bool
        Whether content is what lies below.
    """

    domain: str
    value: float
    bright_background: bool = False


class Levels(QObject):
    """Where thresholds are kept, and heard of."""

    changed = Signal(object)
    """A `Level` was found."""

    def keep(self, layer: Image, level: Level) -> None:
        """Keep a level in the metadata of its layer, and tell."""
        known = dict(layer.metadata.get(METADATA_KEY, {}))
        layer.metadata[METADATA_KEY] = known | {KEY: vars(level)}
        self.changed.emit(level)

    def of(self, layer: Image) -> Level | None:
        """Return what was kept with a layer."""
        known = layer.metadata.get(METADATA_KEY, {}).get(KEY)
        return None if known is None else Level(**known)


levels = Levels()
