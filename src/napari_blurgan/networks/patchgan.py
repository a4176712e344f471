"""Discriminators that judge overlapping patches (Isola et al. 2017), at many scales."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TypedDict, Unpack

import torch
from torch import Tensor, nn

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.histogram import HistogramDiscriminator
from napari_blurgan.networks.layers import per_axis
from napari_blurgan.networks.norm import Norm, make_norm

__all__ = ["MultiScaleDiscriminator", "PatchDiscriminator", "PatchOptions"]

KERNEL = 4  # kernel size of every convolution but the last


class PatchDiscriminator(nn.Module):
    """A PatchGAN: one unbounded score for each of many overlapping patches.

    Strided convolutions and leaky ReLUs, then a convolution to one channel; no
    sigmoid, which belongs to the loss. The 70 × 70 PatchGAN of Isola et al. is
    ``PatchDiscriminator(2, c, base=64, layers=3, norm="instance", plain_layers=1,
    head_kernel=4)``.

    Parameters
    ----------
    dims : int
        2 for (n, c, y, x) or 3 for (n, c, z, y, x).
    in_channels : int
        Channels of the image.
    base : int
        Channels of the first layer; every further one doubles them, up to 8 · base.
    layers : int
        Number of strided convolutions.
    norm : {"batch", "instance", "none"}
        After every layer but the first and the last. ``"none"`` is what a Wasserstein
        loss with a gradient penalty needs.
    plain_layers : int
        Further layers with a stride of 1.
    head_kernel : int
        Size of the last convolution.
    pool : int or sequence of int
        Stride for each axis; (1, 2, 2) for a few planes only.

    Raises
    ------
    RecipeError
        If an argument describes no network.
    """

    def __init__(
        self,
        dims: int,
        in_channels: int,
        base: int = 16,
        layers: int = 2,
        norm: Norm = "none",
        plain_layers: int = 0,
        head_kernel: int = 3,
        pool: int | Sequence[int] = 2,
    ) -> None:
        super().__init__()
        if min(base, layers) < 1 or plain_layers < 0:
            raise RecipeError(
                f"a discriminator needs base and layers >= 1 and plain_layers >= 0, "
                f"not {base}, {layers} and {plain_layers}"
            )
        self.dims = dims
        factors = per_axis(pool, dims)
        plain = (1,) * dims
        body: list[nn.Module] = []
        channels = in_channels
        for n, stride in enumerate([factors] * layers + [plain] * plain_layers):
            width = base * min(2**n, 8)
            body.append(_convolution(channels, width, KERNEL, factors, stride))
            if n > 0:
                body.append(make_norm(norm, dims, width))
            body.append(nn.LeakyReLU(0.2, inplace=True))
            channels = width
        body.append(_convolution(channels, 1, head_kernel, factors, plain))
        self.body = nn.Sequential(*body)

    @property
    def smallest(self) -> tuple[int, ...]:
        """Smallest image, for each axis, for which there is a score."""
        sizes = (1,) * self.dims
        for layer in reversed(self.body):
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                sizes = _smallest_input(layer, sizes)
        return sizes

    def forward(self, image: Tensor) -> Tensor:
        """Map (n, c, …) to scores (n, 1, …), one for each patch.

        Raises
        ------
        RecipeError
            If the image is smaller than `smallest`.
        """
        sizes = tuple(image.shape[2:])
        if any(n < least for n, least in zip(sizes, self.smallest, strict=True)):
            raise RecipeError(
                f"patches of {sizes} voxels are too small for a discriminator that "
                f"needs {self.smallest}: take larger patches or fewer layers, or do "
                f"not pool the short axis (pool 1)"
            )
        return self.body(image)


class PatchOptions(TypedDict, total=False):
    """Options of a `PatchDiscriminator` besides its axes, channels and width."""

    layers: int
    norm: Norm
    plain_layers: int
    head_kernel: int
    pool: int | Sequence[int]


class MultiScaleDiscriminator(nn.Module):
    """Independent PatchGANs on the patch and on crops of half, quarter, … its size.

    The multi-PatchGAN of Lim et al. (2020, Fig. 4): the crops keep the resolution but
    show a smaller field to their discriminators. No crop is smaller than twice the
    smallest size for its discriminator, so that a few planes stay whole.

    Parameters
    ----------
    dims, in_channels, base
        As for `PatchDiscriminator`.
    scales : int
        Number of discriminators.
    quantiles : int
        Of one more discriminator, which sees the intensities of the full patch alone
        (`HistogramDiscriminator`); 0 for none.
    random_crops : bool
        Crops at random places, drawn from torch's global generator, in training;
        centred ones at inference or if false.
    **options
        Of `PatchDiscriminator`, the same for every scale.

    Raises
    ------
    RecipeError
        If an argument describes no network.
    """

    def __init__(
        self,
        dims: int,
        in_channels: int,
        base: int = 16,
        *,
        scales: int = 3,
        random_crops: bool = True,
        quantiles: int = 0,
        **options: Unpack[PatchOptions],
    ) -> None:
        super().__init__()
        if scales < 1:
            raise RecipeError(f"a discriminator needs scales >= 1, not {scales}")
        self.random_crops = random_crops
        discriminators = [
            PatchDiscriminator(dims, in_channels, base, **options)
            for _ in range(scales)
        ]
        self.discriminators = nn.ModuleList(discriminators)
        self.histogram = (
            HistogramDiscriminator(in_channels, quantiles) if quantiles else None
        )
        self.smallest_crop = tuple(2 * n for n in discriminators[0].smallest)

    def crop_shapes(self, shape: Sequence[int]) -> list[tuple[int, ...]]:
        """Return the spatial shape that each discriminator sees of a patch."""
        sizes = list(zip(shape, self.smallest_crop, strict=True))
        return [
            tuple(max(n >> scale, min(n, least)) for n, least in sizes)
            for scale in range(len(self.discriminators))
        ]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map (n, c, …) to the scores of every discriminator, the full patch first."""
        shapes = self.crop_shapes(image.shape[2:])
        scores = [
            discriminator(self._crop(image, shape))
            for discriminator, shape in zip(self.discriminators, shapes, strict=True)
        ]
        return scores if self.histogram is None else [*scores, self.histogram(image)]

    def _crop(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        index: list[slice | EllipsisType] = [...]
        for n, size in zip(image.shape[2:], shape, strict=True):
            start = (n - size) // 2
            if self.random_crops and self.training:
                start = int(torch.randint(n - size + 1, ()))
            index.append(slice(start, start + size))
        return image[tuple(index)]


def _convolution(
    channels_in: int,
    channels_out: int,
    kernel: int,
    factors: Sequence[int],
    stride: Sequence[int],
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution of `kernel` voxels along the axes that are ever pooled."""
    sizes = tuple(kernel if factor > 1 else min(kernel, 3) for factor in factors)
    layer = nn.Conv2d if len(sizes) == 2 else nn.Conv3d
    return layer(
        channels_in,
        channels_out,
        sizes,  # type: ignore[arg-type]
        stride=tuple(stride),  # type: ignore[arg-type]
        padding=tuple((size - 1) // 2 for size in sizes),  # type: ignore[arg-type]
    )


def _smallest_input(
    layer: nn.Conv2d | nn.Conv3d, outputs: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the smallest input that gives at least `outputs` voxels."""
    # An odd kernel needs 1 voxel beyond its padding, an even one 2.
    return tuple(
        (n - 1) * stride + 2 - kernel % 2
        for n, stride, kernel in zip(
            outputs, layer.stride, layer.kernel_size, strict=True
        )
    )
