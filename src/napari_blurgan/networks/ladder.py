"""A ladder of latent images: the network of a variational reconstructor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.networks.layers import (
    convolution,
    crop_to,
    output_layer,
    pad_to_multiple,
    part_of,
    per_axis,
)
from napari_blurgan.networks.norm import Norm
from napari_blurgan.networks.receptive import (
    Interval,
    halo,
    hull,
    pooled,
    upsampled,
    widened,
)

__all__ = ["Dice", "Ladder"]

Dice = Callable[[int, Tensor], Tensor]
"""Returns random numbers, normal with a deviation of one, for a level and an image of
the size that is asked for."""

LEAST, MOST = -6.0, 3.0
"""Limits of the logarithms of standard deviations."""

STEEP = 8.0
"""Latent units, at the start, from the bottom to the top of the range of an image."""

NARROW = -1.5
"""Logarithm of the deviation of the latent images that carry the image at the start."""

WIDEST = 4
"""Largest number of channels, in units of those at full resolution."""


class Ladder(nn.Module):
    """A hierarchical variational autoencoder without fully connected layers.

    An image is encoded at several resolutions. From the coarsest to the second finest,
    a latent image is drawn from a normal distribution that depends on the coarser ones
    and on the encoded image (the posterior q); another, that depends on the coarser
    ones alone (the prior p), says what was to be expected. The decoder makes the
    signal of the latent images (Sønderby et al. 2016; for denoising Prakash et al.
    2021, 2022). There is none at full resolution, where it could copy the noise.

    Parameters
    ----------
    dims : int
        2 for (n, c, y, x) or 3 for (n, c, z, y, x).
    in_channels, out_channels : int
        Channels of the input and the output.
    base : int
        Channels at full resolution; they double down to the third level.
    levels : int
        Number of resolutions, the full one included; at least 2.
    blocks : int
        Residual blocks at each level, both of the encoder and of the decoder.
    latents : int
        Channels of a latent image.
    pool : int or sequence of int
        Pooling factor for each axis.

    Attributes
    ----------
    stride : tuple of int
        Tiles that start at multiples of it see the same pooling grid as the whole.
    receptive_halo : tuple of int
        An output voxel depends on no input voxel farther away than this.
    """

    norm: Norm = "none"

    def __init__(
        self,
        dims: int,
        in_channels: int,
        out_channels: int,
        base: int = 16,
        levels: int = 3,
        blocks: int = 1,
        latents: int = 8,
        pool: int | Sequence[int] = 2,
    ) -> None:
        super().__init__()
        self.pool = per_axis(pool, dims)
        self.levels, self.blocks, self.latents = levels, blocks, latents
        self._pooled = F.avg_pool2d if dims == 2 else F.avg_pool3d
        widths = [base * min(2**n, WIDEST) for n in range(levels)]
        sources = [in_channels, *widths]
        layer = partial(convolution, dims)
        residual = partial(_residual, dims, blocks)
        self.entries = nn.ModuleList(map(layer, sources, widths))
        self.encoders = nn.ModuleList(map(residual, widths))
        self.decoders = nn.ModuleList(map(residual, widths))
        self.rises = nn.ModuleList(
            layer(above, below, 1) for below, above in pairwise(widths)
        )
        self.priors = nn.ModuleList(
            nn.Sequential(nn.SiLU(), layer(width, 2 * latents, 1))
            for width in widths[1:]
        )
        self.posteriors = nn.ModuleList(
            nn.Sequential(
                layer(2 * width, width), nn.SiLU(), layer(width, 2 * latents, 1)
            )
            for width in widths[1:]
        )
        self.entrances = nn.ModuleList(layer(latents, w, 1) for w in widths[1:])
        self.top = nn.Parameter(torch.zeros(1, widths[-1], *(1,) * dims))
        self.last = output_layer(dims, base, out_channels)
        for step in (*self.priors, *self.posteriors):
            nn.init.normal_(step[-1].weight, std=0.01)
        for channel in range(min(in_channels, out_channels, latents, base // 2)):
            self._carry(channel)

    @torch.no_grad()
    def _carry(self, channel: int) -> None:
        """Let the network return the mean over each pool of a channel at the start.

        It passes through the finest latent image; from random weights, the levels of
        bright structures take thousands of steps to get through the draws.
        """
        inner, _, outer = self.posteriors[0].children()
        *_, expected = self.priors[0].children()
        both = (2 * channel, 2 * channel + 1)
        for layer in (*self.entries[:2], self.entrances[0], self.rises[0]):
            _connect(layer, channel, {channel: 1.0})
        for layer in (*self.rises[1:], expected):
            _connect(layer, channel, {})
        # silu(a) - silu(-a) = a
        for sign, hidden in zip((STEEP, -STEEP), both, strict=True):
            _connect(inner, hidden, {channel: sign})
        _connect(outer, channel, dict(zip(both, (1.0, -1.0), strict=True)))
        _bias(outer)[self.latents + channel] = NARROW
        _connect(self.last, channel, {channel: 1 / STEEP})

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

    def forward(
        self,
        image: Tensor,
        dice: Dice | None = None,
        region: Sequence[slice] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw the latent images, and make the signal of them.

        Parameters
        ----------
        image : Tensor
            (n, c, …).
        dice : callable, optional
            The random numbers; without, the latent images are the means of q.
        region : sequence of slice, optional
            The part of the signal that is wanted.

        Returns
        -------
        signal : Tensor
            (n, out_channels, …), of the size of `image`, or of `region`.
        divergence : Tensor
            (levels - 1,): the Kullback-Leibler divergence of the posterior from the
            prior, from the coarsest level up, in nats per voxel of the image.
        """
        encoded = self._encoded(pad_to_multiple(image, self.stride))
        features = self.top.expand_as(encoded[-1])
        divergences = []
        for level in range(self.levels - 1, 0, -1):
            latent, divergence = self._drawn(level, features, encoded[level], dice)
            divergences.append(divergence / image[:, 0].numel())
            features = features + self.entrances[level - 1](latent)
            features = self.rises[level - 1](self.decoders[level](features))
            factors = [float(factor) for factor in self.pool]
            features = F.interpolate(features, scale_factor=factors)
        signal = crop_to(self.last(self.decoders[0](features)), image.shape[2:])
        if region is not None:
            signal = part_of(signal, region)
        return signal, torch.stack(divergences)

    def _encoded(self, image: Tensor) -> list[Tensor]:
        found = [self.encoders[0](self.entries[0](image))]
        for enter, encode in zip(self.entries[1:], self.encoders[1:], strict=True):
            smaller = self._pooled(found[-1], self.pool)
            found.append(encode(enter(smaller)))
        return found

    def _drawn(
        self, level: int, features: Tensor, encoded: Tensor, dice: Dice | None
    ) -> tuple[Tensor, Tensor]:
        """Draw a latent image; return it, and how far q is from p, summed up."""
        prior, log_p = _normal(self.priors[level - 1](features))
        both = torch.cat([encoded, features], 1)
        moved, log_ratio = _normal(self.posteriors[level - 1](both))
        log_q = (log_p + log_ratio).clamp(LEAST, MOST)
        latent = prior + moved
        if dice is not None:
            latent = latent + log_q.exp() * dice(level, moved)
        spread = (2 * (log_q - log_p)).exp() + moved.square() * (-2 * log_p).exp()
        return latent, (log_p - log_q + spread / 2 - 0.5).sum()

    def _needs(self, level: int, factor: int, outputs: Interval) -> Interval:
        """Return the inputs behind the decoder's output at `level`, along one axis."""
        inner = widened(outputs, 2 * self.blocks)
        if level == 0:
            return self._needs(1, factor, upsampled(inner, factor))
        seen = widened(inner, 1)
        encoded = self._encoder_needs(level, factor, seen)
        if level == self.levels - 1:
            return encoded
        return hull(encoded, self._needs(level + 1, factor, upsampled(seen, factor)))

    def _encoder_needs(self, level: int, factor: int, outputs: Interval) -> Interval:
        """Return the inputs behind the encoded image at `level`."""
        for _ in range(level):
            outputs = pooled(widened(outputs, 2 * self.blocks + 1), factor)
        return widened(outputs, 2 * self.blocks + 1)


class _Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))), at first x itself."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.SiLU(),
            convolution(dims, channels, channels),
            nn.SiLU(),
            output_layer(dims, channels, channels, kernel=3, zero=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Add what the convolutions say."""
        added: Tensor = self.body(features)
        return features + added


def _bias(layer: nn.Module) -> Tensor:
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    assert layer.bias is not None
    return layer.bias


def _connect(layer: nn.Module, target: int, sources: Mapping[int, float]) -> None:
    """Make a channel of a convolution the sum of channels times factors."""
    _bias(layer)[target] = 0
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    weights = layer.weight[target]
    weights.zero_()
    middle = tuple(n // 2 for n in weights.shape[1:])
    for source, factor in sources.items():
        weights[(source, *middle)] = factor


def _residual(dims: int, blocks: int, channels: int) -> nn.Sequential:
    return nn.Sequential(*(_Residual(dims, channels) for _ in range(blocks)))


def _normal(parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and logarithm of the standard deviation, in float32."""
    mean, log = parameters.float().chunk(2, 1)
    return mean, log.clamp(LEAST, MOST)
