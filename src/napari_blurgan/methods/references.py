"""What to cite for a recipe: the papers from which its parts are taken."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from napari_blurgan.methods.recipe import Recipe

__all__ = ["REFERENCES", "Reference", "references_of"]


@dataclass(frozen=True)
class Reference:
    """A paper: as text, and where it is found.

    Attributes
    ----------
    text : str
        Authors, title, where, when.
    doi : str or None
        As the paper, or one that cites it, prints it.
    url : str or None
        Of its proceedings, where no DOI is printed.
    """

    text: str
    doi: str | None = None
    url: str | None = None


REFERENCES = {
    "lim2020": Reference(
        "S. Lim, H. Park, S.-E. Lee, S. Chang, B. Sim and J. C. Ye, CycleGAN with a "
        "blur kernel for deconvolution microscopy: Optimal transport geometry, IEEE "
        "Trans. Comput. Imaging 6, 1127-1138, 2020",
        "10.1109/TCI.2020.3006735",
    ),
    "sim2020": Reference(
        "B. Sim, G. Oh, J. Kim, C. Jung and J. C. Ye, Optimal transport driven "
        "CycleGAN for unsupervised learning in inverse problems, SIAM J. Imaging Sci. "
        "13(4), 2281-2306, 2020",
        "10.1137/20M1317992",
    ),
    "li2021": Reference(
        "X. Li et al., Unsupervised content-preserving transformation for optical "
        "microscopy, Light Sci. Appl. 10, 44, 2021",
        "10.1038/s41377-021-00484-y",
    ),
    "zhu2017": Reference(
        "J.-Y. Zhu, T. Park, P. Isola and A. A. Efros, Unpaired image-to-image "
        "translation using cycle-consistent adversarial networks, ICCV 2017, 2223-2232",
        "10.1109/ICCV.2017.244",
    ),
    "krull2019": Reference(
        "A. Krull, T.-O. Buchholz and F. Jug, Noise2Void: Learning denoising from "
        "single noisy images, CVPR 2019, 2129-2137",
        "10.1109/CVPR.2019.00223",
    ),
    "batson2019": Reference(
        "J. Batson and L. Royer, Noise2Self: Blind denoising by self-supervision, ICML "
        "2019, 524-533",
        url="https://proceedings.mlr.press/v97/batson19a.html",
    ),
    "prakash2021": Reference(
        "M. Prakash, A. Krull and F. Jug, Fully unsupervised diversity denoising with "
        "convolutional variational autoencoders, ICLR 2021",
        url="https://openreview.net/forum?id=agHLCOBM5jP",
    ),
    "yaman2020": Reference(
        "B. Yaman et al., Self-supervised learning of physics-guided reconstruction "
        "neural networks without fully sampled reference data, Magn. Reson. Med. "
        "84(6), 3172-3191, 2020",
        "10.1002/mrm.28378",
    ),
    "akcakaya2022": Reference(
        "M. Akçakaya, B. Yaman, H. Chung and J. C. Ye, Unsupervised deep learning "
        "methods for biological image reconstruction and enhancement, IEEE Signal "
        "Process. Mag. 39(2), 28-44, 2022",
    ),
    "lehtinen2018": Reference(
        "J. Lehtinen et al., Noise2Noise: Learning image restoration without clean "
        "data, ICML 2018, PMLR 80, 2965-2974",
        url="https://proceedings.mlr.press/v80/lehtinen18a.html",
    ),
}


def references_of(recipe: Recipe) -> list[dict[str, str | None]]:
    """Return what to cite for a model of this recipe: `Reference`s as dictionaries."""
    return [asdict(REFERENCES[key]) for key in _keys(recipe)]


def _keys(recipe: Recipe) -> list[str]:
    terms = recipe.terms
    if "saliency" in terms:
        return ["li2021", "zhu2017"]
    if "masked" in terms:
        return ["batson2019", "krull2019"]
    if parts := (
        recipe.reconstructor.cites or recipe.source.cites or recipe.forward.cites
    ):
        return list(parts)
    # Matched pairs, too, are a row of their tables.
    return ["lim2020", "sim2020"] if "adversarial_x" in terms else ["lim2020"]
