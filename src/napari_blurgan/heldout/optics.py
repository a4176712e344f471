"""`likely_optics`: what the images themselves say about the optics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import VoxelSize, known
from napari_blurgan.checks import known_names
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError, OpticsError
from napari_blurgan.heldout.background import best_background
from napari_blurgan.heldout.comparison import REGION
from napari_blurgan.heldout.likely import Interval, Likely, MostLikely, with_value
from napari_blurgan.heldout.regions import middle_of, regions_of
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.methods.presets import preset
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.domains import common_voxel_size
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from napari_blurgan.reading.conversion import ImageLike, as_stacks

__all__ = ["LikelyOptics", "compared_optics", "likely_optics"]

FIELDS = 4
"""Number of images that are examined."""

VARIED = tuple(f.name for f in fields(Optics) if f.name != "modality")


@dataclass(frozen=True)
class LikelyOptics:
    """What `likely_optics` found.

    Parameters
    ----------
    optics : Optics
        As given, and changed where the images contradict it.
    parameters : dict
        A `Likely` for each parameter that was varied: the best value, the interval
        that is as likely, and whether the given value is contradicted.
    gain : float
        Share by which the error of the prediction of held-out photons falls.
    psf : Psf
        Of these optics, its core.
    """

    optics: Optics
    parameters: dict[str, Likely]
    gain: float
    psf: Psf


def likely_optics(
    images: ImageLike | Sequence[ImageLike],
    optics: Optics,
    vary: Mapping[str, Interval],
    *,
    model: str = "auto",
    axes: str | None = None,
    voxel_size: Sequence[float | None] | None = None,
    channel: int | None = None,
) -> LikelyOptics:
    """Find the optics that explain raw images best, within intervals.

    The photons of each image are divided into two halves. One is restored by
    Richardson-Lucy with the PSF in question, and has to predict the other: the right
    PSF predicts it best, whether the wrong ones are too wide, too narrow or aberrated
    otherwise. A parameter keeps its given value unless the images contradict it beyond
    chance (p < 0.001); it is then changed no more than it has to be, because a PSF that
    is slightly too narrow predicts as well as the right one. Takes half a minute to two
    minutes for each parameter.

    Parameters
    ----------
    images : image or sequence of images
        Raw camera images, taken with the same optics, (z, y, x) or (y, x) each; at most
        four are examined, each in its middle.
    optics : Optics
        As specified.
    vary : mapping
        Names of parameters of `Optics`, and the smallest and largest value of each; the
        given one lies between. For spherical aberration, vary ``depth`` with ``ns``
        given.
    model : str
        Of the PSF, as in `theoretical_psf`.
    axes, voxel_size
        Of all images, as in `read_stack`.
    channel : int, optional
        Of images with several channels, counted from 0.

    Raises
    ------
    OpticsError
        If the parameters or intervals are none, or the voxel size is not known.
    DataError, AxesError
        If the images cannot be read, or do not belong together.
    """
    _check_intervals(optics, vary)
    stacks = [
        _one_channel(stack, channel)
        for stack in as_stacks(images, axes=axes, voxel_size=voxel_size)
    ]
    compared, voxels = _comparison(stacks, optics, model)
    found, parameters = compared.search(vary)
    gain = 1 - compared.error(found) / compared.error(optics)
    psf = theoretical_psf(found, support_shape(found, voxels), voxels, model)
    told = {name: asdict(one) for name, one in parameters.items()}
    facts = psf.provenance | {"likely": told, "images": [s.name for s in stacks]}
    return LikelyOptics(found, parameters, gain, replace(psf, provenance=facts))


def compared_optics(
    images: ImageLike | Sequence[ImageLike],
    optics: Sequence[Optics],
    *,
    model: str = "auto",
) -> list[float]:
    """Return how badly held-out photons are predicted with each of some optics.

    Parameters
    ----------
    images, model
        As in `likely_optics`.
    optics : sequence of Optics
        The errors are weighted by the transfer function of the first.

    Returns
    -------
    list of float
        Mean squared errors, of which only ratios have a meaning; most of each is noise.
    """
    compared, _ = _comparison(as_stacks(images), optics[0], model)
    return [compared.error(one) for one in optics]


def _check_intervals(optics: Optics, vary: Mapping[str, Interval]) -> None:
    if not vary:
        raise OpticsError(f"nothing is to be varied: name some of {', '.join(VARIED)}")
    known_names("the search for optics", vary, VARIED)
    for name, interval in vary.items():
        given = getattr(optics, name)
        if not _is_interval(interval):
            raise OpticsError(
                f"{name}: an interval is a smaller and a larger number, found "
                f"{interval!r}"
            )
        if given is None or not interval[0] <= given <= interval[1]:
            raise OpticsError(
                f"{name}: the given value, {given}, does not lie between "
                f"{interval[0]:g} and {interval[1]:g}"
            )
        for end in interval:
            with_value(optics, name, end)


def _is_interval(interval: Any) -> bool:
    numbers = isinstance(interval, list | tuple) and all(
        isinstance(end, Real) and not isinstance(end, bool) for end in interval
    )
    return numbers and len(interval) == 2 and interval[0] < interval[1]


def _one_channel(stack: Stack, channel: int | None) -> Stack:
    if channel is None and stack.channels > 1:
        raise AxesError(
            f"{stack.name} has {stack.channels} channels: choose one with channel"
        )
    return stack if channel is None else stack.only_channel(channel)


def _known(voxels: VoxelSize, stacks: Sequence[Stack]) -> tuple[float, float, float]:
    """Return a voxel size without gaps; a plane without thickness is in focus."""
    sized = known(voxels, 2 if stacks[0].size("Z") == 1 else 3)
    if sized is None:
        raise OpticsError(
            f"{stacks[0].name}: the PSF cannot be computed without the voxel size: "
            f"give it (--voxel, voxel_size=)"
        )
    return sized


def _comparison(
    stacks: Sequence[Stack], optics: Optics, model: str
) -> tuple[MostLikely, tuple[float, float, float]]:
    """Return what compares optics on the photons of images, and their voxel size."""
    voxels = _known(common_voxel_size(stacks), stacks)
    site = _site(stacks, voxels)
    regions = [r[middle_of(r.shape, REGION)] for r in regions_of(site, FIELDS)]
    shape = psf_shape_for(optics, regions[0].shape, voxels, depths=0.5)
    dims = site.recipe.dims
    blur_of = partial(_blur, shape=shape, voxels=voxels, dims=dims, model=model)
    raised, noise = _to_background(regions, site.calibration.noise, blur_of(optics))
    return MostLikely(raised, noise, optics, blur_of), voxels


def _site(stacks: Sequence[Stack], voxels: tuple[float, float, float]) -> Site:
    planar = [stack.size("Z") == 1 for stack in stacks]
    if any(planar) and not all(planar):
        raise DataError("some of the images are single planes, and others are not")
    recipe = preset("self-supervised").updated({"dims": 2 if planar[0] else 3})
    return Site(recipe, stacks, [], voxels, calibrate(recipe, stacks, []))


def _blur(
    optics: Optics,
    shape: Sequence[int],
    voxels: Sequence[float],
    dims: int,
    model: str,
) -> BlurKernel:
    size = shape if dims == 3 else (1, *shape[-2:])
    kernel = theoretical_psf(optics, size, voxels, model).data
    return BlurKernel(FixedKernel(kernel), dims=dims)


def _to_background(
    regions: Sequence[NDArray[np.float32]], noise: NoiseModel, blur: BlurKernel
) -> tuple[list[NDArray[np.float32]], NoiseModel]:
    """Return regions above the background that the given optics suggest."""
    shift = best_background(regions[0], blur, noise)
    return [region + np.float32(shift) for region in regions], noise.shifted(shift)
