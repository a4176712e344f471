"""A recipe: everything that names a transport, validated, frozen and serialisable.

Every method of the papers is the same loss with another forward model, other
penalties and other active terms (Lim et al. 2020, eqs 15-22; Sim et al. 2020, eqs
12-21), so a method is a recipe and the training loop knows none of their names.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from napari_blurgan.errors import RecipeError
from napari_blurgan.transport._migrations import VERSION, migrate
from napari_blurgan.transport.guarded_yaml import read_yaml

__all__ = ["Recipe"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Size = PositiveInt | tuple[PositiveInt, ...]
Aberration = Literal[
    "spherical", "coma-y", "coma-x", "astigmatism", "astigmatism-oblique"
]


class Section(BaseModel):
    """A frozen part of a recipe; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GeneratorSettings(Section):
    """G, the deep map from measured y to sharp x."""

    network: Literal["unet", "resnet"] = "unet"
    base: Annotated[int, Field(ge=1, le=4096)] = 8
    levels: Annotated[int, Field(ge=1, le=12)] = 3
    convolutions: Annotated[int, Field(ge=1, le=64)] = 2
    blocks: Annotated[int, Field(ge=1, le=256)] = 6
    first_kernel: Annotated[int, Field(ge=1, le=99)] = 3
    upsampling: Literal["nearest", "transposed"] = "nearest"
    """Of the resnet, going up: "transposed" is a trainable strided convolution."""
    norm: Literal["batch", "instance", "none"] = "batch"
    output: Literal["linear", "sigmoid"] = "linear"
    guide: NonNegativeInt = 0
    """Accelerated Richardson-Lucy iterations that G refines; 0: a plain network."""
    renew: PositiveInt = 40
    """Steps after which the estimate of the next block is made anew."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average that is kept as the result; 0: none."""


class ForwardSettings(Section):
    """H, the way back from x to y: a blur kernel, a second network, or nothing."""

    kind: Literal["kernel", "network", "none"] = "kernel"
    learned: bool = False
    parametrisation: Literal["free", "softmax", "pupil"] = "pupil"
    start: Literal["auto", "psf", "optics", "spectral", "gaussian", "random"] = "auto"
    aberrations: tuple[Aberration, ...] = ()
    """Of the pupil, to be learned besides its aperture and wavelength."""
    size: tuple[PositiveInt, ...] | None = None
    """Support in voxels, (z, y, x); chosen from the optics where not given."""
    frozen_steps: NonNegativeInt = 100
    """Steps before the kernel starts to learn: first G, then h."""
    noise: bool = True
    """Whether Hx gets the noise that was measured in y before G sees it."""
    widen: Fraction = 0.0
    """Share by which the blur of Hx is wider than that of the estimate, at the most and
    at random: G then bears images of longer waves, and does less well on its own."""


class AdversarySettings(Section):
    """The potentials phi (on x) and psi (on y): multi-scale PatchGANs."""

    loss: Literal["lsgan", "wgan-gp", "bce", "hinge"] = "lsgan"
    base: Annotated[int, Field(ge=1, le=4096)] = 16
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    plain_layers: Annotated[int, Field(ge=0, le=64)] = 0
    """Further layers, with a stride of 1."""
    head_kernel: Annotated[int, Field(ge=1, le=99)] = 3
    """Size of the last convolution."""
    scales: Annotated[int, Field(ge=1, le=12)] = 3
    quantiles: NonNegativeInt = 0
    """Of one more discriminator that sees the histogram alone (UDCT); 0: none."""
    norm: Literal["none", "instance"] = "none"
    history: NonNegativeInt = 50
    steps: PositiveInt = 1
    """Discriminator steps per generator step."""
    gradient_penalty: NonNegativeFloat = 10.0


class Weights(Section):
    """One weight a term of the loss; a term of weight zero is never computed."""

    adversarial_x: NonNegativeFloat = 1.0
    adversarial_y: NonNegativeFloat = 0.0
    cycle_y: NonNegativeFloat = 100.0
    cycle_x: NonNegativeFloat = 100.0
    identity: NonNegativeFloat = 0.0
    identity_y: NonNegativeFloat = 0.0
    supervised: NonNegativeFloat = 0.0
    kernel_l1: NonNegativeFloat = 0.0
    spectral: NonNegativeFloat = 0.0
    saliency: NonNegativeFloat = 0.0


class SaliencySettings(Section):
    """The thresholds of UTOM (Li et al. 2021, eqs 2-4), in the units of the images."""

    alpha: float | None = None
    beta: float | None = None
    bright_background_a: bool = False
    bright_background_b: bool = False
    slope: PositiveFloat = 100.0
    """Of the sigmoid, on intensities scaled to [-1, 1] as in the paper."""
    half_life: PositiveInt | None = None
    """Steps in which the weight halves; None keeps it."""
    floor: Fraction = 1.0
    """The weight never falls below this fraction of its start."""


class OptimiserSettings(Section):
    """Adam, constant and then linear to (nearly) zero."""

    generator_rate: PositiveFloat = 5e-4
    discriminator_rate: PositiveFloat = 2e-4
    kernel_rate: PositiveFloat = 1e-3
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    warm_up: NonNegativeInt = 0
    constant: Fraction = 0.5
    """Fraction of the training at the full rate."""
    final: Fraction = 0.02
    """Fraction of the rate that is left at the end."""


class SamplingSettings(Section):
    """How patches are drawn from the two domains."""

    patch: Size = 32
    batch: PositiveInt = 1
    foreground: Fraction = 0.5
    """Fraction of patches drawn where there is signal."""
    views: tuple[Literal["xy", "xz", "yz"], ...] = ("xy",)
    """Sections of the measured volumes that planes are drawn from; with any but xy,
    the voxels are made cubes first."""
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the measured images that is set aside to look at the content."""
    paired: bool = False
    """Whether the i-th blurred and the i-th sharp stack show the same field."""
    flips: bool = True
    """Mirror patches along every axis whose two sides the blur treats alike."""
    quarter_turns: bool = True
    """Turn patches in the plane, where the blur does not notice."""
    rotation: NonNegativeFloat = 0.0
    """Largest in-plane angle, in degrees."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    translation: NonNegativeFloat = 0.0
    intensity: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Recipe(Section):
    """What is to be trained, and how.

    Parameters
    ----------
    name : str
        The preset it started from, or a name of your own.
    dims : int
        3 for volumes, 2 for planes.
    steps : int
        Length of the schedule where no budget of minutes is given.
    cycle_power : int
        1 or 2: the exponents p = q of the transport cost.
    precision : str
        ``"auto"`` measures which of float32, bfloat16 and float16 is fastest.

    Raises
    ------
    RecipeError
        From `parse`, `read` and `updated`, naming the field and the nearest valid one.
    """

    version: Literal[1] = VERSION
    name: str = "custom"
    dims: Literal[2, 3] = 3
    generator: GeneratorSettings = GeneratorSettings()
    forward: ForwardSettings = ForwardSettings()
    adversary: AdversarySettings = AdversarySettings()
    weights: Weights = Weights()
    saliency: SaliencySettings = SaliencySettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    sampling: SamplingSettings = SamplingSettings()
    cycle_power: Literal[1, 2] = 1
    steps: PositiveInt = 2500
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _terms_have_what_they_need(self) -> Recipe:
        weights, kind = self.weights, self.forward.kind
        needs_forward = ("adversarial_y", "cycle_x", "cycle_y")
        active = [name for name in needs_forward if getattr(weights, name)]
        if kind == "none" and active:
            raise ValueError(f"weights.{active[0]} needs a forward model, found 'none'")
        for name in ("kernel_l1", "spectral"):
            if getattr(weights, name) and (
                kind != "kernel" or not self.forward.learned
            ):
                raise ValueError(f"weights.{name} needs a learned kernel")
        if weights.identity_y and kind != "network":
            raise ValueError("weights.identity_y needs a network as forward model")
        if self.generator.guide and kind != "kernel":
            raise ValueError("generator.guide needs a blur kernel as forward model")
        if self.generator.upsampling != "nearest" and self.generator.network == "unet":
            raise ValueError("generator.upsampling 'transposed' needs network 'resnet'")
        if self.forward.widen and not self.generator.guide:
            raise ValueError("forward.widen needs a generator with a guide")
        if self.sampling.views != ("xy",) and (self.dims != 2 or kind != "network"):
            raise ValueError("sampling.views needs dims 2 and a network as way back")
        if self.sampling.views != ("xy",) and self.sampling.rotation:
            raise ValueError(
                "sampling.rotation would tilt the axis of the blur in sections along "
                "z: set it to 0"
            )
        if weights.supervised and not self.sampling.paired:
            raise ValueError("weights.supervised needs sampling.paired")
        if not any(weights.model_dump().values()):
            raise ValueError("every weight is zero: there is nothing to train")
        return self

    @property
    def patch(self) -> tuple[int, ...]:
        """Size of a training patch, one number an axis."""
        patch = self.sampling.patch
        return (patch,) * self.dims if isinstance(patch, int) else patch

    def weights_at(self, step: int) -> dict[str, float]:
        """Return the weight of every active term at `step`."""
        weights = {k: w for k, w in self.weights.model_dump().items() if w}
        if "saliency" in weights and self.saliency.half_life:
            decay = 0.5 ** (step / self.saliency.half_life)
            weights["saliency"] *= max(decay, self.saliency.floor)
        return weights

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> Recipe:
        """Make a recipe of nested settings, migrating those of older versions."""
        try:
            return cls.model_validate(migrate(dict(settings)))
        except ValidationError as error:
            raise RecipeError(_explain(cls, error)) from None
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise RecipeError(f"recipe: {error!s:.200}") from None

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a YAML or JSON file; see `read_yaml` for what it may hold."""
        settings = read_yaml(path)
        if not isinstance(settings, dict):
            raise RecipeError(f"{path} is not a recipe: expected `name: value` lines")
        return cls.parse(settings)

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every field written out."""
        return yaml.safe_dump(json.loads(self.model_dump_json()), sort_keys=False)

    def updated(self, changes: Mapping[str, Any]) -> Recipe:
        """Return a copy with dotted fields replaced, ``{"sampling.patch": 48}``."""
        settings = self.model_dump(mode="json")
        for dotted, value in changes.items():
            *sections, field = dotted.split(".")
            target: Any = settings
            for section in sections:
                target = target.get(section) if isinstance(target, dict) else None
            if not isinstance(target, dict):
                raise RecipeError(_unknown(Recipe, dotted.split(".")))
            target[field] = value
        return Recipe.parse(settings)


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    """Say in one line what is wrong with the first offending field."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return _unknown(model, place)
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"recipe: {'.'.join(place)}: {message}" if place else f"recipe: {message}"


def _unknown(model: type[BaseModel], place: list[str]) -> str:
    valid = _fields(model)
    near = difflib.get_close_matches(".".join(place), valid, n=1, cutoff=0.5)
    near = near or [f for f in valid if f.split(".")[-1] == place[-1]][:1]
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"recipe: there is no field {'.'.join(place)}{hint}"


def _fields(model: type[BaseModel], prefix: str = "") -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(
            field.annotation, BaseModel
        ):
            names += _fields(field.annotation, f"{prefix}{name}.")
    return names
