"""A recipe: the full description of a method, validated, frozen and serialisable.

Every method of the papers is the same loss with another forward model, other
penalties and other active terms (Lim et al. 2020, eqs 15-22; Sim et al. 2020, eqs
12-21), so a method is a recipe and the training loop knows none of their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    field_serializer,
    model_validator,
)

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.changes import changed
from napari_blurgan.methods.forwards import (
    FORWARDS,
    ForwardSettings,
    KernelForward,
)
from napari_blurgan.methods.guarded_yaml import read_yaml
from napari_blurgan.methods.migrations import VERSION, migrate
from napari_blurgan.methods.parts import (
    TURNED_SECTIONS,
    Count,
    Decay,
    Delay,
    Fraction,
    Length,
    Need,
    Rate,
    Section,
    Steps,
    Weight,
    explain,
)
from napari_blurgan.methods.reconstructors import (
    RECONSTRUCTORS,
    PlainReconstructor,
    ReconstructorSettings,
)
from napari_blurgan.methods.sources import (
    SOURCES,
    SourceSettings,
    UnpairedSource,
)
from napari_blurgan.methods.terms import (
    SaliencyTerm,
    TermSettings,
    parse_terms,
    plain_terms,
)

__all__ = ["Recipe"]

Size = Length | tuple[Length, ...]

# Each is any settings whose kind is registered.
Source = Annotated[SerializeAsAny[SourceSettings], BeforeValidator(SOURCES.parse)]
Forward = Annotated[SerializeAsAny[ForwardSettings], BeforeValidator(FORWARDS.parse)]
Reconstructor = Annotated[
    SerializeAsAny[ReconstructorSettings], BeforeValidator(RECONSTRUCTORS.parse)
]
Terms = Annotated[dict[str, SerializeAsAny[TermSettings]], BeforeValidator(parse_terms)]

DEFAULT_TERMS = {"adversarial_x": 1.0, "cycle_y": 100.0, "cycle_x": 100.0}


class DiscriminatorSettings(Section):
    """Multi-scale PatchGANs: the Kantorovich potentials phi (on x) and psi (on y)."""

    loss: Literal["lsgan", "wgan-gp", "bce", "hinge"] = "lsgan"
    """Least squares, Wasserstein with gradient penalty, cross-entropy or hinge."""
    base: Annotated[int, Field(ge=1, le=4096)] = 16
    """Channels of the first layer; each further layer doubles them."""
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    """Number of strided convolutions."""
    plain_layers: Annotated[int, Field(ge=0, le=64)] = 0
    """Number of further layers with stride 1."""
    head_kernel: Annotated[int, Field(ge=1, le=99)] = 3
    """Kernel size of the last convolution."""
    scales: Annotated[int, Field(ge=1, le=12)] = 3
    """Number of discriminators, for the patch at full, half, quarter size and so on."""
    norm: Literal["none", "instance"] = "none"
    """Normalisation between the convolutions."""
    quantiles: Annotated[int, Field(ge=0, le=4096)] = 0
    """Quantiles for an additional discriminator of the histogram (UDCT); 0 for none."""
    history: Annotated[int, Field(ge=0, le=100_000)] = 50
    """Size of the replay buffer of earlier restorations; 0 for none."""
    steps: Annotated[int, Field(ge=1, le=1000)] = 1
    """Discriminator steps per generator step."""
    gradient_penalty: Weight = 10.0
    """Weight of the gradient penalty of `wgan-gp`."""


class OptimiserSettings(Section):
    """Adam; the learning rate is constant, then falls linearly to almost zero."""

    generator_rate: Rate = 5e-4
    """Learning rate of the generators."""
    discriminator_rate: Rate = 2e-4
    """Learning rate of the discriminators."""
    kernel_rate: Rate = 1e-3
    """Learning rate of a learned kernel."""
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    """The two decay rates of Adam's running means, at least 0 and below 1."""
    warm_up: Delay = 0
    """Steps over which the learning rates rise from almost zero."""
    constant: Fraction = 0.5
    """Fraction of the training at the full learning rate."""
    final: Fraction = 0.02
    """Fraction of the learning rate that remains at the end."""

    def rate_of(self, group: str) -> float:
        """Return the full rate of a group of parameters: G, or those that H names."""
        return self.kernel_rate if group == "kernel" else self.generator_rate


class SamplingSettings(Section):
    """How patches are drawn from the two domains."""

    patch: Size = 32
    """Edge length of a patch in voxels, or (z, y, x)."""
    whole: bool = False
    """Draw whole images, of any size, instead of patches: for a forward model that
    acts on all of an image. `patch` is then the smallest size that is accepted."""
    batch: Count = 1
    """Patches per step."""
    foreground: Fraction = 0.5
    """Fraction of patches that are drawn where there is signal."""
    views: tuple[Literal["xy", "xz", "yz"], ...] = ("xy",)
    """Sections of the measured volumes from which planes are drawn; for others than xy,
    the volumes are first resampled to cubic voxels."""
    cubic: bool = False
    """Resample volumes to cubic voxels first, as for sections along z."""
    held_out: Decay = 0.0
    """Share of the measured images that is held out to measure the content."""
    flips: bool = True
    """Mirror patches along every axis along which the blur is symmetric."""
    quarter_turns: bool = True
    """Rotate patches by 90° in the plane if the blur allows it."""
    rotation: Annotated[float, Field(ge=0, le=360)] = 0.0
    """Largest in-plane rotation, in degrees."""
    scale: Decay = 0.0
    """Largest relative change of size."""
    translation: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    """Largest shift in voxels."""
    intensity: Decay = 0.0
    """Largest relative change of brightness."""


class Recipe(Section):
    """What is to be trained, and how.

    Parameters
    ----------
    name : str
        Name of the preset it is based on, or your own name.
    dims : int
        3 for volumes, 2 for planes.
    steps : int
        Number of training steps, unless a time in minutes is given.
    cycle_power : int
        1 or 2: the exponents p = q of the transport cost.
    precision : str
        ``"auto"`` measures which of float32, bfloat16 and float16 is fastest.

    Raises
    ------
    RecipeError
        From `parse`, `read` and `updated`, naming the field and the nearest valid one.
    """

    version: Literal[2] = VERSION
    name: str = "custom"
    dims: Literal[2, 3] = 3
    source: Source = UnpairedSource()
    forward: Forward = KernelForward()
    reconstructor: Reconstructor = PlainReconstructor()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    terms: Terms = Field(default_factory=lambda: parse_terms(DEFAULT_TERMS))
    optimiser: OptimiserSettings = OptimiserSettings()
    sampling: SamplingSettings = SamplingSettings()
    cycle_power: Literal[1, 2] = 1
    values: Literal["light", "complex"] = "light"
    """What pixels are: light above a background, or complex numbers, real and
    imaginary part in two channels, which have a scale but no offset."""
    steps: Steps = 2500
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of all random numbers: same seed, same CPU, same result."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Recipe:
        for place, needs in self._needs():
            for need in sorted(needs - self.offers):
                kind = getattr(self, need.part).kind
                raise ValueError(
                    f"{place} needs {need.what}, which the {need.part} {kind!r} does "
                    f"not offer"
                )
        if self.sampling.views != ("xy",) and self.dims != 2:
            raise ValueError("sampling.views needs dims 2")
        if self.sampling.views != ("xy",) and self.sampling.rotation:
            raise ValueError(
                "sampling.rotation would tilt the axis of the blur in sections along "
                "z: set it to 0"
            )
        if self.forward.whole and not self.sampling.whole:
            raise ValueError("H acts on whole images: set sampling.whole to true")
        if not self.active_terms:
            raise ValueError("every weight is zero: there is nothing to train")
        return self

    def _needs(self) -> Iterator[tuple[str, frozenset[Need]]]:
        """List what each part needs from the others."""
        for part in ("source", "forward", "reconstructor"):
            yield f"{part} {getattr(self, part).kind!r}", getattr(self, part).needs
        for name, term in self.active_terms.items():
            yield f"terms.{name}", term.needs
        if self.sampling.views != ("xy",):
            yield "sampling.views", frozenset({TURNED_SECTIONS})

    @property
    def offers(self) -> frozenset[Need]:
        """What the parts offer each other."""
        parts = (self.source, self.forward, self.reconstructor)
        return frozenset().union(*(part.offers for part in parts))

    @property
    def active_terms(self) -> dict[str, TermSettings]:
        """The terms with a non-zero weight."""
        return {name: term for name, term in self.terms.items() if term.weight}

    @property
    def saliency(self) -> SaliencyTerm | None:
        """The thresholds of UTOM, if the recipe has any."""
        term = self.terms.get("saliency")
        return term if isinstance(term, SaliencyTerm) else None

    @property
    def patch(self) -> tuple[int, ...]:
        """Size of a training patch, one number per axis."""
        patch = self.sampling.patch
        return (patch,) * self.dims if isinstance(patch, int) else patch

    def weights_at(self, step: int) -> dict[str, float]:
        """Return the weight of every active term at `step`."""
        return {name: term.at(step) for name, term in self.active_terms.items()}

    @field_serializer("terms")
    def _plain_terms(self, terms: dict[str, TermSettings]) -> dict[str, Any]:
        return plain_terms(terms)

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> Recipe:
        """Make a recipe of nested settings, migrating those of older versions."""
        try:
            return cls.model_validate(migrate(dict(settings)))
        except ValidationError as error:
            raise RecipeError(explain(cls, error)) from None
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise RecipeError(f"recipe: {error!s:.200}") from None

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a YAML or JSON file; see `read_yaml` for what it may contain."""
        settings = read_yaml(path)
        if not isinstance(settings, dict):
            raise RecipeError(f"{path} is not a recipe: expected `name: value` lines")
        return cls.parse(settings)

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every field written out."""
        return yaml.safe_dump(json.loads(self.model_dump_json()), sort_keys=False)

    def updated(self, changes: Mapping[str, Any]) -> Recipe:
        """Return a copy with dotted fields replaced, ``{"sampling.patch": 48}``.

        If the kind of a part changes, settings that the new kind lacks are dropped;
        names of version 1 (``"weights.cycle_x"``) are accepted.
        """
        if not isinstance(changes, Mapping):
            raise RecipeError(f"changes are a mapping by name, found {changes!r}")
        return Recipe.parse(changed(self.model_dump(mode="json"), changes))
