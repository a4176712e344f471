"""The blur between two unpaired sets of images, estimated from their power spectra.

If y = h ∗ x + noise, and the blurred and the sharp set show the same kind of structure,
then S_y = gain² |H|² S_x + S_n for their average power spectra: no pairs are needed.
This determines the modulus of the transfer function and nothing else: the phase must
come from a symmetric or physical parametrisation of the kernel.

What is determined is the blur *between the two sets*: a sharp set that is itself
slightly blurred, or that shows thicker structures, gives a narrower kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_blurgan.errors import WeakSignalError
from napari_blurgan.identification.spectra import (
    LARGEST,
    Rings,
    checked_volumes,
    common_patch,
    cut,
    hann,
    power,
)
from napari_blurgan.optics.fourier import transfer_function

__all__ = ["SpectralLoss"]

ABOVE_NOISE = 1.3  # bins with this multiple of the noise power are used
CHANCE = 8.0  # number of standard errors, for frequencies that the window correlates
FEWEST_BINS = 12
PATCHES = 24  # per image
CALIBRATION_PATCHES = 12
FLOOR_IS_KNOWN = 1e-3  # keeps the noise power at its estimate if no bin shows it
# Minimum of |H|²: lower values are rounding errors and side lobes of the window.
DYNAMIC_RANGE = 1e-6


class SpectralLoss(nn.Module):
    """Misfit of a kernel that relates the spectra of two sets.

    ``loss(kernel)`` is the mean squared logarithm of measured over predicted power,
    differentiable in the kernel, (z, y, x). A gain between the sets is fitted at every
    call, so that neither their units nor the flux in the far wings of the PSF matter;
    a constant background in either set has no effect.

    Parameters
    ----------
    blurred, sharp : sequence of ndarray
        (z, y, x) each, or (y, x); unpaired.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    largest : sequence of int
        Patches are as large as the images allow, up to this (z, y, x): smaller ones
        cost less time at every call and resolve less of the transfer function.
    refresh : int
        Calls after which the bias of the window is measured anew, see `calibrate`.
    part : float
        Patches are at most this share of the plane: less than one, and half
        overlapping patches use more of small images than a single window does.
    uncertainty : tuple of float
        How far two sets of one kind may differ in the logarithm of their power, and
        how far a model of the blur may be off, as a share of the logarithm of |H|².
        By default neither counts, and a bin weighs what it holds of frequencies;
        otherwise `calibrate` weighs bins anew, and the weights are no part of the
        state.

    Attributes
    ----------
    cut_off : float
        The largest frequency in the plane with signal, in cycles per micrometre.
    expected : float
        What `misfit` comes to by chance, from the differences within each set.

    Raises
    ------
    DataError
        If the images cannot be used, or the blurred ones show next to nothing above
        their noise.

    Notes
    -----
    The noise is taken to be white, as photon and read noise are: its power is the
    level to which that of the blurred images falls, refined with the gain.
    """

    window: Tensor
    measured: Tensor
    noise: Tensor
    sharp_power: Tensor
    sharp_spectra: Tensor
    sharp_patches_power: Tensor
    weight: Tensor
    usable: Tensor
    trusted: Tensor
    correction: Tensor
    calls: Tensor

    def __init__(
        self,
        blurred: Sequence[NDArray[np.generic]],
        sharp: Sequence[NDArray[np.generic]],
        voxel_size: Sequence[float],
        largest: Sequence[int] = LARGEST,
        refresh: int = 100,
        part: float = 1.0,
        uncertainty: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__()
        ys, xs = checked_volumes(blurred, "blurred"), checked_volumes(sharp, "sharp")
        self.patch = common_patch([*ys, *xs], largest, part)
        self.refresh = refresh
        self.uncertainty = uncertainty
        self.rings = Rings(self.patch, voxel_size)
        self._keep("window", hann(self.patch))
        self._measure(ys, xs)
        # These two belong to the state of a training; the rest is computed from the
        # data.
        self.register_buffer("correction", torch.ones(self.rings.size))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, kernel: Tensor) -> Tensor:
        """Return the loss of `kernel`, (z, y, x) and not larger than the patch."""
        if self.refresh and int(self.calls) % self.refresh == 0:
            self.calibrate(kernel)
        self.calls += 1
        return (self.weight * self.residuals(kernel).square()).sum()

    def misfit(self, kernel: Tensor) -> float:
        """Return the mean squared log ratio over the bins with signal."""
        with torch.no_grad():
            return float(self.residuals(kernel)[self.trusted].square().mean())

    def residuals(self, kernel: Tensor) -> Tensor:
        """Return the logarithm of measured over predicted power in each bin."""
        predicted = self._predict(kernel)
        gain, level = self._levels(predicted.detach())
        # Bins without weight may hold anything, also zeros.
        inside = self.weight > 0
        ratio = self.measured / (gain * predicted + level * self.noise)
        return torch.where(inside, ratio, 1).log()

    def gain(self, kernel: Tensor) -> float:
        """Return the gain, blurred over sharp, for this kernel of sum one."""
        with torch.no_grad():
            power_gain, _ = self._levels(self._predict(kernel))
        return float(np.sqrt(float(power_gain) * self.scale))

    @torch.no_grad()
    def calibrate(self, kernel: Tensor) -> None:
        """Measure the bias of the window for kernels like this one.

        |H|² times the spectrum of windowed patches is not the spectrum of patches that
        are blurred first and windowed afterwards, if H varies within the resolution of
        the window. Their ratio for some patches is used as a correction.
        """
        otf = transfer_function(kernel.float(), self.patch)
        size = self.patch
        blurred = (
            torch.fft.irfftn(spectrum * otf, s=size) for spectrum in self.sharp_spectra
        )
        exact = self.rings.mean(power(blurred, self.window))
        product = _squared(otf) * self.sharp_patches_power
        self.correction = exact / self.rings.mean(product).clamp(min=1e-30)
        if any(self.uncertainty):
            self._weigh(self._predict(kernel), self.rings.mean(_squared(otf)))

    def _weigh(self, predicted: Tensor, passed: Tensor) -> None:
        """Weight each bin by the variance of its logarithm: of counting, sets, model.

        Based on the prediction: bins that came out high by chance must not have less
        weight.
        """
        gain, level = self._levels(predicted)
        share = gain * predicted / (gain * predicted + level * self.noise)
        between, model = self.uncertainty
        fall = passed.clamp(min=DYNAMIC_RANGE).log()
        spread = share.square() * (between**2 + (model * fall) ** 2)
        count = self.rings.count.clamp(min=1).to(spread.device)
        weight = self.usable / (1 / count + spread)
        self.weight = weight / weight.sum()

    def reset(self) -> None:
        """Forget what `calibrate` measured."""
        self.correction = torch.ones_like(self.correction)
        self.weight = self._counted()

    def _predict(self, kernel: Tensor) -> Tensor:
        with torch.autocast(kernel.device.type, enabled=False):
            otf = transfer_function(kernel.float(), self.patch)
            return self.rings.mean(_squared(otf) * self.sharp_power) * self.correction

    def _levels(self, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """Fit gain and noise by Gauss–Newton steps on their logarithms.

        Returns
        -------
        gain, level : Tensor
            Factors to the predicted power and to the power taken for that of noise.
        """
        signal = (self.measured - self.noise)[self.trusted] / predicted[self.trusted]
        logs = torch.stack(
            [signal.clamp(min=1e-30).log().median(), signal.new_zeros(())]
        )
        held = torch.diag(logs.new_tensor([0.0, FLOOR_IS_KNOWN]))
        for _ in range(10):
            parts = logs.exp() * torch.stack([predicted, self.noise], 1)
            total = parts.sum(1)
            error = torch.where(self.weight > 0, self.measured / total, 1).log()
            slopes = parts / total[:, None]
            weighted = self.weight[:, None] * slopes
            towards = weighted.mT @ error - held @ logs
            # solve_ex, because solve waits for a GPU to check its result.
            step, _ = torch.linalg.solve_ex(weighted.mT @ slopes + held, towards)
            logs = logs + step
        gain, level = logs.exp()
        return gain, level

    def _measure(self, blurred: list[Tensor], sharp: list[Tensor]) -> None:
        y, parts_y = self._spectrum(blurred)
        x, parts_x = self._spectrum(sharp)
        self.scale = float(y.mean() / x.mean())
        self._keep("sharp_power", x / x.mean())
        each = max(CALIBRATION_PATCHES // len(sharp), 1)
        patches = [p for v in sharp for p in cut(v, self.patch, each)]
        few = patches[:CALIBRATION_PATCHES]
        # Their spectra are as large as the patches, and save a third of the transforms.
        self._keep("sharp_spectra", torch.stack([torch.fft.rfftn(p) for p in few]))
        self._keep("sharp_patches_power", power(few, self.window))
        measured = self.rings.mean(y / y.mean())
        self._keep("measured", measured)
        self._choose_bins(measured, self.rings.mean(self.sharp_power))
        self.expected = self._by_chance(parts_y, blurred) + self._by_chance(
            parts_x, sharp
        )

    def _choose_bins(self, measured: Tensor, original: Tensor) -> None:
        usable = self.rings.whole & (self.rings.radius > 2.5 * self.rings.width)
        ratio = (measured / original.clamp(min=1e-30))[usable].max()
        noise = _floor(measured[usable]).clamp(min=DYNAMIC_RANGE * ratio * original)
        # With few frequencies, some are far above their mean by chance.
        chance = 1 + CHANCE / self.rings.count.clamp(min=1).sqrt()
        seen = usable & (measured > noise * chance.clamp(min=ABOVE_NOISE))
        self.cut_off = float((self.rings.radius * seen).max())
        # The lowest frequencies are few, and are dominated by the wings of the PSF.
        usable &= self.rings.radius > 0.1 * self.cut_off
        if int((seen & usable).sum()) < FEWEST_BINS:
            raise WeakSignalError(
                "the signal of the blurred images is too weak to estimate their PSF "
                "from a power spectrum: give more or brighter images, take the PSF "
                "from optics or beads, or remove only the noise (recipe noise2self)"
            )
        self._keep("noise", noise)
        self._keep("usable", usable)
        self._keep("trusted", seen & usable)
        self._keep("weight", self._counted())

    def _counted(self) -> Tensor:
        """Return the weights of bins that differ from the prediction by counting."""
        weight = self.rings.count.to(self.usable.device) * self.usable
        return weight / weight.sum()

    def _spectrum(self, volumes: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the mean power in bins, and that of each part of the set.

        The parts are the images, or the patches of the only one.
        """
        cuts = [cut(volume, self.patch, PATCHES) for volume in volumes]
        powers = [power(patches, self.window) for patches in cuts]
        parts = powers if len(cuts) > 1 else [power([p], self.window) for p in cuts[0]]
        bins = torch.stack([self.rings.mean(part) for part in parts])
        return torch.stack(powers).mean(0), bins

    def _by_chance(self, parts: Tensor, volumes: list[Tensor]) -> float:
        """Return the squared log error of a mean over parts, apart from its gain."""
        if len(parts) == 1:
            return 0.0
        logs = parts[:, self.trusted].log()
        logs = logs - logs.mean(1, keepdim=True)
        return float(logs.var(0).mean() / self._independent(volumes))

    def _independent(self, volumes: list[Tensor]) -> int:
        """Return the number of independent parts: patches overlap."""
        if len(volumes) > 1:
            return len(volumes)
        whole = zip(volumes[0].shape, self.patch, strict=True)
        return min(math.prod(n // p for n, p in whole), PATCHES)

    def _keep(self, name: str, value: Tensor) -> None:
        """Register a constant that moves with the module but is not saved with it."""
        self.register_buffer(name, value, persistent=False)


def _floor(values: Tensor) -> Tensor:
    """Return the level shared by most of the lowest values."""
    floor = values.quantile(0.1)
    for _ in range(3):
        floor = values[values < ABOVE_NOISE * floor].median()
    return floor


def _squared(spectrum: Tensor) -> Tensor:
    return spectrum.real**2 + spectrum.imag**2
