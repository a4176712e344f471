"""Forward models H: from the sharp image x to what a microscope would measure, y.

A subclass of `ForwardModel` defines ``forward(x)``; everything else that training
requires of H has a default that suits an operator without parameters, which a subclass
overrides as needed. A mask in k-space, a projection or an axial subsampling are such
subclasses: docs/physics.md shows one. y is on the grid of x.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.fourier import (
    convolve,
    correlate,
    fast_shape,
    transfer_function,
)
from napari_blurgan.optics.kernel import FixedKernel, Kernel
from napari_blurgan.optics.symmetry import Symmetry

__all__ = ["BlurKernel", "Boundary", "ForwardModel", "NeuralForward", "NoForward"]

Boundary = Literal["valid", "zero", "reflect"]
CACHED_SHAPES = 4


class ForwardModel(nn.Module):
    """Maps a sharp patch to a measured one.

    Parameters
    ----------
    dims : int
        3 for images (n, c, z, y, x), 2 for (n, c, y, x).
    """

    def __init__(self, dims: int = 3) -> None:
        super().__init__()
        if dims not in (2, 3):
            raise OpticsError(f"images have 2 or 3 dimensions, not {dims}")
        self.dims = dims

    @property
    def margin(self) -> tuple[int, ...]:
        """Voxels lost on each side, one number per spatial axis."""
        return (0,) * self.dims

    @property
    def reach(self) -> tuple[int, ...]:
        """Voxels over which a voxel of x has an effect on y, for each axis."""
        return self.margin

    @property
    def symmetry(self) -> Symmetry:
        """Mirror images and rotations under which it is symmetric."""
        return Symmetry()

    @property
    def learned(self) -> dict[str, list[nn.Parameter]]:
        """Its parameters, by the name of their learning rate."""
        return {"forward": list(self.parameters())}

    @property
    def blur(self) -> BlurKernel:
        """Itself, if it is a blur.

        Raises
        ------
        OpticsError
            If it is no blur.
        """
        raise OpticsError(f"{type(self).__name__} is not a blur with a kernel")

    def point_response(self) -> Tensor | None:
        """Return the image of a point, (z, y, x), if it is the same everywhere."""
        return None

    def expected_level(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the expected mean of G(y); `x` are sharp images of other fields.

        By default, if nothing is known about the light: that of `x`.
        """
        return x.mean()

    def matching(self, y: Tensor) -> ForwardModel:
        """Return the model as it was when `y` was measured.

        Itself, unless it changes from one measurement to the next, as a mask does that
        is drawn anew; `forward` then draws.
        """
        return self

    def towards(self, x: Tensor, y: Tensor) -> Tensor:
        """Return H^T (y - H x) / |H|^2: how x has to change to explain y better.

        Parameters
        ----------
        x, y : Tensor
            (n, c, [z,] y, x), of the same size.

        Raises
        ------
        OpticsError
            If it has no adjoint.
        """
        raise OpticsError(f"{type(self).__name__} has no adjoint")

    def simpler(self, x: Tensor) -> Tensor:
        """Return x as a network between two steps towards y understands it best."""
        return x

    def original(self, x: Tensor) -> Tensor:
        """Return what `simpler` was given."""
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return y, smaller than `x` by `margin` on each side."""
        raise NotImplementedError

    def frozen(self) -> ForwardModel:
        """Return a copy of the current state, with nothing to learn, on the CPU."""
        return copy.deepcopy(self).cpu().eval().requires_grad_(False)


class NoForward(ForwardModel):
    """No forward model: using y is an error."""


class NeuralForward(ForwardModel):
    """A second deep generator, as in the conventional cycleGAN.

    Parameters
    ----------
    network : nn.Module
        Keeps the size of its input.
    dims : int
        3 or 2.
    """

    def __init__(self, network: nn.Module, dims: int = 3) -> None:
        super().__init__(dims)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the network for `x`."""
        return self.network(x)


class BlurKernel(ForwardModel):
    """Convolution with a kernel, fixed or learned: y = gain · h ∗ x.

    Computed by FFT and always in float32, also inside autocast.

    Parameters
    ----------
    parametrisation : Kernel
        Makes the kernel, (z, y, x); for planes (1, y, x).
    gain : float
        Multiplies the kernel and is never learned: mean(y) / mean(x) of the data
        sets, because x and y are each scaled to their own range and a kernel that
        keeps flux cannot bridge the two.
    dims : int
        3 or 2.

    Raises
    ------
    OpticsError
        If `dims` is 2 and the kernel has more than one plane; from `forward`, if a
        patch is no larger than the kernel's margins.

    Examples
    --------
    >>> from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
    >>> blur = BlurKernel(FixedKernel(gaussian_kernel((15, 15, 15), (5, 3, 3))))
    >>> blur(torch.zeros(1, 1, 46, 46, 46)).shape[-3:]
    torch.Size([32, 32, 32])
    """

    gain: Tensor

    def __init__(
        self, parametrisation: Kernel, gain: float = 1.0, dims: int = 3
    ) -> None:
        super().__init__(dims)
        if dims == 2 and parametrisation.shape[0] != 1:
            raise OpticsError(
                f"a blur of planes needs a kernel of one plane, "
                f"found {parametrisation.shape}"
            )
        self.parametrisation = parametrisation
        self.register_buffer("gain", torch.tensor(float(gain)))
        self._cache: dict[tuple[object, ...], Tensor] = {}

    @property
    def margin(self) -> tuple[int, ...]:
        """Half the kernel, one number per spatial axis."""
        return tuple(n // 2 for n in self.parametrisation.shape[-self.dims :])

    @property
    def symmetry(self) -> Symmetry:
        """Symmetry of its kernel."""
        return self.parametrisation.symmetry

    @property
    def learned(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of the kernel, which have their own learning rate."""
        return {"kernel": list(self.parameters())}

    @property
    def blur(self) -> BlurKernel:
        """Itself."""
        return self

    def kernel(self) -> Tensor:
        """Return the kernel without the gain, (z, y, x)."""
        return self.parametrisation()

    def point_response(self) -> Tensor:
        """Return the kernel, without the gain."""
        return self.kernel()

    def expected_level(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the mean of y without the gain: a blur conserves the light."""
        return y.mean() / self.gain

    def holding(self, values: Tensor | NDArray[np.float32]) -> BlurKernel:
        """Return a blur of the same gain with a fixed kernel, on the same device."""
        array = np.asarray(torch.as_tensor(values).detach().cpu())
        other = BlurKernel(FixedKernel(array), float(self.gain), self.dims)
        return other.to(self.gain.device)

    def with_gain(self, gain: float) -> BlurKernel:
        """Return a blur of the same kernel, learned if this one is."""
        other = copy.deepcopy(self)
        other.gain.fill_(gain)
        return other

    def frozen(self) -> BlurKernel:
        """Return the current blur with a fixed kernel, on the CPU."""
        return self.holding(self.kernel()).cpu()

    def forward(self, x: Tensor, boundary: Boundary = "valid") -> Tensor:
        """Blur `x`.

        Parameters
        ----------
        x : Tensor
            (n, c, z, y, x) or (n, c, y, x).
        boundary : {"valid", "zero", "reflect"}
            "valid" returns only what the object within `x` determines, `margin`
            smaller on each side, so that nothing need be assumed about the object
            beyond. The others keep the size and take the object to be zero beyond
            the border, or mirrored there (which keeps the flux of any image).

        Returns
        -------
        Tensor
            float32.
        """
        valid = boundary == "valid"
        self._check(x, tuple(2 * m + 1 if valid else 1 for m in self.margin))
        with torch.autocast(x.device.type, enabled=False):
            image = x.float()
            if not valid:
                image = _extend(image, self.margin, boundary)
            return _crop(self._filter(image, convolve), self.margin)

    def towards(self, x: Tensor, y: Tensor) -> Tensor:
        """Return H^T (y - H x) / |H|^2; beyond the border, x is mirrored."""
        unexplained = y - self(x, "reflect")
        return self.adjoint(unexplained, "reflect") / self.gain.square()

    def adjoint(self, y: Tensor, boundary: Boundary = "valid") -> Tensor:
        """Return Hᵀy, the exact adjoint of `forward` with the same `boundary`.

        With "valid" the result is larger than `y` by `margin` on each side.
        """
        self._check(y, (1,) * self.dims)
        with torch.autocast(y.device.type, enabled=False):
            image = self._filter(_extend(y.float(), self.margin, "zero"), correlate)
            if boundary == "valid":
                return image
            return _fold(image, self.margin, boundary)

    def _filter(
        self, image: Tensor, operation: Callable[[Tensor, Tensor, torch.Size], Tensor]
    ) -> Tensor:
        """Filter circularly; what wraps around stays within the margins."""
        size = image.shape[-self.dims :]
        padded = torch.Size(fast_shape(size))
        extra = [p for n, m in zip(size, padded, strict=True) for p in (m - n, 0)]
        result = operation(F.pad(image, extra[::-1]), self._otf(padded), padded)
        return _window(result, [slice(n) for n in size])

    def _otf(self, size: torch.Size) -> Tensor:
        """Return the transfer function, cached while there is nothing to learn."""
        if any(p.requires_grad for p in self.parametrisation.parameters()):
            self._cache.clear()
            return self._transform(size)
        tensors = [self.gain, *self.parametrisation.state_dict().values()]
        key = (size, self.gain.device, *(t._version for t in tensors))
        if key not in self._cache:
            if len(self._cache) >= CACHED_SHAPES:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = self._transform(size)
        return self._cache[key]

    def _transform(self, size: torch.Size) -> Tensor:
        kernel = self.kernel().float() * self.gain
        return transfer_function(kernel.reshape(kernel.shape[-self.dims :]), size)

    def _check(self, image: Tensor, smallest: tuple[int, ...]) -> None:
        size = image.shape[2:]
        if len(size) != self.dims:
            raise OpticsError(
                f"the forward model takes images with {self.dims} spatial axes after "
                f"(n, c), found the shape {tuple(image.shape)}"
            )
        if any(n < s for n, s in zip(size, smallest, strict=True)):
            raise OpticsError(
                f"a patch of {tuple(size)} is too small for a kernel of "
                f"{self.parametrisation.shape}: it needs at least {smallest}"
            )


def _window(image: Tensor, window: Sequence[slice]) -> Tensor:
    """Return part of the last axes."""
    index: tuple[EllipsisType | slice, ...] = (..., *window)
    return image[index]


def _crop(image: Tensor, margin: tuple[int, ...]) -> Tensor:
    size = image.shape[-len(margin) :]
    return _window(image, [slice(m, n - m) for m, n in zip(margin, size, strict=True)])


def _extend(image: Tensor, margin: tuple[int, ...], boundary: Boundary) -> Tensor:
    """Add the assumed object beyond the border."""
    if boundary == "zero":
        return F.pad(image, [m for m in margin[::-1] for _ in range(2)])
    for axis, m in enumerate(margin, start=-len(margin)):
        image = image.index_select(axis, _mirror(image.shape[axis], m, image.device))
    return image


def _fold(image: Tensor, margin: tuple[int, ...], boundary: Boundary) -> Tensor:
    """Return the adjoint of `_extend`: values beyond are added to their origin."""
    if boundary == "zero":
        return _crop(image, margin)
    for axis, m in enumerate(margin, start=-len(margin)):
        shape = list(image.shape)
        shape[axis] -= 2 * m
        index = _mirror(shape[axis], m, image.device)
        image = image.new_zeros(shape).index_add(axis, index, image)
    return image


def _mirror(n: int, margin: int, device: torch.device) -> Tensor:
    """Return the origin of each voxel of an axis of `n`, extended by `margin`."""
    place = torch.arange(-margin, n + margin, device=device) % (2 * n)
    return torch.minimum(place, 2 * n - 1 - place)
