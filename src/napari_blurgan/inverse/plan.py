"""`Plan`: a PSF adapted to images of one shape, with cached transforms."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from napari_blurgan.axes import VoxelSize
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import AxesError
from napari_blurgan.inverse.blur import Blur, Edges
from napari_blurgan.inverse.far_light import wrapped
from napari_blurgan.inverse.psf_fit import PsfLike, fit_psf

__all__ = ["Plan"]


class Plan:
    """The blur of images of one shape: prepared once, used for every frame.

    Parameters
    ----------
    psf : Psf or ndarray
        Made to fit by `fit_psf`; `notes` says how.
    shape : sequence of int
        (z, y, x) or (y, x) of the images.
    voxel_size : tuple of (float or None), optional
        (z, y, x) of the image in micrometres; where unknown, the PSF's own.
    edges : {"extend", "periodic"}
        What lies beyond the field of view, see `Blur`.
    device : str, optional
        Where to compute, "cpu", "cuda", "mps"; by default the best there is.

    Attributes
    ----------
    psf : Psf
        As used.
    blur : Blur
        Of images of that shape.
    spacing : tuple of float
        Voxel size along the axes of the blur, relative to the smallest.

    Raises
    ------
    AxesError
        If the shape is neither a plane nor a volume.
    OpticsError
        If the PSF is no PSF: negative, NaN, all zero, or of other axes.
    RecipeError
        If there is no such device here.
    """

    def __init__(
        self,
        psf: PsfLike,
        shape: Sequence[int],
        voxel_size: VoxelSize | None = None,
        *,
        edges: Edges = "extend",
        device: str | torch.device | None = None,
    ) -> None:
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise AxesError(
                f"a deconvolution needs (z, y, x) or (y, x); found {tuple(shape)}"
            )
        self.shape = tuple(shape)
        self.edges: Edges = edges
        fitted, self.notes = fit_psf(psf, shape, voxel_size)
        self.psf = wrapped(fitted, shape) if edges == "periodic" else fitted
        self.device = choose_device(str(device or "auto"))
        kernel = torch.from_numpy(self.psf.data).to(self.device)
        self.blur = Blur(kernel[0] if len(shape) == 2 else kernel, shape, edges)
        size = self.psf.voxel_size[-len(shape) :]
        self.spacing = tuple(s / min(size) for s in size)
