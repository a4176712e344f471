"""What an image says of its camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.camera import Camera
from napari_blurgan.preparation.calibration import background_level, estimate_noise


def camera_of(image: NDArray[np.float32]) -> Camera:
    """Read gain, darkness and its noise from the image itself."""
    offset = background_level([image])
    noise = estimate_noise([image - offset])
    read = np.sqrt(noise.intercept) / noise.slope
    return Camera(gain=noise.slope, offset=offset, read_noise=float(read))
