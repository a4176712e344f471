"""Checks of a model folder from an unknown source, before anything is built from it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from napari_blurgan.errors import BlurGANError, ModelFileError

__all__ = [
    "check_model",
    "check_training",
    "damage_refused",
    "inside",
    "refusing_damage",
]

P = ParamSpec("P")
T = TypeVar("T")
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Channels = Annotated[int, Field(ge=1, le=1024)]
Factor = Annotated[int, Field(ge=1, le=64)]


class _Part(BaseModel):
    """A part of a file; additions of later versions are allowed."""

    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True, extra="allow")


class _Level(_Part):
    offset: Finite
    scale: Positive


class _Noise(_Part):
    slope: NotNegative
    intercept: NotNegative


class _Calibration(_Part):
    y: _Level
    x: _Level
    output: _Level
    gain: Finite
    noise: _Noise


class _PsfState(_Part):
    data: Tensor
    voxel_size: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    provenance: dict[str, Any]


class _ModelState(_Part):
    recipe: dict[str, Any]
    calibration: _Calibration
    generator: dict[str, Tensor]
    channels: Annotated[list[Channels], Field(min_length=2, max_length=2)]
    pool: Annotated[list[Factor], Field(min_length=2, max_length=3)]
    blur: Tensor | None
    psf: _PsfState | None
    voxel_size: Annotated[list[Positive | None], Field(min_length=3, max_length=3)]
    id: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
    provenance: dict[str, Any]
    colour: bool = False


class _TrainingState(_Part):
    id: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
    recipe: dict[str, Any]
    calibration: _Calibration
    precision: Literal["float32", "bfloat16", "float16"]
    fingerprint: list[dict[str, Any]]
    budget: dict[str, Any]
    brake: Positive
    diagnostics: Any
    engine: dict[str, Any]


def check_model(path: Path, state: Any) -> None:
    """Raise unless `state` is that of a model with finite numbers.

    Raises
    ------
    ModelFileError
        Naming the first entry that is not as it should be.
    """
    _check(_ModelState, path, state)
    weights = dict(state["generator"]) | {"blur": state["blur"]}
    weights |= {"psf": (state["psf"] or {}).get("data")}
    for name, tensor in weights.items():
        if tensor is not None and not bool(torch.isfinite(tensor).all()):
            raise ModelFileError(f"{path} is damaged: {name} contains NaN or infinity")


def check_training(path: Path, state: Any) -> None:
    """Raise unless `state` is one from which a training can resume.

    Raises
    ------
    ModelFileError
        Naming the first entry that is not as it should be.
    """
    _check(_TrainingState, path, state)


def _check(kind: type[BaseModel], path: Path, state: Any) -> None:
    try:
        kind.model_validate(state)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its content"
        raise ModelFileError(
            f"{path} is damaged: {place:.80}: {first['msg']:.200}"
        ) from None


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a model folder.

    Raises
    ------
    ModelFileError
        If it is a link that leads out of the folder.
    """
    path = folder / name
    if path.is_symlink() and folder.resolve() not in path.resolve().parents:
        raise ModelFileError(f"{path}: is a link that leads out of the model folder")
    return path


@contextmanager
def damage_refused(path: Any) -> Iterator[None]:
    """Turn any error caused by a damaged model into a `ModelFileError` about `path`."""
    try:
        yield
    except ModelFileError:
        raise
    except (BlurGANError, OSError) as error:
        raise ModelFileError(f"{path}: cannot be read: {error}") from error
    except Exception as error:  # torch and numpy raise many kinds of errors
        said = " ".join(str(error).split())[:300]
        raise ModelFileError(
            f"{path}: is damaged, or belongs to another recipe "
            f"({type(error).__name__}: {said})"
        ) from error


def refusing_damage(read: Callable[P, T]) -> Callable[P, T]:
    """The same for a function whose first argument is the path."""

    @functools.wraps(read)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        with damage_refused(next(iter((*args, *kwargs.values())), "the model")):
            return read(*args, **kwargs)

    return guarded
