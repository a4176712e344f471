"""PSFs as layers: their names, positions, and conversion back to a `Psf`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.optics.psf import Psf
from napari_blurgan.widgets._layers import (
    METADATA_KEY,
    LayerData,
    beside,
    is_psf,
    is_source,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

__all__ = [
    "add_psf",
    "offered_psfs",
    "psf_in_view",
    "psf_layer",
    "psf_title",
    "unmeasured",
]

GAMMA = 0.5
"""Gamma of the contrast of PSFs, because their cone of light is faint."""


def psf_title(psf: Psf) -> str:
    """Return the kind of a PSF from its provenance: computed, measured or learned."""
    known = psf.provenance
    if known.get("measured") == "beads":
        good = known.get("verdicts", {}).get("good", 0)
        return f"PSF measured, {good} bead{'s'[: good != 1]}"
    if "optics" in known:
        optics = known["optics"]
        return f"PSF computed NA {optics['na']:.3g} {optics['wavelength']:.4g} nm"
    if known.get("model") in ("learned", "given"):
        return f"PSF {known['model']}"
    return f"PSF {known['file']}" if "file" in known else "PSF"


def psf_layer(psf: Psf, source: Image, layers: Iterable[Any] = ()) -> LayerData:
    """Return a PSF as a layer in physical units, to the right of its source.

    Parameters
    ----------
    psf : Psf
        Shown as a plane if it or the source is one.
    source : napari.layers.Image
        Gives the unit of length and the place.
    layers : iterable of layers
        Those in the viewer: the PSF lies beside the PSFs among them, too.
    """
    in_length = source.units[-1].is_compatible_with("micrometer")
    unit = source.units[-1] if in_length else "pixel"
    # In a series of planes, a depth of one would be a time point, in micrometres.
    deep = source.ndim > 2 and psf.shape[0] > 1
    data = psf.data if deep else psf.data[psf.shape[0] // 2]
    scale = _scale_in(psf, source)[-data.ndim :]
    known = {"made": "psf", "voxel_size": list(psf.voxel_size), **psf.provenance}
    attributes = {
        "name": psf_title(psf),
        "scale": scale,
        "translate": beside(source, filter(is_psf, layers), data.shape, scale),
        "units": [unit] * data.ndim,
        "axis_labels": list(source.axis_labels[-data.ndim :]),
        "colormap": "inferno",
        "blending": "additive",
        "gamma": GAMMA,
        "contrast_limits": (0, float(data.max())),
        "rgb": False,
        "metadata": {METADATA_KEY: known},
    }
    return np.array(data), attributes, "image"


def psf_in_view(
    viewer: ViewerModel, psf: Psf, source: Image, name: str = ""
) -> LayerData:
    """Return a PSF as a layer next to its source, with its middle plane in view.

    It gets a name of its own, or `name`, and the place of the layer of that name.
    """
    others = [layer for layer in viewer.layers if layer.name != name]
    pixels, attributes, kind = psf_layer(psf, source, others)
    attributes["name"] = name or attributes["name"]
    if pixels.ndim > 2:
        centre = (pixels.shape[0] // 2) * attributes["scale"][0]
        attributes["translate"][0] = viewer.dims.point[-3] - centre
    if _is_light(viewer):  # nothing can be added to white
        attributes["blending"] = "translucent_no_depth"
    return pixels, attributes, kind


def add_psf(viewer: ViewerModel, psf: Psf, source: Image) -> Image:
    """Add a PSF next to its source, with its middle plane in view."""
    pixels, attributes, _ = psf_in_view(viewer, psf, source)
    selected = set(viewer.layers.selection)
    layer = viewer.add_image(pixels, **attributes)
    viewer.layers.selection = selected
    return layer


def _is_light(viewer: ViewerModel) -> bool:
    """Return whether the canvas is nearer to white than to black."""
    from napari.utils.theme import get_theme

    red, green, blue = get_theme(viewer.theme).canvas.as_rgb_tuple()[:3]
    return bool(red + green + blue > 3 * 127)


def unmeasured(layer: Image | None) -> Image | None:
    """Return a layer to be used as a PSF whose voxel size must be entered."""
    return None if layer is None or is_psf(layer) else layer


def _scale_in(psf: Psf, source: Image) -> NDArray[np.float64]:
    """Return the PSF's voxel size in the unit of the source."""
    unit = source.units[-1]
    if unit.is_compatible_with("micrometer"):
        return np.array(psf.voxel_size) / (1 * unit).to("micrometer").magnitude
    if np.allclose(source.scale, 1):  # neither unit nor scale: one voxel is one pixel
        return np.ones(3)
    return np.array(psf.voxel_size)


def offered_psfs(layers: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Return the PSFs among layers, and the other images that may be one."""
    layers = list(layers)
    psfs = [layer for layer in layers if is_psf(layer)]
    return psfs, [x for x in layers if is_source(x) and not x.rgb]
