"""The data sets of a training, checked against its recipe."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.colour import without_alpha
from napari_blurgan.data.exposure import exposure_notes
from napari_blurgan.data.sections import sections
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError, RecipeError
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.methods.parts import PAIRS
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.preparation.notes import Note
from napari_blurgan.sampling.held_out import set_aside
from napari_blurgan.sampling.shared_images import check_no_shared_images

__all__ = ["Domains", "check_domains", "check_fit", "common_voxel_size", "for_planes"]

FLOAT = 4
"""Bytes of a value."""
SAME_SIZE = 0.02
"""Relative difference between voxels that count as equal."""
MOST_NAMED = 3
"""Number of images for which saturated and clipped voxels are reported in detail."""


@dataclass(frozen=True)
class Domains:
    """The images for training.

    Parameters
    ----------
    y, x : list of Stack
        Measured and sharp; sections of them where the recipe asks for some.
    aside : list of Stack
        Images of y that are not trained on, to look at their content.
    voxel_size : tuple of float
        (z, y, x) of y in micrometres, None where unknown.
    notes : list of Note
        What people should know of them.
    """

    y: list[Stack]
    x: list[Stack]
    aside: list[Stack]
    voxel_size: VoxelSize
    notes: list[Note]

    @property
    def colour(self) -> bool:
        """Whether x is RGB."""
        return any(stack.size("S") == 3 for stack in self.x[:1])


def check_domains(recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]) -> Domains:
    """Return the images as they are used for training.

    Raises
    ------
    DataError, AxesError, RecipeError
        If they do not fit the recipe.
    """
    # imports torch; the window uses only `check_fit` before it starts
    from napari_blurgan.sampling.patches import check_disjoint

    views, cubic = recipe.sampling.views, recipe.sampling.cubic
    if recipe.source.apart and views == ("xy",):
        check_disjoint(y, x)
        check_no_shared_images(y, x)
    opaque = [s.name for s in (*y, *x) if s.size("S") == 4]
    y, x = [without_alpha(s) for s in y], [without_alpha(s) for s in x]
    check_fit(recipe, y, x)
    # Otherwise, sections along z would share their held-out part along z.
    keep_whole = () if views == ("xy",) else (sys.maxsize,)
    y, aside = set_aside(y, recipe.sampling.held_out, (*keep_whole, *recipe.patch))
    return Domains(
        sections(y, views, cubic),
        list(x),
        sections(aside, views, cubic),
        common_voxel_size(y),
        [Note.alpha_channel(name) for name in opaque[:1]]
        + _on_views(views)
        + (_other_voxels(y, x) if recipe.forward.one_channel else [])
        + _cut_off([*y, *x]),
    )


def for_planes(recipe: Recipe, y: Sequence[Stack]) -> Recipe:
    """Return the recipe in 2D if all measured images are planes, else unchanged.

    Python, the command line and napari use the same rule: planes have no third
    dimension.
    """
    planes = bool(y) and all("Z" not in stack.axes for stack in y)
    return recipe.updated({"dims": 2}) if planes and recipe.dims == 3 else recipe


def _on_views(views: Sequence[str]) -> list[Note]:
    return [] if tuple(views) == ("xy",) else [Note.sections()]


def _cut_off(stacks: Sequence[Stack]) -> list[Note]:
    """Return a note on each image that was saturated or clipped."""
    found = [f"{s.name}: {note}" for s in stacks for note in exposure_notes(s)]
    return [Note.cut_off("; ".join(found[:MOST_NAMED]))] if found else []


def _other_voxels(y: Sequence[Stack], x: Sequence[Stack]) -> list[Note]:
    """Return a note if sharp images have other voxels than the blurred ones."""
    ours = y[0].voxel_size
    theirs = next((s.voxel_size for s in x if _differ(ours, s.voxel_size)), None)
    if theirs is None:
        return []
    sizes = (
        " × ".join("?" if n is None else f"{n:.4g}" for n in v) for v in (ours, theirs)
    )
    return [Note.other_voxels(*sizes)]


def _differ(one: VoxelSize, other: VoxelSize) -> bool:
    """Return whether known sizes differ by more than 2 %."""
    pairs = zip(one, other, strict=True)
    return any(a and b and abs(a / b - 1) > SAME_SIZE for a, b in pairs)


def common_voxel_size(
    stacks: Sequence[Stack],
) -> tuple[float | None, float | None, float | None]:
    """Return the voxel size of all stacks.

    Raises
    ------
    DataError
        If they differ by more than 2 %.
    """
    first = stacks[0].voxel_size
    for stack in stacks[1:]:
        if _differ(first, stack.voxel_size):
            raise DataError(
                f"{stacks[0].name} has voxels of {first} µm and {stack.name} of "
                f"{stack.voxel_size} µm: resample them, or train one model for each"
            )
    return first


def check_fit(recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]) -> None:
    """Check sizes, axes and channels of the images, without reading pixels.

    Raises
    ------
    DataError, AxesError, RecipeError
        If they do not fit the recipe.
    """
    _check_batch(recipe, y)
    domains = list(zip((y, x), recipe.forward.domains, strict=True))
    for number, (stacks, domain) in enumerate(domains):
        if not stacks and number < recipe.source.domains:
            raise DataError(f"there are no {domain}: give at least one")
        for stack in stacks:
            _check_size(recipe, stack)
            if len(stack.spatial_axes) < recipe.dims:
                raise AxesError(
                    f"{stack.name} is a plane (axes {stack.axes}), but the recipe "
                    f"{recipe.name!r} trains on volumes: set dims to 2"
                )
            if stack.channels != stacks[0].channels:
                raise AxesError(
                    f"{stack.name} has {stack.channels} channels, {stacks[0].name} "
                    f"has {stacks[0].channels}: choose one channel of each"
                )
    if x and recipe.source.most_domains < 2:
        raise DataError(
            f"the recipe {recipe.name!r} learns from the measured images alone: leave "
            f"the {len(x)} {recipe.forward.domains[1]} out"
        )
    channels = [stacks[0].channels for stacks in (y, x) if stacks]
    if recipe.values == "complex" and set(channels) != {2}:
        raise AxesError(
            f"the recipe {recipe.name!r} takes complex images, real and imaginary part "
            f"in two channels; found {' and '.join(map(str, channels))}"
        )
    if recipe.sampling.whole and recipe.sampling.batch > 1:
        _check_alike(y, x)
    if recipe.forward.one_channel and set(channels) != {1}:
        found = " and ".join(
            f"{n} in the {domain}"
            for n, (_, domain) in zip(channels, domains, strict=False)
        )
        raise AxesError(
            f"a blur acts on one channel; found {found}: choose one of them"
        )
    identities = {"identity", "identity_y"} & set(recipe.active_terms)
    if identities and y[0].channels != x[0].channels:
        raise RecipeError(
            f"terms.identity compares x with G(x): it needs domains of as many "
            f"channels, found {y[0].channels} and {x[0].channels}; set it to 0"
        )
    if recipe.reconstructor.adds_to_input and len(set(channels)) > 1:
        raise RecipeError(
            f"reconstructor.residual adds to the input: it needs domains of as many "
            f"channels, found {channels[0]} and {channels[1]}; set it to false"
        )
    if PAIRS in recipe.offers and x:
        _check_pairs(y, x)


def _check_batch(recipe: Recipe, y: Sequence[Stack]) -> None:
    """Refuse a batch of which not even the first layer of G fits into memory."""
    settings, channels = recipe.sampling, y[0].channels if y else 1
    layers = 2 * channels + recipe.reconstructor.base
    batch = FLOAT * settings.batch * math.prod(recipe.patch) * layers
    patch = "×".join(map(str, recipe.patch))
    refuse_beyond_memory(batch, f"a batch of {settings.batch} patches of {patch}")


def _check_alike(*domains: Sequence[Stack]) -> None:
    """Refuse to put images of different sizes into one batch."""
    for stacks in domains:
        sizes = sorted({stack.spatial_shape[-2:] for stack in stacks})
        if len(sizes) > 1:
            raise DataError(
                f"whole images of {sizes[0]} and {sizes[-1]} pixels do not fit in one "
                f"batch: set sampling.batch to 1"
            )


def _check_size(recipe: Recipe, stack: Stack) -> None:
    # Few planes are extended by reflection (as by Lim et al.); a small field is not.
    plane = stack.spatial_shape[-2:]
    if any(n < p for n, p in zip(plane, recipe.patch[-2:], strict=True)):
        raise DataError(
            f"{stack.name} is {plane} pixels in plane, smaller than a patch of "
            f"{recipe.patch[-2:]}: lower sampling.patch or leave the image out"
        )


def _check_pairs(y: Sequence[Stack], x: Sequence[Stack]) -> None:
    shapes = [s.spatial_shape for s in y], [s.spatial_shape for s in x]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"pairs need the same number and sizes of images; found {shapes[0]} "
            f"and {shapes[1]}"
        )
