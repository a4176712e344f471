"""Findings of the preparation, which users should know before they wait for hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Note"]


@dataclass(frozen=True)
class Note:
    """A finding, reported as a `Warned` event.

    Parameters
    ----------
    code, message, remedy, figures
        As in `Warned`.
    """

    code: str
    message: str
    remedy: str
    figures: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def cut_off(cls, found: str) -> Note:
        """Intensities were cut off by the camera or by processing."""
        return cls(
            "cut-off-intensities",
            f"{found}.",
            "Use a shorter exposure, or train on images as recorded; the rest of the "
            "image is not affected.",
        )

    @classmethod
    def plane_psf(cls) -> Note:
        """The PSF is one plane, the images are volumes."""
        return cls(
            "plane-psf",
            "The PSF is one plane but the images are volumes: the blur along z "
            "remains.",
            "Give a PSF of several planes, or the optics.",
        )

    @classmethod
    def without_blur(cls, recipe: str) -> Note:
        """A PSF or optics were given, and the recipe has no blur."""
        return cls(
            "psf-without-part",
            f"The PSF, or the optics, take no part in this training: the recipe "
            f"{recipe!r} has no blur kernel.",
            "Leave them out, or use a recipe with one, such as nonblind.",
        )

    @classmethod
    def sections(cls) -> Note:
        """Sections along z were no better than interpolation in our measurements."""
        return cls(
            "sections-along-z",
            "Sections along z learn to look like planes. In our measurements, after "
            "short trainings, they were no better than cubic interpolation.",
            "Use three-way, whose forward model is a blur along z, or deconvolve if "
            "the PSF is known (nonblind); compare the result with interpolation.",
        )

    @classmethod
    def unexplained(cls, misfit: float) -> Note:
        """The blur does not explain the images."""
        return cls(
            "psf-does-not-explain",
            f"The PSF does not fully explain the images: the residual is {misfit:.3g} "
            f"times the noise. The restoration is therefore smoother than the light "
            f"level would allow.",
            "Check NA, wavelength, refractive index and voxel size (`blurgan psf "
            "likely` asks the images), or measure the PSF with beads.",
            {"misfit": misfit},
        )

    @classmethod
    def other_width(cls, width: float) -> Note:
        """A narrower blur than the given one explains the images better."""
        return cls(
            "psf-width",
            f"Held-out photons are predicted better by a PSF that is "
            f"{1 - width:.0%} narrower than the one that was given: it is used.",
            "Check NA, wavelength and voxel size. forward.tolerance=0 keeps the PSF as "
            "it was given.",
            {"width": width},
        )

    @classmethod
    def thick_sample(cls, thickness: float) -> Note:
        """A plane contains out-of-focus light of a thick sample."""
        return cls(
            "thick-sample",
            f"The image is best explained by a sample about {thickness:.2g} µm thick: "
            f"its out-of-focus light is part of the blur.",
            "forward.thickness sets the thickness in µm; 0 is the PSF in focus.",
            {"thickness": thickness},
        )

    @classmethod
    def damaged(cls, what: str) -> Note:
        """A checkpoint could not be read, and an older one was used."""
        return cls(
            "damaged-checkpoint",
            f"{what}.",
            "Training repeats some steps. If this happens again, check the disk.",
        )

    @classmethod
    def mismatch(cls, message: str, residual: float) -> Note:
        """The two sets are not related by a blur alone."""
        return cls(
            "mismatched-sets",
            message,
            "The learned PSF is relative to the sharp set: prefer a sharp set of the "
            "same structures, or give the optics and keep the kernel fixed (nonblind).",
            {"residual": residual},
        )

    @classmethod
    def other_structures(cls, difference: float) -> Note:
        """The sets show different kinds of structure, such as threads and sheets."""
        return cls(
            "other-structures",
            f"The sharp images show structures of another shape than the blurred ones "
            f"(threads, sheets or grains): {difference:.1f} standard errors apart.",
            "The network reproduces what it saw in the sharp set: prefer one with the "
            "same kind of structures, or deconvolved parts of your own stacks.",
            {"difference": difference},
        )

    @classmethod
    def other_optics(cls, na: float, wavelength: float) -> Note:
        """The blur is an optical one, but not that of the given optics."""
        return cls(
            "other-optics",
            f"The optics you gave do not explain the blur between the two sets; an "
            f"effective NA of {na:.2f} at {wavelength:.0f} nm does.",
            "Check NA, refractive index, wavelength and voxel size; training starts "
            "from what the images show.",
            {"na": na, "wavelength": wavelength},
        )

    @classmethod
    def sharper_than_optics(cls, share: float) -> Note:
        """A sharp set with thicker structures looks like a sharper microscope."""
        return cls(
            "sharper-than-optics",
            f"The blur between the two sets is {share:.0%} narrower in the plane than "
            "your optics or your PSF predict: the sharp images may show thicker "
            "structures than the blurred ones, or be blurred themselves.",
            "Check NA and wavelength; if they are right, prefer a sharp set of the "
            "same structures, or keep the blur fixed (nonblind).",
            {"narrower": share},
        )

    @classmethod
    def unidentified(cls, reason: str) -> Note:
        """The spectra do not reveal the blur."""
        return cls(
            "unidentified-blur",
            f"The blur could not be identified from power spectra: {reason}.",
            "The blur is kept fixed at your optics or your PSF.",
        )

    @classmethod
    def not_widefield(cls, modality: str) -> Note:
        """Power spectra identify the blur of one modality only."""
        return cls(
            "unidentified-blur",
            f"Power spectra identify the blur of a widefield microscope, not that of a "
            f"{modality} one.",
            "The blur is kept fixed at your optics; set forward.start to optics to "
            "learn it anyway.",
        )

    @classmethod
    def held(cls) -> Note:
        """Given optics are better than a blur from two mismatched sets."""
        return cls(
            "kernel-held",
            "The two sets do not match, so the blur is not learned from them: it is "
            "kept fixed at your optics or your PSF.",
            "Prefer a sharp set of the same structures; set forward.start to optics or "
            "psf to learn the blur anyway.",
        )

    @classmethod
    def psf_mended(cls, found: str) -> Note:
        """A PSF had to be corrected."""
        return cls(
            "psf-mended",
            f"{found[0].upper()}{found[1:]}.",
            "Check that the PSF in the result is the one you meant.",
        )

    @classmethod
    def no_voxel_size(cls, name: str) -> Note:
        """Without a voxel size there are no micrometres."""
        return cls(
            "no-voxel-size",
            f"{name} has no voxel size: the PSF is in voxels, not in µm.",
            "Set the voxel size in the file or the layer.",
        )

    @classmethod
    def other_voxels(cls, blurred: str, sharp: str) -> Note:
        """The two sets have voxels of different sizes."""
        return cls(
            "other-voxels",
            f"The blurred images have voxels of {blurred} µm (z, y, x), the sharp ones "
            f"of {sharp} µm: the same structure has another size in voxels.",
            "Resample one of the sets; if one size is wrong, give the right one "
            "(--voxel, voxel_size=).",
        )

    @classmethod
    def truncated(cls, shape: tuple[int, ...], share: float) -> Note:
        """The kernel is the core of a PSF whose light extends farther."""
        size = " × ".join(map(str, shape))
        return cls(
            "truncated-kernel",
            f"The kernel of {size} voxels holds {share:.0%} of the light that the "
            "optics predict over the depth of the images: haze from farther away is "
            "not modelled.",
            "If there is haze, give a PSF as large as it reaches (blurgan psf), or set "
            "forward.size; each step then takes longer.",
            {"share": share},
        )

    @classmethod
    def crowded(cls, name: str, level: float, share: float, bright: bool) -> Note:
        """Almost everything counts as content."""
        domain = {"alpha": "A", "beta": "B"}[name]
        return cls(
            "crowded-content",
            f"{share:.0%} of domain {domain} counts as content: it lies "
            f"{'below' if bright else 'above'} its threshold, {level:g}.",
            f"If content is {'brighter' if bright else 'darker'} than the background, "
            f"set terms.saliency.bright_background_{domain.lower()} to "
            f"{'false' if bright else 'true'}.",
            {"share": share},
        )

    @classmethod
    def alpha_channel(cls, name: str) -> Note:
        """The fourth sample of a pixel is not an intensity."""
        return cls(
            "alpha-channel",
            f"{name} has an alpha channel, which holds no intensities.",
            "Red, green and blue are used; the alpha channel is ignored.",
        )
