"""`Levels`: the threshold of each domain, observed by all its views."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from psygnal import Signal

from napari_blurgan.widgets._layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

__all__ = ["DOMAINS", "SYMBOLS", "Level", "Levels", "kept", "levels_of"]

KEY = "saliency"
DOMAINS = ("A", "B")
"""From, and to."""
SYMBOLS = {"A": "α", "B": "β"}


@dataclass(frozen=True)
class Level:
    """Definition of content in a domain.

    Parameters
    ----------
    value : float or None
        The threshold in grey levels, on the mean over the channels; None before it is
        known.
    bright_background : bool
        Whether content is what lies below.
    layer : str
        The name of the layer in which it was found; empty if it was typed.
    """

    value: float | None = None
    bright_background: bool = False
    layer: str = ""

    @property
    def side(self) -> str:
        """The side of the threshold on which content lies."""
        return "below" if self.bright_background else "above"

    def described(self, domain: str, pixels: NDArray[Any]) -> str:
        """Return the side of content, and the share of content in some pixels."""
        if self.value is None or pixels.size == 0:
            return f"{SYMBOLS[domain]} is not known yet"
        below = self.bright_background
        content = pixels < self.value if below else pixels > self.value
        return (
            f"Content lies {self.side} {SYMBOLS[domain]} = {self.value:.5g}: "
            f"{content.mean():.0%} of the plane in view"
        )


class Levels:
    """The two thresholds, α of domain A and β of domain B, of one viewer.

    Their only owner: the picker, its histogram and outline, the metadata of layers and
    *Transform* show these values and set them here.
    """

    changed = Signal(str)
    """Emitted when the level of a domain has changed."""

    def __init__(self) -> None:
        self._known = {domain: Level() for domain in DOMAINS}
        self._members: dict[str, WeakSet[Any]] = {d: WeakSet() for d in DOMAINS}

    def __getitem__(self, domain: str) -> Level:
        return self._known[domain]

    def __setitem__(self, domain: str, level: Level) -> None:
        if self._known[domain] != level:
            self._known[domain] = level
            self.changed.emit(domain)

    def find(self, domain: str, level: Level, layer: Image) -> None:
        """Set a level found in a layer, and also store it in its metadata."""
        known = dict(layer.metadata.get(METADATA_KEY, {}))
        known[KEY] = known.get(KEY, {}) | {domain: asdict(level)}
        layer.metadata[METADATA_KEY] = known
        self[domain] = level

    def assign(self, domain: str, layers: Iterable[Image]) -> None:
        """Set the layers of a domain; adopt the level stored in one of them.

        A level that was entered, or found in any of these layers, stays.
        """
        layers = list(layers)
        self._members[domain] = WeakSet(layers)
        known = [kept(layer)[domain] for layer in layers if domain in kept(layer)]
        here = self[domain]
        stays = here.value is not None and (not here.layer or here in known)
        if known and not stays:
            self[domain] = known[0]

    def domain_of(self, layer: Image, present: str) -> str:
        """Return the domain of a layer; `present` if it is in both or in none."""
        members = [d for d in DOMAINS if layer in self._members[d]]
        of_it = members or list(kept(layer))
        return present if present in of_it or not of_it else of_it[0]


def kept(layer: Image) -> dict[str, Level]:
    """Return the levels that were found in a layer, by domain."""
    known = layer.metadata.get(METADATA_KEY, {}).get(KEY, {})
    return {domain: Level(**values) for domain, values in known.items()}


_of_viewers: WeakKeyDictionary[Any, Levels] = WeakKeyDictionary()


def levels_of(viewer: ViewerModel) -> Levels:
    """Return the levels of a viewer, shared by all its widgets."""
    bare = getattr(viewer, "__wrapped__", viewer)  # of napari's proxy for plugins
    return _of_viewers.setdefault(bare, Levels())
