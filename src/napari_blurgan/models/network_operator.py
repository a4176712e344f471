"""A generator as an operator that can be applied tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.interruption import heed_stop
from napari_blurgan.networks.layers import part_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["NetworkOperator"]


class NetworkOperator:
    """G with the properties that tiling needs.

    Parameters
    ----------
    generator : Reconstructor
        In evaluation mode, on the device that is to compute.
    channels : tuple of int
        Of the input and of the output.
    estimator : Estimator, optional
        What makes the estimate that the generator refines.
    blur : BlurKernel, optional
        The blur that it undoes.
    colour : bool
        Whether the three channels of the output are red, green and blue.
    whole : bool
        Whether it was trained on whole images, and knows their borders.

    Attributes
    ----------
    stride : tuple of int
        Tiles start at multiples of it.
    """

    def __init__(
        self,
        generator: Reconstructor,
        channels: tuple[int, int],
        estimator: Estimator | None = None,
        blur: BlurKernel | None = None,
        colour: bool = False,
        whole: bool = False,
    ) -> None:
        self.generator = generator
        self.channels = channels
        self.estimator = estimator
        self.blur = blur
        self.colour = colour
        self.whole = whole
        self.stride = generator.network.stride

    @property
    def halo(self) -> tuple[int, ...]:
        """Distance beyond which y has no effect (with an estimate: hardly any)."""
        halo = self.generator.network.receptive_halo
        if self.estimator is None or self.blur is None:
            return halo
        reach = self.estimator.halo(self.blur)
        return tuple(a + b for a, b in zip(halo, reach, strict=True))

    @property
    def reflected(self) -> bool:
        """Whether the image has to be extended beyond its border.

        An estimate has light of its own there, into which mirror images would blur.
        """
        return self.estimator is None and not self.whole

    @property
    def device(self) -> torch.device:
        """The device on which it computes."""
        return next(self.generator.parameters()).device

    def channels_out(self, channels_in: int) -> int:
        """Return the channels of the result.

        Raises
        ------
        ValueError
            If the generator was trained for another number of channels.
        """
        if channels_in != self.channels[0]:
            raise ValueError(
                f"the model takes {self.channels[0]} channels, found {channels_in}"
            )
        return self.channels[1]

    @torch.inference_mode()
    def __call__(self, y: Tensor) -> Tensor:
        """Map (n, c, [z,] y, x) in normalised intensities, of any size."""
        y = y.to(self.device)
        with _heeding(self.generator):
            return self.generator(y, self._estimate(y))

    @torch.inference_mode()
    def part(self, y: Tensor, region: Sequence[slice]) -> Tensor:
        """Return `region` of the result, computing little more than that."""
        y = y.to(self.device)
        with _heeding(self.generator):
            return self._part(y, region)

    def _part(self, y: Tensor, region: Sequence[slice]) -> Tensor:
        estimate = self._estimate(y)
        network = self.generator.network
        if network.norm == "instance":
            return self.generator(y, estimate, region)
        window = tuple(
            _window(r, halo, stride, size)
            for r, halo, stride, size in zip(
                region,
                network.receptive_halo,
                self.stride,
                y.shape[2:],
                strict=True,
            )
        )
        inside = [
            slice(r.start - w.start, r.stop - w.start)
            for r, w in zip(region, window, strict=True)
        ]
        seen = None if estimate is None else part_of(estimate, window)
        return self.generator(part_of(y, window), seen, inside)

    def _estimate(self, y: Tensor) -> Tensor | None:
        if self.estimator is None or self.blur is None:
            return None
        return self.estimator(y, self.blur)


@contextmanager
def _heeding(module: nn.Module) -> Iterator[None]:
    """Allow stopping between two layers: a large tile takes a CPU many seconds."""
    hooks = [
        part.register_forward_pre_hook(lambda *_: heed_stop())
        for part in module.modules()
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _window(region: slice, halo: int, stride: int, size: int) -> slice:
    """Return the range of an axis that a network needs, on the grid of its pooling."""
    start = (region.start - halo) // stride * stride
    stop = -(-(region.stop + halo) // stride) * stride
    return slice(max(start, 0), min(stop, size))
