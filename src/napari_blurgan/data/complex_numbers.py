"""Complex images, as Fourier transforms of k-space are: two channels of real numbers.

Everything between reading and writing knows channels of real numbers only. The first
is the real part, the second the imaginary one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError

__all__ = ["PARTS", "as_complex", "in_parts"]

PARTS = ("real", "imaginary")
"""Names of the two channels."""


def in_parts(stack: Stack) -> Stack:
    """Return a complex image as two channels, real and imaginary, of float32.

    Parameters
    ----------
    stack : Stack
        Of complex numbers, without channels. Pixels of complex64 are not copied, so
        that those of a mapped file stay there.

    Raises
    ------
    AxesError
        If it has channels.
    """
    if stack.channels > 1 or {"C", "S"} & set(stack.axes):
        raise AxesError(
            f"{stack.name}: is complex and has channels (axes {stack.axes}); real and "
            f"imaginary part take their place: name that axis Z or T"
        )
    pixels = np.ascontiguousarray(stack.data, np.complex64)
    parts = pixels.view(np.float32).reshape(*pixels.shape, 2)
    at = min(stack.axes.index(axis) for axis in stack.spatial_axes)
    axes = f"{stack.axes[:at]}C{stack.axes[at:]}"
    data: Any = np.moveaxis(parts, -1, at)
    return replace(stack, data=data, axes=axes, channel_names=PARTS)


def as_complex(pixels: NDArray[Any], axis: int = 0) -> NDArray[np.complex64]:
    """Return the complex numbers of which `axis` holds real and imaginary parts.

    Raises
    ------
    AxesError
        If the axis does not hold two.
    """
    if pixels.shape[axis] != 2:
        raise AxesError(
            f"a complex image has two channels, real and imaginary, found "
            f"{pixels.shape[axis]}"
        )
    real, imaginary = np.moveaxis(np.asarray(pixels, np.float32), axis, 0)
    return (real + 1j * imaginary).astype(np.complex64)
