"""The layers shared by networks in two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.norm import Norm, make_norm
from napari_blurgan.networks.receptive import Interval

__all__ = [
    "Activation",
    "Hidden",
    "Upsampling",
    "conv_block",
    "convolution",
    "crop_to",
    "cut",
    "output_activation",
    "output_layer",
    "pad_to_multiple",
    "part_of",
    "per_axis",
    "steps_up",
]

Activation = Literal["linear", "sigmoid"]
Hidden = Literal["relu", "leaky"]
Upsampling = Literal["nearest", "transposed"]


def per_axis(value: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """Return one whole number >= 1 for each of the `dims` axes.

    Raises
    ------
    RecipeError
        If `dims` is neither 2 nor 3, or the numbers do not fit it.
    """
    if dims not in (2, 3):
        raise RecipeError(f"networks have 2 or 3 dimensions, not {dims}")
    values = (value,) * dims if isinstance(value, int) else tuple(value)
    if len(values) != dims or min(values) < 1:
        raise RecipeError(f"{values} should be {dims} numbers >= 1, one for each axis")
    return values


def convolution(
    dims: int,
    channels_in: int,
    channels_out: int,
    kernel: int = 3,
    stride: int | Sequence[int] = 1,
    bias: bool = True,
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution with an odd kernel that keeps the size (over the stride).

    Borders are padded with zeros: the only padding that is fast on every device,
    deterministic, and possible for an axis of a single voxel.

    Raises
    ------
    RecipeError
        If the kernel is even: it would move the image by half a voxel.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise RecipeError(f"a generator needs odd kernel sizes, not {kernel}")
    layer = nn.Conv2d if dims == 2 else nn.Conv3d
    return layer(
        channels_in,
        channels_out,
        kernel,
        stride=per_axis(stride, dims),  # type: ignore[arg-type]
        padding=kernel // 2,
        bias=bias,
    )


def conv_block(
    dims: int,
    channels_in: int,
    channels_out: int,
    norm: Norm,
    momentum: float,
    kernel: int = 3,
    stride: int | Sequence[int] = 1,
    hidden: Hidden = "relu",
) -> nn.Sequential:
    """Return convolution, normalisation, ReLU; without a bias if a norm removes it.

    A leaky ReLU keeps a fifth of what is negative, as in discriminators.
    """
    bend = nn.LeakyReLU(0.2, True) if hidden == "leaky" else nn.ReLU(inplace=True)
    return nn.Sequential(
        convolution(dims, channels_in, channels_out, kernel, stride, norm == "none"),
        make_norm(norm, dims, channels_out, momentum),
        bend,
    )


def steps_up(
    dims: int,
    channels_in: int,
    channels_out: int,
    factors: Sequence[int],
    norm: Norm,
    momentum: float,
    kind: Upsampling = "nearest",
) -> list[nn.Module]:
    """Return the up-sampling: repeated voxels and a convolution, or a transposed one.

    The transposed convolution covers the voxels on either side of its target, 3 for a
    factor of 2 as in Zhu et al. (2017).

    Raises
    ------
    RecipeError
        If there is no such upsampling.
    """
    if kind == "nearest":
        return [
            nn.Upsample(scale_factor=tuple(factors)),
            conv_block(dims, channels_in, channels_out, norm, momentum),
        ]
    if kind != "transposed":
        raise RecipeError(f"no upsampling {kind!r}; choose nearest or transposed")
    layer = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
    convolved = [
        layer(
            channels_in,
            channels_out,
            tuple(2 * f - 1 for f in factors),  # type: ignore[arg-type]
            stride=tuple(factors),  # type: ignore[arg-type]
            padding=tuple(f - 1 for f in factors),  # type: ignore[arg-type]
            output_padding=tuple(f - 1 for f in factors),  # type: ignore[arg-type]
            bias=norm == "none",
        ),
        make_norm(norm, dims, channels_out, momentum),
        nn.ReLU(inplace=True),
    ]
    return [nn.Sequential(*convolved)]


def output_layer(
    dims: int,
    channels_in: int,
    channels_out: int,
    kernel: int = 1,
    zero: bool = False,
    bias: float | None = None,
) -> nn.Conv2d | nn.Conv3d:
    """Return the last convolution; `zero` makes it start at zero, or at `bias`."""
    layer = convolution(dims, channels_in, channels_out, kernel)
    if zero:
        nn.init.zeros_(layer.weight)
    if layer.bias is not None and (zero or bias is not None):
        nn.init.constant_(layer.bias, bias or 0.0)
    return layer


def output_activation(kind: Activation) -> nn.Module:
    """Return the activation after the last convolution.

    Raises
    ------
    RecipeError
        If there is no such activation.
    """
    activations: dict[str, type[nn.Module]] = {
        "linear": nn.Identity,
        "sigmoid": nn.Sigmoid,
    }
    if kind not in activations:
        raise RecipeError(
            f"no activation {kind!r}; choose one of {', '.join(activations)}"
        )
    return activations[kind]()


def pad_to_multiple(image: Tensor, stride: Sequence[int]) -> Tensor:
    """Repeat the last voxels until every spatial size is a multiple of `stride`."""
    sizes = image.shape[2:]
    missing = [-n % s for n, s in zip(sizes, stride, strict=True)]
    if not any(missing):
        return image
    padding = [amount for m in reversed(missing) for amount in (0, m)]
    return F.pad(image, padding, mode="replicate")


def part_of(image: Tensor, region: Sequence[slice]) -> Tensor:
    """Return a region of the spatial axes."""
    index: list[slice | EllipsisType] = [..., *region]
    return image[tuple(index)]


def cut(
    image: Tensor, wanted: Sequence[Interval], covered: Sequence[Interval]
) -> Tensor:
    """Return the intervals `wanted` of an image that covers the intervals `covered`."""
    pairs = zip(wanted, covered, strict=True)
    return part_of(image, [slice(a - s, b - s + 1) for (a, b), (s, _) in pairs])


def crop_to(image: Tensor, sizes: torch.Size) -> Tensor:
    """Return the first voxels of every spatial axis: undoes `pad_to_multiple`."""
    return part_of(image, [slice(n) for n in sizes])
