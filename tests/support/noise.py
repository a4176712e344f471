"""Images of nothing but photon noise, of any shape."""

from __future__ import annotations

import numpy as np


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return an image of 60 photons a voxel, float32."""
    return np.random.default_rng(seed).poisson(60, shape).astype(np.float32)
