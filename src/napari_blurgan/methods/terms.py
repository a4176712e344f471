"""Terms of the loss: their weights, their settings and what each needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.parts import (
    KERNEL,
    LEARNED_KERNEL,
    NETWORK,
    PAIRS,
    RESAMPLED,
    SHARP,
    WAY_BACK,
    Fraction,
    Grey,
    Kinds,
    Need,
    Section,
    Slope,
    Steps,
    Weight,
)

__all__ = ["TERMS", "SaliencyTerm", "TermSettings", "parse_terms", "plain_terms"]

HERE = "napari_blurgan.objective"


class TermSettings(Section):
    """A term of the loss; with weight zero it is never computed.

    Attributes
    ----------
    home : str
        ``"package.module:Term"``, the class that is built of it.
    needs : frozenset of Need
        What source, forward model and reconstructor must offer.
    blurs_x : bool
        Whether it uses Hx, so that x is drawn as wide as the blur asks for.
    """

    home: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset()
    blurs_x: ClassVar[bool] = False

    weight: Weight
    """Weight of the term in the loss; 0 leaves it out."""

    def at(self, step: int) -> float:
        """Return the weight at a step."""
        return self.weight


class AdversarialX(TermSettings):
    """Adversarial loss of G(y), from a discriminator on x."""

    home: ClassVar[str] = f"{HERE}.adversarial:AdversarialX"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP})


class AdversarialY(TermSettings):
    """Adversarial loss of Hx, from a discriminator on y."""

    home: ClassVar[str] = f"{HERE}.adversarial:AdversarialY"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP, WAY_BACK})
    blurs_x: ClassVar[bool] = True


class CycleY(TermSettings):
    """|y - H G(y)|."""

    home: ClassVar[str] = f"{HERE}.cycles:CycleY"
    needs: ClassVar[frozenset[Need]] = frozenset({WAY_BACK})


class CycleX(TermSettings):
    """|x - G(H x)|."""

    home: ClassVar[str] = f"{HERE}.cycles:CycleX"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP, WAY_BACK})


class Bootstrap(TermSettings):
    """|x - G(H x)|, where x is an estimate that is taken for the truth.

    The weight is that of images which the blur explains; it falls with the misfit.
    """

    home: ClassVar[str] = f"{HERE}.cycles:Bootstrap"
    needs: ClassVar[frozenset[Need]] = frozenset({RESAMPLED, WAY_BACK})


class Identity(TermSettings):
    """|x - G(x)|."""

    home: ClassVar[str] = f"{HERE}.cycles:Identity"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP})


class IdentityY(TermSettings):
    """|y - H(y)|, if H is a network."""

    home: ClassVar[str] = f"{HERE}.cycles:IdentityY"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP, NETWORK})


class Spatial(TermSettings):
    """|y - G(y)|: structures stay where they are (Lee et al. 2019)."""

    home: ClassVar[str] = f"{HERE}.cycles:Spatial"


class Supervised(TermSettings):
    """|x - G(y)| on matched pairs."""

    home: ClassVar[str] = f"{HERE}.cycles:Supervised"
    needs: ClassVar[frozenset[Need]] = frozenset({PAIRS})


class KernelL1(TermSettings):
    """The l1 norm of the kernel."""

    home: ClassVar[str] = f"{HERE}.kernel:KernelL1"
    needs: ClassVar[frozenset[Need]] = frozenset({KERNEL, LEARNED_KERNEL})


class Spectral(TermSettings):
    """Misfit between the power spectra of y and Hx."""

    home: ClassVar[str] = f"{HERE}.kernel:Spectral"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP, KERNEL, LEARNED_KERNEL})


class SaliencyTerm(TermSettings):
    """The saliency constraint (Li et al. 2021, eqs 2-4)."""

    home: ClassVar[str] = f"{HERE}.saliency:Saliency"
    needs: ClassVar[frozenset[Need]] = frozenset({SHARP, WAY_BACK})
    blurs_x: ClassVar[bool] = True

    alpha: Grey | None = None
    """Threshold of domain A in grey levels, see `blurgan threshold`."""
    beta: Grey | None = None
    """Threshold of domain B in grey levels, see `blurgan threshold`."""
    bright_background_a: bool = False
    """Whether the content of domain A is darker than its background."""
    bright_background_b: bool = False
    """Whether the content of domain B is darker than its background."""
    slope: Slope = 100.0
    """Slope of the sigmoid for intensities scaled to [-1, 1], as in the paper."""
    half_life: Steps | None = None
    """Steps over which the weight halves; None for a constant weight."""
    floor: Fraction = 1.0
    """The weight never falls below this fraction of its initial value."""

    def at(self, step: int) -> float:
        """Return the weight, halved every half-life, never below its floor."""
        if not self.half_life:
            return self.weight
        return self.weight * max(0.5 ** (step / self.half_life), self.floor)


TERMS: Kinds[TermSettings] = Kinds(
    "term",
    {
        "adversarial_x": "napari_blurgan.methods.terms:AdversarialX",
        "adversarial_y": "napari_blurgan.methods.terms:AdversarialY",
        "adversarial_remeasured": f"{HERE}.ambient:AmbientTerm",
        "adversarial_planes": f"{HERE}.planes:PlanesTerm",
        "cycle_y": "napari_blurgan.methods.terms:CycleY",
        "cycle_x": "napari_blurgan.methods.terms:CycleX",
        "identity": "napari_blurgan.methods.terms:Identity",
        "identity_y": "napari_blurgan.methods.terms:IdentityY",
        "spatial": "napari_blurgan.methods.terms:Spatial",
        "supervised": "napari_blurgan.methods.terms:Supervised",
        "kernel_l1": "napari_blurgan.methods.terms:KernelL1",
        "spectral": "napari_blurgan.methods.terms:Spectral",
        "saliency": "napari_blurgan.methods.terms:SaliencyTerm",
        "remeasured": f"{HERE}.remeasured:RemeasuredTerm",
        "bootstrap": "napari_blurgan.methods.terms:Bootstrap",
        "masked": f"{HERE}.masked:MaskedTerm",
        "predicted": f"{HERE}.predicted:PredictedTerm",
        "likelihood": f"{HERE}.likelihood:LikelihoodTerm",
        "divergence": f"{HERE}.divergence:DivergenceTerm",
    },
)


def parse_terms(value: Any) -> Any:
    """Turn ``{name: weight}`` or ``{name: {weight: ..., ...}}`` into settings.

    Terms stand in the order of the registry, in which they are added up.
    """
    if not isinstance(value, Mapping):
        raise RecipeError("recipe: terms are `name: weight` lines")
    made = {name: _parse(name, settings) for name, settings in value.items()}
    return {name: made[name] for name in _in_order(made)}


def _parse(name: str, settings: Any) -> TermSettings:
    if isinstance(settings, TermSettings):
        return settings
    if isinstance(settings, Mapping):
        return TERMS.make(name, settings, f"terms.{name}")
    return TERMS.make(name, {"weight": settings}, f"terms.{name}")


def _in_order(names: Iterable[str]) -> list[str]:
    order = list(TERMS)
    return sorted(names, key=order.index)


def plain_terms(terms: Mapping[str, TermSettings]) -> dict[str, Any]:
    """Return terms as JSON values, those of a weight alone as a number."""
    dumped = {name: term.model_dump(mode="json") for name, term in terms.items()}
    return {n: d["weight"] if len(d) == 1 else d for n, d in dumped.items()}
