"""Fidelity and resolution in numbers."""

from napari_blurgan.measure.decorrelation import Decorrelation, decorrelation
from napari_blurgan.measure.equalization import equalized
from napari_blurgan.measure.fidelity import (
    Fidelity,
    IntensityFit,
    PaperScores,
    compare,
    correlation,
    fit_intensity,
    nrmse,
    paper_scores,
    psnr,
    ssim,
)
from napari_blurgan.measure.resolution import (
    Resolution,
    Section,
    frc,
    fsc,
    sectioned_fsc,
)
from napari_blurgan.measure.splitting import binomial_split, checkerboard_split

__all__ = [
    "Decorrelation",
    "Fidelity",
    "IntensityFit",
    "PaperScores",
    "Resolution",
    "Section",
    "binomial_split",
    "checkerboard_split",
    "compare",
    "correlation",
    "decorrelation",
    "equalized",
    "fit_intensity",
    "frc",
    "fsc",
    "nrmse",
    "paper_scores",
    "psnr",
    "sectioned_fsc",
    "ssim",
]
