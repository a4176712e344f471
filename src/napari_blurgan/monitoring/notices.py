"""Notes for Python users who do not listen to events."""

from __future__ import annotations

import logging

from napari_blurgan.monitoring.events import Warned
from napari_blurgan.restoration.events import Noted

__all__ = ["tell"]

logger = logging.getLogger("napari_blurgan")


def tell(event: object) -> None:
    """Log the message of a relevant event as a warning."""
    if isinstance(event, Noted):
        logger.warning("%s", event.message)
    elif isinstance(event, Warned):
        logger.warning("%s", f"{event.message} {event.remedy}".strip())
