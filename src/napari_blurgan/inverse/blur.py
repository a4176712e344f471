"""`Blur`: convolution with a PSF and its exact adjoint, planned once for one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from scipy import fft
from torch import Tensor

from napari_blurgan.errors import OpticsError
from napari_blurgan.interruption import heed_stop
from napari_blurgan.optics.fourier import captured, fast_shape, transfer_function

__all__ = ["Blur", "Edges", "Unseen"]

Edges = Literal["extend", "periodic"]
Unseen = Literal["kept", "dark"]
# If less than this share of a voxel's light is captured, its value is a guess, and
# dividing by the share would only amplify noise.
LEAST_WEIGHT = 0.01


class Blur:
    """The blur H of images of one shape: two FFTs per call; that of the PSF is cached.

    With ``edges="extend"`` the object may extend beyond the field of view: H maps a
    larger domain (the image plus the width of the PSF) to the image, Hᵀ maps back, and
    ``weights = Hᵀ1`` is the share of each voxel's light that the image captured
    (Bertero & Boccacci, Astron. Astrophys. 437, 369, 2005). With ``edges="periodic"``
    opposite edges are adjacent and the domain is the image.

    The image is at the origin of the domain; because the transform is circular, voxels
    before it are at the far end.

    Parameters
    ----------
    psf : Tensor
        ``(y, x)`` or ``(z, y, x)``, real, centred at ``n // 2``.
    shape : sequence of int
        Spatial shape of the images, as many axes as the PSF.
    edges : {"extend", "periodic"}
        What is assumed to lie beyond the field of view.
    unseen : {"kept", "dark"}
        What becomes of voxels far outside, of whose light the image caught less than a
        hundredth: they follow the updates by as much less as they were seen, as if the
        rest of that hundredth had been seen and were as expected (the EM algorithm with
        missing data); or they are dark, and the light that they sent into the image is
        explained by what lies in its corners.

    Attributes
    ----------
    image_shape, shape : tuple of int
        Spatial shapes of the image and of the domain.
    otf : Tensor
        Half-spectrum of the PSF over the domain.

    Raises
    ------
    OpticsError
        If the PSF has other axes than the image, or is wider than a periodic one.
    """

    def __init__(
        self,
        psf: Tensor,
        shape: Sequence[int],
        edges: Edges = "extend",
        unseen: Unseen = "kept",
    ) -> None:
        if edges not in get_args(Edges):
            raise ValueError(f"edges is one of {get_args(Edges)}, not {edges!r}")
        self.image_shape = tuple(shape)
        if psf.ndim != len(self.image_shape):
            raise OpticsError(
                f"a PSF of shape {tuple(psf.shape)} cannot blur images of "
                f"{len(self.image_shape)} axes, shape {self.image_shape}"
            )
        self.psf = psf
        self.shape = _domain(psf.shape, self.image_shape, edges)
        self.otf = transfer_function(psf.to(torch.float32), self.shape)
        self._axes = tuple(range(-len(self.shape), 0))
        self._field: tuple[Any, ...] = (..., *(slice(n) for n in self.image_shape))
        self._ratio = self.otf.real.new_empty(0)
        self.unseen = unseen
        self._gain = None if edges == "periodic" else self._inverse_weights()

    def crop(self, x: Tensor) -> Tensor:
        """Return the part of the domain covered by the image, as a view."""
        return x[self._field]

    def embed(self, image: Tensor) -> Tensor:
        """Return `image` in the domain, zero beyond the field of view: crop's adjoint.

        The image itself is returned if it fills the domain.
        """
        if self.shape == self.image_shape:
            return image
        x = image.new_zeros((*image.shape[: -len(self.shape)], *self.shape))
        x[self._field] = image
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return Hx: the image (…, *image_shape) of a domain (…, *shape)."""
        return self.crop(self._filter(x, adjoint=False))

    def adjoint(self, image: Tensor) -> Tensor:
        """Return Hᵀ of an image, over the domain."""
        return self._filter(self.embed(image), adjoint=True)

    def back_ratio(self, image: Tensor, expected: Tensor) -> Tensor:
        """Return Hᵀ(image / expected) / Hᵀ1; `unseen` is the ratio far outside.

        Overwrites `expected`.
        """
        if self._gain is None:
            ratio = torch.div(image, expected, out=expected)
            return self._filter(ratio, adjoint=True)
        # Kept between calls; its part beyond the field of view always stays zero.
        size = (*expected.shape[: -len(self.shape)], *self.shape)
        if self._ratio.shape != size:
            self._ratio = expected.new_zeros(size)
        ratio = torch.div(image, expected, out=self.crop(self._ratio))
        if self.unseen == "dark":
            return self._filter(self._ratio, adjoint=True).mul_(self._gain)
        ratio.sub_(1)  # What is as expected has no say, wherever its light came from.
        return self._filter(self._ratio, adjoint=True).mul_(self._gain).add_(1)

    def lags(self, x: Tensor, image: Tensor) -> Tensor:
        """Return the correlation of an image with an object, at the lags of the PSF.

        The adjoint of the blur as a map from PSFs, for a fixed object x.
        """
        spectrum = self.spectrum(self.embed(image))
        spectrum *= self.spectrum(x).conj()
        half = [k // 2 for k in self.psf.shape]
        at_lags = self.inverse(spectrum).roll(half, self._axes)
        return at_lags[tuple(slice(k) for k in self.psf.shape)]

    def _inverse_weights(self) -> Tensor:
        weights = captured(self.psf, list(self.image_shape), list(self.shape))
        least = LEAST_WEIGHT * weights.max()
        inverse = weights.clamp(min=least).reciprocal_()
        if self.unseen == "dark":
            inverse.masked_fill_(weights < least, 0.0)
        return inverse.float().to(self.psf.device)

    def _filter(self, x: Tensor, adjoint: bool) -> Tensor:
        heed_stop()  # A transform of a large image takes a CPU seconds.
        spectrum = self.spectrum(x)
        if adjoint:  # S·conj(H) = conj(conj(S)·H): cheaper than a conjugated copy of H
            spectrum.conj_physical_().mul_(self.otf).conj_physical_()
        else:
            spectrum.mul_(self.otf)
        heed_stop()
        return self.inverse(spectrum)

    def spectrum(self, x: Tensor) -> Tensor:
        """Return the half-spectrum of a domain."""
        return torch.fft.rfftn(x, dim=self._axes)

    def inverse(self, spectrum: Tensor) -> Tensor:
        """Return the domain of a half-spectrum, which is overwritten."""
        if spectrum.device.type != "cpu":
            return torch.fft.irfftn(spectrum, s=self.shape, dim=self._axes)
        # torch's own inverse transform on the CPU spends half its time on transposed
        # copies, in all axes but the last; there scipy's works in the given memory.
        rows = fft.ifftn(
            spectrum.numpy(),
            axes=self._axes[:-1],
            overwrite_x=True,
            workers=torch.get_num_threads(),
        )
        return torch.fft.irfft(torch.from_numpy(rows), n=self.shape[-1])


def _domain(
    psf: Sequence[int], image: tuple[int, ...], edges: Edges
) -> tuple[int, ...]:
    if edges == "extend":
        return fast_shape([n + k - 1 for n, k in zip(image, psf, strict=True)])
    if any(k > n for k, n in zip(psf, image, strict=True)):
        raise OpticsError(
            f"a PSF of {tuple(psf)} is wider than the periodic image of {image}; "
            f"crop the PSF, or use edges='extend'"
        )
    return image
