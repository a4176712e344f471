"""What to cite for a recipe: the papers its parts are taken from, as they print it."""

from __future__ import annotations

from napari_blurgan.methods.recipe import Recipe

__all__ = ["REFERENCES", "references_of"]

REFERENCES = {
    "lim2020": (
        "S. Lim, H. Park, S.-E. Lee, S. Chang, B. Sim and J. C. Ye, CycleGAN with a "
        "blur kernel for deconvolution microscopy: Optimal transport geometry, IEEE "
        "Trans. Comput. Imaging 6, 1127-1138, 2020",
        "10.1109/TCI.2020.3006735",
    ),
    "sim2020": (
        "B. Sim, G. Oh, J. Kim, C. Jung and J. C. Ye, Optimal transport driven "
        "CycleGAN for unsupervised learning in inverse problems, SIAM J. Imaging Sci. "
        "13(4), 2281-2306, 2020",
        "10.1137/20M1317992",
    ),
    "li2021": (
        "X. Li et al., Unsupervised content-preserving transformation for optical "
        "microscopy, Light Sci. Appl. 10, 44, 2021",
        "10.1038/s41377-021-00484-y",
    ),
    "zhu2017": (
        "J.-Y. Zhu, T. Park, P. Isola and A. A. Efros, Unpaired image-to-image "
        "translation using cycle-consistent adversarial networks, ICCV 2017, 2223-2232",
        "10.1109/ICCV.2017.244",
    ),
    "krull2019": (
        "A. Krull, T.-O. Buchholz and F. Jug, Noise2Void: Learning denoising from "
        "single noisy images, CVPR 2019, 2129-2137",
        "10.1109/CVPR.2019.00223",
    ),
    "batson2019": (
        "J. Batson and L. Royer, Noise2Self: Blind denoising by self-supervision, ICML "
        "2019, 524-533",
        None,
    ),
    "lehtinen2018": (
        "J. Lehtinen et al., Noise2Noise: Learning image restoration without clean "
        "data, ICML 2018, PMLR 80, 2965-2974",
        None,
    ),
}
"""Each reference as text, with the DOI that the paper, or one that cites it, prints."""


def references_of(recipe: Recipe) -> list[dict[str, str | None]]:
    """Return what to cite for a model of this recipe.

    Returns
    -------
    list of dict
        ``text`` and ``doi`` (None where none is printed) of each; empty for recipes
        that stand for textbook methods.
    """
    return [
        {"text": text, "doi": doi}
        for text, doi in (REFERENCES[key] for key in _keys(recipe))
    ]


def _keys(recipe: Recipe) -> list[str]:
    terms = recipe.terms
    if "saliency" in terms:
        return ["li2021", "zhu2017"]
    if "masked" in terms:
        return ["batson2019", "krull2019"]
    if parts := recipe.source.cites or recipe.forward.cites:
        return list(parts)
    return ["lim2020", "sim2020"] if "adversarial_x" in terms else []
