"""What an image says of its camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.measure.splitting import binomial_split
from napari_blurgan.optics.camera import Camera
from napari_blurgan.preparation.calibration import background_level, estimate_noise


def camera_of(image: NDArray[np.float32]) -> Camera:
    """Read gain, darkness and its noise from the image itself."""
    offset = background_level([image])
    noise = estimate_noise([image - offset])
    read = np.sqrt(noise.intercept) / noise.slope
    return Camera(gain=noise.slope, offset=offset, read_noise=float(read))


def halves_of(
    image: NDArray[np.float32], camera: Camera, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share the photons out between two images of the same mean as the whole."""
    counts = binomial_split(
        image,
        gain=camera.gain,
        offset=camera.offset,
        read_noise=camera.read_noise,
        seed=seed,
    )
    first, second = (
        ((2 * half - camera.read_noise**2) * camera.gain + camera.offset).astype(
            np.float32
        )
        for half in counts
    )
    return first, second
