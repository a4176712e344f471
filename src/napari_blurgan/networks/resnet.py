"""The residual generator of the cycleGAN (Johnson et al. 2016, Zhu et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.layers import (
    Activation,
    Upsampling,
    conv_block,
    convolution,
    crop_to,
    output_activation,
    output_layer,
    pad_to_multiple,
    part_of,
    per_axis,
    steps_up,
)
from napari_blurgan.networks.norm import Norm, make_norm
from napari_blurgan.networks.receptive import (
    Interval,
    halo,
    strided,
    transposed,
    upsampled,
    widened,
)

__all__ = ["ResNet"]


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input."""

    def __init__(self, dims: int, channels: int, norm: Norm, momentum: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_block(dims, channels, channels, norm, momentum),
            convolution(dims, channels, channels, bias=norm == "none"),
            make_norm(norm, dims, channels, momentum),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, c, …) to the same shape."""
        return features + self.body(features)


class ResNet(nn.Module):
    """Strided convolutions down, residual blocks, upsampling and convolutions up.

    For up-sampling, each voxel is repeated and then convolved, where the original has
    transposed convolutions, which cause checkerboard artefacts (Odena et al. 2016). The
    initial weights are torch's, from its global generator.

    The generator of Zhu et al. is ``ResNet(2, 3, 3, base=64, blocks=9, norm="instance",
    upsampling="transposed")``, except for its reflected borders and its tanh.

    Parameters
    ----------
    dims : int
        2 for (n, c, y, x) or 3 for (n, c, z, y, x).
    in_channels, out_channels : int
        Channels of the input and the output.
    base : int
        Channels at full resolution; every step down doubles them.
    blocks : int
        Residual blocks at the lowest resolution.
    first_kernel : int
        Odd size of the first and the last convolution; all others have 3.
    down : int
        Number of steps down, and up again.
    norm : {"batch", "instance", "none"}
        See `make_norm`.
    activation : {"linear", "sigmoid"}
        What follows the last convolution.
    upsampling : {"nearest", "transposed"}
        "nearest" repeats and convolves; "transposed" is the trainable strided
        convolution of Zhu et al. and Li et al. (2021).
    zero_last, output_bias, pool, momentum
        As for `UNet`; `pool` is the stride of a step down, for each axis.

    Attributes
    ----------
    stride, receptive_halo : tuple of int
        As for `UNet`.

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
        base: int = 32,
        blocks: int = 6,
        first_kernel: int = 7,
        down: int = 2,
        norm: Norm = "batch",
        activation: Activation = "linear",
        zero_last: bool = False,
        output_bias: float | None = None,
        pool: int | Sequence[int] = 2,
        momentum: float = 0.02,
        upsampling: Upsampling = "nearest",
    ) -> None:
        super().__init__()
        if min(base, blocks) < 1 or down < 0:
            raise RecipeError(
                f"a ResNet needs base and blocks >= 1 and down >= 0, "
                f"not {base}, {blocks} and {down}"
            )
        self.pool = per_axis(pool, dims)
        self.down = down
        self.blocks = blocks
        self.first_kernel = first_kernel
        self.norm = norm
        self.upsampling = upsampling
        block = partial(conv_block, dims, norm=norm, momentum=momentum)
        widths = [base * 2**n for n in range(down + 1)]
        layers: list[nn.Module] = [block(in_channels, base, kernel=first_kernel)]
        layers += [block(a, 2 * a, stride=self.pool) for a in widths[:-1]]
        layers += [
            ResidualBlock(dims, widths[-1], norm, momentum) for _ in range(blocks)
        ]
        up = partial(steps_up, dims, factors=self.pool, norm=norm)
        for width in widths[-2::-1]:
            layers += up(2 * width, width, momentum=momentum, kind=upsampling)
        self.body = nn.Sequential(*layers)
        self.last = output_layer(
            dims, base, out_channels, first_kernel, zero_last, output_bias
        )
        self.activation = output_activation(activation)

    @property
    def stride(self) -> tuple[int, ...]:
        """Input voxels per voxel of the lowest level, for each axis."""
        return tuple(factor**self.down for factor in self.pool)

    @property
    def receptive_halo(self) -> tuple[int, ...]:
        """Largest distance, for each axis, at which an input voxel has an effect."""
        return tuple(
            halo(partial(self._needs, factor), stride)
            for factor, stride in zip(self.pool, self.stride, strict=True)
        )

    def forward(self, image: Tensor, region: Sequence[slice] | None = None) -> Tensor:
        """Map (n, c, …) to (n, out_channels, …) of the same spatial size.

        Parameters
        ----------
        image : Tensor
            (n, c, …).
        region : sequence of slice, optional
            The part of the result that is wanted.
        """
        features = self.body(pad_to_multiple(image, self.stride))
        result = self.activation(self.last(features))
        if region is None:
            return crop_to(result, image.shape[2:])
        return part_of(result, region)

    def _needs(self, factor: int, outputs: Interval) -> Interval:
        radius = self.first_kernel // 2
        outputs = widened(outputs, radius)
        for _ in range(self.down):
            outputs = self._needs_above(factor, outputs)
        outputs = widened(outputs, 2 * self.blocks)
        for _ in range(self.down):
            outputs = strided(outputs, factor, 1)
        return widened(outputs, radius)

    def _needs_above(self, factor: int, outputs: Interval) -> Interval:
        if self.upsampling == "transposed":
            return transposed(outputs, factor)
        return upsampled(widened(outputs, 1), factor)
