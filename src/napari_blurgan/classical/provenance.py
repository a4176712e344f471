"""What is written into a deconvolved image: version, method, parameters, PSF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_blurgan.optics.psf import Psf
from napari_blurgan.provenance import provenance_of

__all__ = ["provenance"]


def provenance(
    method: str, psfs: Sequence[Psf], parameters: Mapping[str, Any], source: str
) -> dict[str, Any]:
    """Return where a deconvolved image comes from, as JSON can hold it.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    psfs : sequence of Psf
        As they were used, fitted to the image.
    parameters : mapping
        Of the method, the camera and the stopping rule; those that are None are left
        out.
    source : str
        Name of the image.
    """
    facts = {
        "method": method,
        "parameters": {name: v for name, v in parameters.items() if v is not None},
        "psf": [psf.provenance for psf in psfs],
        "source": source,
    }
    return provenance_of("deconvolve", facts)
