"""Slices of heads, as magnetic resonance sees them: complex, with a smooth phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from napari_blurgan.errors import OpticsError

__all__ = ["heads", "shepp_logan"]

Array = NDArray[np.float64]

# Shepp and Logan 1974 with the contrast of Toft 1996: intensity, half axes y and x,
# centre y and x, angle in degrees; the field is [-1, 1].
ELLIPSES = (
    (1.0, 0.92, 0.69, 0.0, 0.0, 0.0),
    (-0.8, 0.874, 0.6624, 0.0184, 0.0, 0.0),
    (-0.2, 0.31, 0.11, 0.0, 0.22, -18.0),
    (-0.2, 0.41, 0.16, 0.0, -0.22, 18.0),
    (0.1, 0.25, 0.21, -0.35, 0.0, 0.0),
    (0.1, 0.046, 0.046, -0.1, 0.0, 0.0),
    (0.1, 0.046, 0.046, 0.1, 0.0, 0.0),
    (0.1, 0.023, 0.046, 0.605, -0.08, 0.0),
    (0.1, 0.023, 0.023, 0.606, 0.0, 0.0),
    (0.1, 0.046, 0.023, 0.605, 0.06, 0.0),
)

FINE = 2
"""Samples per pixel and axis: edges are averaged over the pixels."""


def shepp_logan(shape: Sequence[int], *, seed: int = 0) -> NDArray[np.complex64]:
    """Draw the phantom of Shepp and Logan, with a smooth phase.

    Parameters
    ----------
    shape : sequence of int
        (y, x).
    seed : int
        Of the phase.
    """
    y, x = _grid(shape)
    drawn = [v * _inside(y, x, *where) for v, *where in ELLIPSES]
    return _with_phase(_binned(np.sum(drawn, 0)), np.random.default_rng(seed))


def heads(
    shape: Sequence[int], count: int, *, seed: int, phase: float = 1.0
) -> NDArray[np.complex64]:
    """Draw slices of heads: scalp, skull, folded grey matter, white matter, ventricles.

    No two are alike in shape, folds, contrast or phase.

    Parameters
    ----------
    shape : sequence of int
        (y, x) of a slice.
    count : int
        Of slices.
    seed : int
        The same seed draws the same heads.
    phase : float
        Standard deviation of the smooth phase, in radians.

    Returns
    -------
    ndarray of complex64, (count, y, x)
        The scalp has a magnitude of about one.

    Raises
    ------
    OpticsError
        If the shape is none of a plane.
    """
    if len(shape) != 2 or min(shape) < 16:
        raise OpticsError(f"a head has a shape of (y, x), 16 or more, not {shape}")
    rngs = np.random.default_rng(seed).spawn(count)
    return np.stack([_with_phase(_head(shape, rng), rng, phase) for rng in rngs])


def _head(shape: Sequence[int], rng: np.random.Generator) -> Array:
    """Return the magnitudes of one slice."""
    y, x = _grid(shape)
    tilt = rng.uniform(-15, 15)
    cy, cx = rng.uniform(-0.06, 0.06, 2)
    height = rng.uniform(0.78, 0.92)
    width = height * rng.uniform(0.72, 0.88)
    wobble = 1 + 0.03 * _smooth(y.shape, rng, 0.12)

    def within(share: float) -> NDArray[np.bool_]:
        return _inside(y, x, share * height, share * width, cy, cx, tilt, wobble)

    folds = _smooth(y.shape, rng, rng.uniform(0.02, 0.035))
    depth = np.clip(_radius(y, x, height, width, cy, cx, tilt), 0, 1)
    grey, white = rng.uniform(0.5, 0.7), rng.uniform(0.75, 0.95)
    image = np.where(within(1.0), rng.uniform(0.9, 1.1), 0.0)
    image[within(0.93)] = rng.uniform(0.05, 0.15)
    fluid = rng.uniform(0.2, 0.35)
    image[within(0.86)] = fluid
    brain = within(0.82)
    # Folds reach inwards from the surface, where sulci are filled with fluid.
    cortex = folds + 6 * (depth - 0.68)
    image[brain] = np.where(cortex > 0.3, grey, white)[brain]
    image[brain & (cortex > 1.2) & (folds > 0.4)] = fluid
    for side in (-1, 1):
        at = cy + rng.uniform(-0.08, 0.08), cx + side * rng.uniform(0.08, 0.14)
        long, thin = rng.uniform(0.16, 0.28), rng.uniform(0.04, 0.09)
        horn = _inside(y, x, long, thin, *at, side * rng.uniform(5, 25), wobble)
        image[brain & horn] = fluid
    for _ in range(rng.integers(2, 6)):
        at = cy + height * rng.uniform(-0.4, 0.4), cx + width * rng.uniform(-0.4, 0.4)
        long, thin = rng.uniform(0.02, 0.07, 2)
        spot = _inside(y, x, long, thin, *at, 0.0)
        image[brain & spot] = rng.uniform(0.3, 1.1)
    image *= 1 + 0.04 * _smooth(y.shape, rng, 0.01) * (image > 0)
    return _binned(image)


def _with_phase(
    magnitude: Array, rng: np.random.Generator, spread: float = 1.0
) -> NDArray[np.complex64]:
    angle = spread * _smooth(magnitude.shape, rng, 0.2) + rng.uniform(-np.pi, np.pi)
    return (magnitude * np.exp(1j * angle)).astype(np.complex64)


def _grid(shape: Sequence[int]) -> tuple[Array, Array]:
    """Return y and x of the fine samples, in [-1, 1]."""
    axes = [(np.arange(FINE * n) + 0.5) / (FINE * n) * 2 - 1 for n in shape]
    y, x = np.meshgrid(*axes, indexing="ij")
    return y, x


def _radius(
    y: Array, x: Array, height: float, width: float, cy: float, cx: float, angle: float
) -> Array:
    """Return 1 on an ellipse, less inside."""
    turn = np.deg2rad(angle)
    v, u = y - cy, x - cx
    along = v * np.cos(turn) + u * np.sin(turn)
    across = u * np.cos(turn) - v * np.sin(turn)
    return np.hypot(along / height, across / width)


def _inside(
    y: Array,
    x: Array,
    height: float,
    width: float,
    cy: float,
    cx: float,
    angle: float,
    wobble: Array | float = 1.0,
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = _radius(y, x, height, width, cy, cx, angle) < wobble
    return inside


def _smooth(shape: Sequence[int], rng: np.random.Generator, width: float) -> Array:
    """Return random values of deviation one, smooth over a share of the field."""
    # Drawn on a coarse grid where nothing finer is asked for.
    coarse = [min(n, int(np.ceil(4 / width))) for n in shape]
    field = gaussian_filter(rng.standard_normal(coarse), [width * n for n in coarse])
    field = zoom(field, [n / m for n, m in zip(shape, coarse, strict=True)], order=1)
    return (field - field.mean()) / field.std()


def _binned(fine: Array) -> Array:
    height, width = (n // FINE for n in fine.shape)
    return fine.reshape(height, FINE, width, FINE).mean((1, 3))
