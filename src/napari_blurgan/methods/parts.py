"""What a recipe is made of: parts that are chosen by kind and answer for themselves.

A source, a forward model H, a reconstructor G and the terms of the loss are settings of
their own kind each. A kind is registered by name with the place of its settings, which
are imported when a recipe first asks for that kind; the settings know what builds the
part. Nothing else in the program knows a kind by name.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.length import MOST_STEPS

__all__ = [
    "ADJOINT",
    "DEEP",
    "DISTRIBUTION",
    "ESTIMATE",
    "HIDDEN",
    "KERNEL",
    "LEARNED_KERNEL",
    "NETWORK",
    "PAIRS",
    "RESAMPLED",
    "SHARP",
    "TURNED_SECTIONS",
    "UNSEEN",
    "WAY_BACK",
    "Count",
    "Decay",
    "Delay",
    "Fraction",
    "Grey",
    "Kinds",
    "Length",
    "Need",
    "Part",
    "Rate",
    "Section",
    "Slope",
    "Steps",
    "Weight",
    "explain",
    "field_names",
    "load",
    "unknown",
]


# Every number of a recipe has two ends: without an upper one, it asks for any amount of
# memory or time, and that is found out by a machine that stands still.
Count = Annotated[int, Field(ge=1, le=4096)]
"""Of things that are all in memory at once."""
Length = Annotated[int, Field(ge=1, le=100_000)]
"""In voxels, along an axis."""
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Delay = Annotated[int, Field(ge=0, le=MOST_STEPS)]
"""Steps before something begins."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
"""Of learning."""
Weight = Annotated[float, Field(ge=0, le=1e9)]
Slope = Annotated[float, Field(gt=0, le=1e6)]
Grey = Annotated[float, Field(ge=-1e30, le=1e30)]
"""Grey levels."""

ALTERNATIVES = ("int", "float", "constrained-int", "constrained-float")


class Section(BaseModel):
    """A frozen part of a recipe; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a truth value (`yes` in YAML), which would count as 1."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and not _takes_truth(field.annotation):
            raise ValueError(f"found {value}, which is not a number")
        return value


def _takes_truth(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(map(_takes_truth, get_args(annotation)))


class Need(NamedTuple):
    """Something that one part of a recipe needs from another.

    Parameters
    ----------
    part : str
        Of the recipe, that could offer it.
    what : str
        In words.
    """

    part: str
    what: str


SHARP = Need("source", "sharp images")
PAIRS = Need("source", "matched pairs")
UNSEEN = Need("source", "photons that G has not seen")
RESAMPLED = Need("source", "simulated measurements of its estimates")
HIDDEN = Need("source", "a part of each measurement that G has not seen")
WAY_BACK = Need("forward", "a forward model")
ADJOINT = Need("forward", "an adjoint")
KERNEL = Need("forward", "a blur kernel")
LEARNED_KERNEL = Need("forward", "a learned kernel")
NETWORK = Need("forward", "a network as forward model")
TURNED_SECTIONS = Need("forward", "sections along z, used as planes")
ESTIMATE = Need("reconstructor", "an estimate to refine")
DEEP = Need("reconstructor", "a U-Net or a ResNet")
DISTRIBUTION = Need("reconstructor", "a distribution of images")


class Part(Section):
    """Settings of one kind of a part.

    Attributes
    ----------
    kind : str
        The name under which it is registered.
    cites : tuple of str
        Papers that it is taken from, by their keys in `methods/references.py`.
    """

    cites: ClassVar[tuple[str, ...]] = ()

    kind: str

    @property
    def needs(self) -> frozenset[Need]:
        """What it needs from the other parts."""
        return frozenset()

    @property
    def offers(self) -> frozenset[Need]:
        """What it offers the other parts."""
        return frozenset()


def load(home: str) -> Any:
    """Import the object at ``"package.module:name"``."""
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)


S = TypeVar("S", bound=Section)


class Kinds(Generic[S]):
    """The kinds of one part, by name.

    Parameters
    ----------
    part : str
        The field of the recipe, for messages.
    homes : mapping
        Kind to ``"package.module:Settings"``, imported when the kind is first used.
    """

    def __init__(self, part: str, homes: Mapping[str, str]) -> None:
        self.part = part
        self._homes = dict(homes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def register(self, kind: str, home: str) -> None:
        """Add a kind; its module need not be imported yet."""
        self._homes[kind] = home

    def __getitem__(self, kind: str) -> type[S]:
        if kind not in self._homes:
            near = difflib.get_close_matches(str(kind), self._homes, n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            choice = hint or f"choose from {', '.join(self._homes)}"
            raise RecipeError(f"recipe: there is no {self.part} {kind!r:.60}; {choice}")
        settings: type[S] = load(self._homes[kind])
        return settings

    def parse(self, value: Any) -> Any:
        """Turn a mapping with a ``kind`` into the settings of that kind."""
        if not isinstance(value, Mapping) or "kind" not in value:
            return value
        return self.make(value["kind"], value, self.part)

    def make(self, kind: str, value: Mapping[str, Any], place: str) -> S:
        """Return the settings of a kind; `place` names them in messages."""
        settings = self[kind]
        try:
            return settings.model_validate(dict(value))
        except ValidationError as error:
            raise RecipeError(explain(settings, error, place)) from None


def explain(model: type[BaseModel], error: ValidationError, within: str = "") -> str:
    """Return a message of one line about the first invalid field."""
    first = error.errors()[0]
    place = [within, *map(str, first["loc"])] if within else [*map(str, first["loc"])]
    if first["type"] == "extra_forbidden":
        known = field_names(model, f"{within}." if within else "")
        return unknown(".".join(place), known)
    # Of alternatives, such as a number or "auto", pydantic names the type as well.
    named = ".".join(part for part in place if part not in ALTERNATIVES)
    message = str(first["msg"]).removeprefix("Value error, ")
    return (
        f"recipe: {named:.100}: {message:.300}" if named else f"recipe: {message:.300}"
    )


def unknown(place: str, valid: list[str]) -> str:
    """Return a message about an unknown field, with the nearest known one."""
    near = difflib.get_close_matches(place, valid, n=1, cutoff=0.5)
    near = near or [f for f in valid if f.split(".")[-1] == place.split(".")[-1]][:1]
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"recipe: there is no field {place:.100}{hint}"


def field_names(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return the dotted names of all fields."""
    names = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += field_names(inner, f"{prefix}{name}.")
    return names
