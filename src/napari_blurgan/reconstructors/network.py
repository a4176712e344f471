"""The network inside a reconstructor, or of a second generator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from napari_blurgan.methods.reconstructors import NetworkReconstructor
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet
from napari_blurgan.reconstructors.building import within_memory

__all__ = ["make_network"]


def make_network(
    settings: NetworkReconstructor,
    dims: int,
    channels_in: int,
    channels_out: int,
    pool: tuple[int, ...],
    zero_last: bool = False,
) -> UNet | ResNet:
    """Return the network described by a recipe, with random weights.

    Parameters
    ----------
    settings : NetworkReconstructor
        Kind and size.
    dims, channels_in, channels_out : int
        Spatial axes; channels, those of an estimate included.
    pool : tuple of int
        Pooling factor of each axis; 1 where there are only a few planes.
    zero_last : bool
        Whether the last convolution is zero at the start: a refinement starts by
        changing nothing.
    """
    # A sigmoid that starts at one half would take
    # thousands of steps to learn that most of a fluorescence volume is dark.
    dark = settings.output == "sigmoid" and dims == 3
    kinds: dict[str, Callable[..., UNet | ResNet]] = {
        "unet": partial(
            UNet,
            levels=settings.levels,
            convs_per_level=settings.convolutions,
            hidden=settings.hidden,
        ),
        "resnet": partial(
            ResNet, blocks=settings.blocks, upsampling=settings.upsampling
        ),
    }
    return within_memory(
        lambda: kinds[settings.network](
            dims,
            channels_in,
            channels_out,
            settings.base,
            first_kernel=settings.first_kernel,
            norm=settings.norm,
            momentum=settings.momentum,
            activation=settings.output,
            zero_last=zero_last,
            output_bias=-3.0 if dark else None,
            pool=pool,
        )
    )
