"""From a recipe and two data sets to networks and samplers that are ready to train."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from napari_blurgan.classical.psf_fit import usable
from napari_blurgan.data.augment import Augmentation
from napari_blurgan.data.colour import without_alpha
from napari_blurgan.data.held_out import set_aside
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.patches import PatchSampler, check_disjoint
from napari_blurgan.data.sections import sections
from napari_blurgan.data.stack import Stack
from napari_blurgan.data.twins import check_no_twins
from napari_blurgan.errors import AxesError, DataError, RecipeError
from napari_blurgan.networks.patchgan import MultiScaleDiscriminator
from napari_blurgan.optics.forward import BlurKernel, ForwardModel, NeuralForward
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf
from napari_blurgan.transport.adversary import GAMES
from napari_blurgan.transport.assembly import Geometry, Transport
from napari_blurgan.transport.blur import (
    Start,
    check_size,
    known,
    make_blur,
    share_of_light,
    support,
)
from napari_blurgan.transport.calibration import Calibration, NoiseModel
from napari_blurgan.transport.constraint import check_thresholds, thresholds_of
from napari_blurgan.transport.fields import BLOCK, Fields, Measured, Simulated
from napari_blurgan.transport.generator import Generator, make_network
from napari_blurgan.transport.guide import Guide
from napari_blurgan.transport.identification import (
    LOSS_PATCH,
    identified,
    spectrum_of,
)
from napari_blurgan.transport.notes import Note
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.survey import calibrate
from napari_blurgan.transport.symmetry import Symmetry, symmetry_of

__all__ = ["Prepared", "prepare"]

UNIT = Normalization(0.0, 1.0)

ENOUGH = 0.5
"""Share of a PSF's light; a kernel that holds less is said to."""

HELD = {"forward.learned": False, "weights.spectral": 0.0, "weights.kernel_l1": 0.0}
"""Of a recipe whose kernel the images cannot tell."""


@dataclass
class Prepared:
    """Everything that a training loop turns over.

    Parameters
    ----------
    recipe : Recipe
        What is trained: where the blur has to be held, not what was asked for.
    transport : Transport
        The networks.
    y, x : PatchSampler
        Of the measured and of the sharp domain, in normalised intensities.
    calibration : Calibration
        Levels, gain and noise.
    geometry : Geometry
        Sizes of the patches.
    voxel_size : tuple of float
        (z, y, x) in micrometres, None where unknown.
    channels : tuple of int
        Of y and of x.
    fields : tuple of Fields
        The blocks of y and of x with their estimates, where the generator refines any.
    notes : list of Note
        What people should know before training.
    aside : list of Stack
        Images of y that are not trained on, to look at their content.
    colour : bool
        Whether x is RGB.
    """

    recipe: Recipe
    transport: Transport
    y: PatchSampler
    x: PatchSampler
    calibration: Calibration
    geometry: Geometry
    voxel_size: tuple[float | None, float | None, float | None]
    channels: tuple[int, int]
    fields: tuple[Fields, ...]
    notes: list[Note]
    aside: list[Stack]
    colour: bool


def prepare(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    psf: Psf | None = None,
    optics: Optics | None = None,
    calibration: Calibration | None = None,
) -> Prepared:
    """Check the data against the recipe, measure them, and build the networks.

    Parameters
    ----------
    recipe : Recipe
        What is to be trained.
    y, x : sequence of Stack
        The measured and the sharp images.
    psf : Psf, optional
        The blur, or where to start learning it.
    optics : Optics, optional
        To compute the blur from where there is no PSF.
    calibration : Calibration, optional
        Measured before, when a training is resumed.

    Raises
    ------
    DataError, AxesError, RecipeError, OpticsError
        If the data do not fit the recipe.
    """
    views = recipe.sampling.views
    if not recipe.sampling.paired and views == ("xy",):
        check_disjoint(y, x)
        check_no_twins(y, x)
    opaque = [s.name for s in (*y, *x) if s.size("S") == 4]
    y, x = [without_alpha(s) for s in y], [without_alpha(s) for s in x]
    _check_domains(recipe, y, x)
    # Sections along z would otherwise share what is set aside along it.
    keep_whole = () if views == ("xy",) else (sys.maxsize,)
    y, aside = set_aside(y, recipe.sampling.held_out, (*keep_whole, *recipe.patch))
    voxel_size = common_voxel_size(y)
    y, aside = sections(y, views), sections(aside, views)
    calibration = calibration or calibrate(recipe, y, x)
    start, notes = _known_blur(recipe, y, x, psf, optics)
    recipe = recipe.updated(HELD) if start.held else recipe
    notes += [Note.alpha_channel(name) for name in opaque[:1]]
    notes += check_thresholds(recipe, y, x)
    forward = _forward_model(recipe, y, x, start, calibration)
    geometry = _geometry(recipe, forward)
    channels = (y[0].channels, x[0].channels)
    transport = _transport(recipe, geometry, channels, forward, calibration)
    if recipe.weights.spectral:
        transport.spectrum = spectrum_of(y, x, start, recipe.dims)
    fields: tuple[Fields, ...] = ()
    if recipe.generator.guide:
        fields = _fields(recipe, y, x, calibration)
        y, x = (part.stacks for part in fields)
    levels = (UNIT, UNIT) if fields else (calibration.y, calibration.x)
    symmetry = symmetry_of(forward, views)
    samplers = _samplers(recipe, (y, x), levels, geometry, symmetry)
    return Prepared(
        recipe,
        transport,
        *samplers,
        calibration,
        geometry,
        voxel_size,
        channels,
        fields,
        notes,
        aside,
        x[0].size("S") == 3,
    )


def _fields(
    recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack], calibration: Calibration
) -> tuple[Fields, Fields]:
    noise = calibration.noise if recipe.forward.noise else NoiseModel(0.0, 0.0)
    guide = Guide(recipe.generator.guide, calibration.noise.pedestal)
    simulated = Simulated(guide, noise, recipe.forward.widen)
    return (
        Fields(y, calibration.y, recipe.dims, Measured(guide)),
        Fields(x, calibration.x, recipe.dims, simulated),
    )


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
        pairs = zip(first, stack.voxel_size, strict=True)
        if any(a and b and abs(a / b - 1) > 0.02 for a, b in pairs):
            raise DataError(
                f"{stacks[0].name} has voxels of {first} µm and {stack.name} of "
                f"{stack.voxel_size} µm: resample them, or train one model for each"
            )
    return first


def _check_domains(recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]) -> None:
    two = recipe.forward.kind == "network"
    names = ("images of domain A", "images of domain B")
    for stacks, domain in zip(
        (y, x), names if two else ("blurred images", "sharp images"), strict=True
    ):
        if not stacks:
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
    if recipe.forward.kind == "kernel" and y[0].channels + x[0].channels != 2:
        raise AxesError(
            f"a blur acts on one channel; found {y[0].channels} in the blurred and "
            f"{x[0].channels} in the sharp images: choose one of them"
        )
    identities = recipe.weights.identity, recipe.weights.identity_y
    if any(identities) and y[0].channels != x[0].channels:
        raise RecipeError(
            f"weights.identity compares x with G(x): it needs domains of as many "
            f"channels, found {y[0].channels} and {x[0].channels}; set it to 0"
        )
    if recipe.sampling.paired:
        _check_pairs(y, x)


def _check_size(recipe: Recipe, stack: Stack) -> None:
    # A few planes are continued by reflection (as Lim et al. do); a field is not.
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


def _forward_model(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    start: Start,
    calibration: Calibration,
) -> ForwardModel | None:
    kind = recipe.forward.kind
    if kind == "none":
        return None
    if kind == "kernel":
        return make_blur(recipe, start, calibration.gain)
    pool = Geometry(recipe.patch, (0,) * recipe.dims).pool
    channels = (x[0].channels, y[0].channels)
    network = make_network(recipe.generator, recipe.dims, *channels, pool)
    return NeuralForward(network, recipe.dims)


def _known_blur(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    psf: Psf | None,
    optics: Optics | None,
) -> tuple[Start, list[Note]]:
    """Return what is known of the blur, or can be identified, and notes on it."""
    size = known(common_voxel_size(y), recipe.dims)
    largest = _largest_kernel(recipe, [*y, *x])
    check_size(recipe, largest)
    psf, found = (None, ()) if psf is None else usable(psf)
    start = Start(psf, optics, size or (1.0, 1.0, 1.0), largest)
    notes = [] if size else [Note.no_voxel_size(y[0].name)]
    notes += map(Note.psf_mended, found)
    spectral = recipe.forward.start in ("auto", "spectral")
    if recipe.forward.kind == "kernel" and recipe.forward.learned and spectral:
        start, more = identified(start, y, x, recipe.dims, recipe.forward.size)
        notes += more
    if recipe.forward.kind != "kernel":
        return start, []
    return start, notes + _truncation(recipe, start)


def _truncation(recipe: Recipe, start: Start) -> list[Note]:
    """Say if the kernel is much smaller than the PSF, and nobody asked for that."""
    if recipe.forward.size is not None:
        return []
    shape = support(recipe, start)
    share = share_of_light(start, shape)
    return [] if share is None or share > ENOUGH else [Note.truncated(shape, share)]


def _largest_kernel(recipe: Recipe, stacks: Sequence[Stack]) -> tuple[int, ...]:
    """A kernel must fit the blocks of the images, and those of the spectral term."""
    shapes = [stack.spatial_shape[-recipe.dims :] for stack in stacks]
    shapes.append(BLOCK[-recipe.dims :])
    if recipe.weights.spectral:
        shapes.append(LOSS_PATCH[-recipe.dims :])
    return tuple(map(min, zip(*shapes, strict=True)))


def _geometry(recipe: Recipe, forward: ForwardModel | None) -> Geometry:
    margin = forward.margin if forward is not None else (0,) * recipe.dims
    return Geometry(recipe.patch, margin)


def _transport(
    recipe: Recipe,
    geometry: Geometry,
    channels: tuple[int, int],
    forward: ForwardModel | None,
    calibration: Calibration,
) -> Transport:
    refines = recipe.generator.guide > 0
    network = make_network(
        recipe.generator,
        recipe.dims,
        channels[0] + refines,
        channels[1],
        geometry.pool,
    )
    noisy = recipe.forward.noise and isinstance(forward, BlurKernel)
    weights = recipe.weights
    return Transport(
        Generator(network, refines),
        forward,
        _potential(recipe, geometry, channels[1]) if weights.adversarial_x else None,
        _potential(recipe, geometry, channels[0]) if weights.adversarial_y else None,
        GAMES[recipe.adversary.loss],
        calibration.noise if noisy else None,
        thresholds_of(recipe, calibration),
    )


def _potential(
    recipe: Recipe, geometry: Geometry, channels: int
) -> MultiScaleDiscriminator:
    settings = recipe.adversary
    return MultiScaleDiscriminator(
        recipe.dims,
        channels,
        settings.base,
        scales=settings.scales,
        layers=settings.layers,
        plain_layers=settings.plain_layers,
        head_kernel=settings.head_kernel,
        norm=settings.norm,
        pool=geometry.pool,
        quantiles=settings.quantiles,
    )


def _samplers(
    recipe: Recipe,
    domains: tuple[Sequence[Stack], Sequence[Stack]],
    levels: tuple[Normalization, Normalization],
    geometry: Geometry,
    symmetry: Symmetry,
) -> tuple[PatchSampler, PatchSampler]:
    s = recipe.sampling
    refines = recipe.generator.guide > 0
    # Where x is blurred patch by patch it must reach further than the patch, and
    # where G(y) is blurred amid its estimate, so must y.
    blurs_x = not refines or recipe.weights.adversarial_y > 0
    shapes = (
        geometry.wide if refines else geometry.patch,
        geometry.wide if blurs_x else geometry.patch,
    )
    augment = Augmentation(
        mirrors=symmetry.mirrors if s.flips else "",
        quarter_turns=s.quarter_turns and symmetry.quarter_turns,
        rotation=s.rotation,
        scale=s.scale,
        translation=s.translation,
        intensity=s.intensity,
    )
    dice_y, dice_x = np.random.default_rng(recipe.seed).spawn(2)
    make = partial(
        PatchSampler, foreground=s.foreground, reflect=True, augmentation=augment
    )
    return (
        make(domains[0], shapes[0], normalization=levels[0], rng=dice_y),
        make(domains[1], shapes[1], normalization=levels[1], rng=dice_x),
    )
