"""Complex slices for the claims about k-space, and how reconstructions are scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan import Stack
from napari_blurgan.data.complex_numbers import as_complex, in_parts
from napari_blurgan.data.kspace import draw_lines, keep_measured, measured_lines
from napari_blurgan.measure.fidelity import psnr, ssim
from napari_blurgan.optics.phantoms import heads

Slices = NDArray[np.complex64]

SIDE = 64
TRAINING, TESTING = 600, 32
"""Numbers of slices of each domain, and to be judged by."""


@dataclass(frozen=True)
class Study:
    """Slices, (n, y, x).

    Parameters
    ----------
    measured, partner : ndarray
        Undersampled, and what they were before.
    sharp : ndarray
        Fully sampled ones of other heads.
    unseen, truth : ndarray
        To be judged by.
    """

    measured: Slices
    partner: Slices
    sharp: Slices
    unseen: Slices
    truth: Slices


def study(seed: int, fixed: bool, training: int = TRAINING) -> Study:
    """Draw heads, none of them twice, and leave three of four lines out.

    Parameters
    ----------
    seed : int
        Of heads and masks.
    fixed : bool
        Whether all slices have the same mask.
    training : int
        Number of slices in each domain.
    """
    count = 2 * training + TESTING
    drawn = heads((SIDE, SIDE), count, seed=seed)
    partner, sharp, truth = np.split(drawn, [training, 2 * training])
    other = seed if fixed else seed + 1000
    return Study(
        undersampled(partner, seed, fixed),
        partner,
        sharp,
        undersampled(truth, other, fixed),
        truth,
    )


def undersampled(slices: Slices, seed: int, fixed: bool = False) -> Slices:
    """Zero lines of k-space across y, the same or others in every slice."""
    generator = torch.Generator().manual_seed(seed)
    count = slices.shape[-2]
    masks = [
        draw_lines(count, 4.0, 0.04, generator).numpy()
        for _ in range(1 if fixed else len(slices))
    ]
    spectra = np.fft.fft(slices, axis=-2) * np.stack(masks)[:, :, None]
    return np.fft.ifft(spectra, axis=-2).astype(np.complex64)


def coils(folder: Path, like: Slices, seed: int) -> tuple[Slices, Slices]:
    """Return the coils of a real scan, (coil, y, x), undersampled and complete.

    Parameters
    ----------
    folder : Path
        Where brain_8coil_kspace.npy is; the middle 64 x 64 values of it are used.
    like : ndarray
        Undersampled slices, whose scale they get.
    seed : int
        Of the mask, which is that of all slices of a study with this seed.
    """
    kspace = np.load(folder / "brain_8coil_kspace.npy")
    middle = tuple(slice((n - SIDE) // 2, (n + SIDE) // 2) for n in kspace.shape[-2:])
    spectra = np.fft.ifftshift(kspace[(slice(None), *middle)], axes=(-2, -1))
    images = np.fft.fftshift(np.fft.ifft2(spectra), axes=(-2, -1))
    measured = undersampled(images.astype(np.complex64), seed, fixed=True)
    scale = np.float32(np.abs(like).std((-2, -1)).mean() / np.abs(measured).std())
    return measured * scale, images.astype(np.complex64) * scale


def combined(images: Slices) -> Slices:
    """Return the root of the sum of squares of coils, (1, y, x)."""
    squares = np.square(np.abs(images)).sum(0, keepdims=True)
    return np.sqrt(squares).astype(np.complex64)


def stack(slices: Slices, name: str) -> Stack:
    """Return slices as an image with two channels."""
    return in_parts(Stack(slices, "ZYX", name=name))


def numbers(result: Any) -> Slices:
    """Return the slices of a restored image."""
    return as_complex(np.asarray(result.data), 0)


def kept(made: Slices, measured: Slices) -> Slices:
    """Return reconstructions with the lines that were measured."""
    y, x = (torch.from_numpy(np.stack([a.real, a.imag], 1)) for a in (measured, made))
    return as_complex(keep_measured(y, x).numpy(), 1)


def share(measured: Slices) -> float:
    """Return the share of lines that were measured."""
    parts = torch.from_numpy(np.stack([measured.real, measured.imag], 1))
    return float(measured_lines(parts).float().mean())


def scores(made: Slices, truth: Slices) -> dict[str, float]:
    """Return the mean PSNR in decibels and SSIM of magnitudes, slice by slice.

    The peak is the largest magnitude of each true slice. `printed` is the PSNR of Sim
    et al. (2020), 20 log10(n max|x| / |x' - x|) with n the number of pixels where
    others have its root: higher by 10 log10(n) whatever the image.
    """
    pairs = [(np.abs(a), np.abs(b)) for a, b in zip(made, truth, strict=True)]
    decibels = [psnr(a, b, float(b.max())) for a, b in pairs]
    alike = [ssim(a, b, float(b.max())) for a, b in pairs]
    extra = 10 * np.log10(truth[0].size)
    return {
        "psnr": float(np.mean(decibels)),
        "ssim": float(np.mean(alike)),
        "printed": float(np.mean(decibels) + extra),
    }
