"""The initial blind kernel, and the spectral term that constrains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.estimates.blocks import blocks_of
from napari_blurgan.forward.start import Start
from napari_blurgan.identification.identify import SpectralFit, identify_psf
from napari_blurgan.identification.spectral import SpectralLoss
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.notes import Note

__all__ = ["LOSS_PATCH", "identified", "spectrum_of"]

Images = list[NDArray[np.float32]]

IMAGES = 6
"""Blocks of each domain whose spectra are averaged."""

NARROWER = 0.09
"""Share by which a blur is rarely narrower than its optics by chance: microtubules are
within 0.03 of it, drawn 1.5 times as thick 0.11 and more. (A scalar model that
simulates a blur at the largest apertures makes it 0.09 narrower than it is.)"""

LOSS_PATCH = (64, 128, 128)
"""Largest patch of the spectral term; smaller ones give kernels that are too narrow."""


def identified(
    start: Start,
    y: Sequence[Stack],
    x: Sequence[Stack],
    dims: int,
    size: tuple[int, ...] | None = None,
) -> tuple[Start, list[Note]]:
    """Return a start identified from the power spectra of the two domains.

    Parameters
    ----------
    start : Start
        What is known already; its optics bound the search.
    y, x : sequence of Stack
        The measured and the sharp images.
    dims : int
        3 or 2.
    size : tuple of int, optional
        Of the kernel, where it is given, as of simulations: the blur may end there.

    Returns
    -------
    start : Start
        With the identified PSF and effective optics; or as it was, to be held, where
        the two sets do not match and something is known of the blur.
    notes : list of Note
        What people should know of it.
    """
    if start.optics is not None and start.optics.modality != "widefield":
        return replace(start, held=True), [Note.not_widefield(start.optics.modality)]
    images = _images(y, dims), _images(x, dims)
    shape = size and (1,) * (3 - dims) + size
    guessable = start.optics is None and start.psf is None
    try:
        fit, notes = _best_fit(start, images, shape)
    except DataError as error:
        if guessable:
            raise
        return replace(start, held=True), [Note.unidentified(str(error))]
    if not fit.matched and not guessable:
        return replace(start, held=True), [*notes, Note.held()]
    notes = notes or _narrowness(start, fit.psf)
    effective = Optics(fit.na, fit.ni, fit.wavelength)
    return replace(start, psf=fit.psf, optics=effective, model=fit.model), notes


def _best_fit(
    start: Start, images: tuple[Images, Images], shape: tuple[int, ...] | None
) -> tuple[SpectralFit, list[Note]]:
    """Fit near the known optics, or without limits if there are none."""
    optics, identify = start.optics, partial(identify_psf, *images, start.voxel_size)
    fit = identify(shape=shape, **(_bounds(optics) if optics else {}))
    if fit.matched:
        return fit, []
    if optics is not None:
        other = identify(shape=shape, ni=optics.ni)
        if other.matched:
            return other, [Note.other_optics(other.na, other.wavelength)]
    return fit, [Note.mismatch(fit.message, fit.residual)]


def _narrowness(start: Start, found: Psf) -> list[Note]:
    """Return a note if the sets suggest a sharper microscope than the known optics."""
    known = start.psf
    if known is None and start.optics is not None:
        known = theoretical_psf(start.optics, found.shape, start.voxel_size)
    if known is None:
        return []
    share = 1 - sum(found.fwhm()[1:]) / sum(known.fwhm()[1:])
    return [Note.sharper_than_optics(share)] if share > NARROWER else []


def _bounds(optics: Optics) -> dict[str, Any]:
    return {"na": optics.na, "ni": optics.ni, "wavelength": optics.wavelength}


def spectrum_of(
    y: Sequence[Stack],
    x: Sequence[Stack],
    voxel_size: tuple[float, float, float],
    dims: int,
) -> SpectralLoss:
    """Return the spectral term of the loss for these two domains."""
    blurred, sharp = _images(y, dims), _images(x, dims)
    return SpectralLoss(blurred, sharp, voxel_size, LOSS_PATCH)


def _images(stacks: Sequence[Stack], dims: int) -> Images:
    blocks = blocks_of(stacks, dims, IMAGES)
    return [block[0].astype(np.float32) for *_, block in blocks]
