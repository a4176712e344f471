"""The U-Net of Çiçek et al. (2016), in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.layers import (
    Activation,
    Hidden,
    conv_block,
    crop_to,
    cut,
    output_activation,
    output_layer,
    pad_to_multiple,
    per_axis,
)
from napari_blurgan.networks.norm import Norm
from napari_blurgan.networks.receptive import (
    Interval,
    clipped,
    halo,
    hull,
    pooled,
    upsampled,
    widened,
)

__all__ = ["UNet"]


class UNet(nn.Module):
    """Convolution–norm–ReLU, max-pooling down, nearest upsampling and skips up.

    Nearest up-sampling followed by a convolution, unlike a transposed convolution,
    causes no checkerboard artefacts (Odena et al. 2016). The initial weights are
    torch's, from its global generator: same seed, same network.

    The generator of BlurGAN (Lim et al. 2020), with κ = 7 convolutions a side and a
    skip every second of them, is ``UNet(3, 1, 1, levels=4, norm="instance",
    activation="sigmoid")``: κ = 2 · levels − 1, the lowest level being shared.

    Parameters
    ----------
    dims : int
        2 for (n, c, y, x) or 3 for (n, c, z, y, x).
    in_channels, out_channels : int
        Channels of the input and the output.
    base : int
        Channels of the first level; every level doubles them.
    levels : int
        Number of resolutions, the full one included.
    norm : {"batch", "instance", "none"}
        See `make_norm`.
    activation : {"linear", "sigmoid"}
        What follows the last convolution.
    first_kernel : int
        Odd size of the first convolution; all others have 3.
    convs_per_level : int
        Convolutions at each level, going down and again going up.
    zero_last : bool
        Start with an output of zero (or `output_bias`), for residual generators.
    output_bias : float, optional
        Start value of the last bias; -3 with a sigmoid suits dark images.
    pool : int or sequence of int
        Pooling factor for each axis; (1, 2, 2) keeps all planes of a thin stack.
    momentum : float
        Of the running statistics of batch norm.
    hidden : {"relu", "leaky"}
        What follows every convolution but the last.

    Attributes
    ----------
    stride : tuple of int
        Tiles that start at multiples of it see the same pooling grid as the whole.
        Any size may go in: it is padded to a multiple and cropped again.
    receptive_halo : tuple of int
        An output voxel depends on no input voxel farther away than this.

    Raises
    ------
    RecipeError
        If an argument describes no network.
    """

    def __init__(
        self,
        dims: int,
        in_channels: int,
        out_channels: int,
        base: int = 8,
        levels: int = 3,
        norm: Norm = "batch",
        activation: Activation = "linear",
        first_kernel: int = 3,
        convs_per_level: int = 2,
        zero_last: bool = False,
        output_bias: float | None = None,
        pool: int | Sequence[int] = 2,
        momentum: float = 0.02,
        hidden: Hidden = "relu",
    ) -> None:
        super().__init__()
        if min(levels, convs_per_level, base) < 1:
            raise RecipeError(
                f"a U-Net needs levels, convs_per_level and base >= 1, "
                f"not {levels}, {convs_per_level} and {base}"
            )
        self.pool = per_axis(pool, dims)
        self.levels = levels
        self.convs_per_level = convs_per_level
        self.first_kernel = first_kernel
        self.norm = norm

        def level(channels_in: int, channels_out: int, kernel: int = 3) -> nn.Module:
            """Return the convolutions of one resolution; the first has `kernel`."""
            sizes = [channels_in] + [channels_out] * convs_per_level
            kernels = [kernel] + [3] * (convs_per_level - 1)
            block = partial(
                conv_block, dims, norm=norm, momentum=momentum, hidden=hidden
            )
            return nn.Sequential(
                *(
                    block(i, o, kernel=k)
                    for i, o, k in zip(sizes, sizes[1:], kernels, strict=False)
                )
            )

        widths = [base * 2**n for n in range(levels)]
        self.encoders = nn.ModuleList([level(in_channels, base, first_kernel)])
        self.encoders.extend(level(a, 2 * a) for a in widths[:-1])
        self.decoders = nn.ModuleList(level(3 * a, a) for a in widths[-2::-1])
        self.last = output_layer(
            dims, base, out_channels, zero=zero_last, bias=output_bias
        )
        self.activation = output_activation(activation)

    @property
    def stride(self) -> tuple[int, ...]:
        """Input voxels per voxel of the lowest level, for each axis."""
        return tuple(factor ** (self.levels - 1) for factor in self.pool)

    @property
    def receptive_halo(self) -> tuple[int, ...]:
        """Largest distance, for each axis, at which an input voxel has an effect."""
        return tuple(
            halo(partial(self._needs, 0, factor), stride)
            for factor, stride in zip(self.pool, self.stride, strict=True)
        )

    def forward(self, image: Tensor, region: Sequence[slice] | None = None) -> Tensor:
        """Map (n, c, …) to (n, out_channels, …) of the same spatial size.

        Parameters
        ----------
        image : Tensor
            (n, c, …).
        region : sequence of slice, optional
            The part of the result that is wanted. The same voxels come out, but going
            up nothing else is computed (unless the norm has to see all of it).
        """
        features = pad_to_multiple(image, self.stride)
        skips: list[Tensor] = []
        for encoder in self.encoders:
            if skips:
                features = self._pooled(features)
            features = encoder(features)
            skips.append(features)
        covered = _extent(skips.pop())
        inputs = self._decoder_inputs(list(map(_extent, skips)), region)
        for decoder in self.decoders:
            window, skip = inputs.pop(), skips.pop()
            features = self._upsampled(features, window, covered)
            features = torch.cat([cut(skip, window, _extent(skip)), features], dim=1)
            features, covered = decoder(features), window
        result = self.activation(self.last(features))
        if region is None:
            return crop_to(result, image.shape[2:])
        return cut(result, [(r.start, r.stop - 1) for r in region], covered)

    def _decoder_inputs(
        self, extents: Sequence[list[Interval]], region: Sequence[slice] | None
    ) -> list[list[Interval]]:
        """Return the inputs that each decoder needs, from full resolution down."""
        if region is None or self.norm == "instance":
            return list(extents)
        inputs = []
        wanted = [(r.start, r.stop - 1) for r in region]
        for extent in extents:
            wanted = [
                clipped(widened(w, self.convs_per_level), last + 1)
                for w, (_, last) in zip(wanted, extent, strict=True)
            ]
            inputs.append(wanted)
            wanted = [upsampled(w, f) for w, f in zip(wanted, self.pool, strict=True)]
        return inputs

    def _upsampled(
        self, features: Tensor, window: list[Interval], covered: list[Interval]
    ) -> Tensor:
        """Return `window` of the level above features that cover `covered`."""
        below = [upsampled(w, f) for w, f in zip(window, self.pool, strict=True)]
        features = cut(features, below, covered)
        sizes = zip(features.shape[2:], self.pool, strict=True)
        features = F.interpolate(features, size=[n * f for n, f in sizes])
        above = [pooled(b, f) for b, f in zip(below, self.pool, strict=True)]
        return cut(features, window, above)

    def _pooled(self, features: Tensor) -> Tensor:
        pooling = F.max_pool2d if len(self.pool) == 2 else F.max_pool3d
        return pooling(features, self.pool)

    def _needs(self, level: int, factor: int, outputs: Interval) -> Interval:
        """Return the inputs behind the last features of `level`, in the decoder."""
        if level == self.levels - 1:
            return self._encoder_needs(level, factor, outputs)
        outputs = widened(outputs, self.convs_per_level)
        below = self._needs(level + 1, factor, upsampled(outputs, factor))
        return hull(self._encoder_needs(level, factor, outputs), below)

    def _encoder_needs(self, level: int, factor: int, outputs: Interval) -> Interval:
        """Return the inputs behind the features of `level`, in the encoder."""
        for _ in range(level):
            outputs = pooled(widened(outputs, self.convs_per_level), factor)
        return widened(outputs, self.convs_per_level - 1 + self.first_kernel // 2)


def _extent(features: Tensor) -> list[Interval]:
    """Return all of the spatial axes."""
    return [(0, size - 1) for size in features.shape[2:]]
