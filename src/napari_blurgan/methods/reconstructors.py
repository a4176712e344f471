"""Which reconstructor G a recipe trains: the kinds and what each offers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from napari_blurgan.methods.parts import ESTIMATE, KERNEL, Kinds, Need, Part

__all__ = [
    "RECONSTRUCTORS",
    "PlainReconstructor",
    "ReconstructorSettings",
    "RefiningReconstructor",
]

HERE = "napari_blurgan.reconstructors"

START = 30
"""Iterations where "auto" has not been settled yet."""


class ReconstructorSettings(Part):
    """G, the deep map from measured y to x.

    Attributes
    ----------
    home : str
        ``"package.module:function"`` that builds it.
    """

    home: ClassVar[str]

    network: Literal["unet", "resnet"] = "unet"
    """Which deep network."""
    base: Annotated[int, Field(ge=1, le=4096)] = 8
    """Channels at full resolution; each level doubles them."""
    levels: Annotated[int, Field(ge=1, le=12)] = 3
    """Resolutions of a U-Net, the full one included."""
    convolutions: Annotated[int, Field(ge=1, le=64)] = 2
    """At each level of a U-Net, going down and going up."""
    blocks: Annotated[int, Field(ge=1, le=256)] = 6
    """Residual blocks of a ResNet."""
    first_kernel: Annotated[int, Field(ge=1, le=99)] = 3
    """Odd size of the first convolution."""
    upsampling: Literal["nearest", "transposed"] = "nearest"
    """Of the resnet, going up: "transposed" is a trainable strided convolution."""
    norm: Literal["batch", "instance", "none"] = "batch"
    """Between convolutions; with `instance`, tiles differ from the whole."""
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.02
    """Of the running statistics of batch norm."""
    output: Literal["linear", "sigmoid"] = "linear"
    """What follows the last convolution."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average that is kept as the result; 0: none."""

    @model_validator(mode="after")
    def _network_has_it(self) -> Self:
        if self.upsampling != "nearest" and self.network == "unet":
            raise ValueError("upsampling 'transposed' needs network 'resnet'")
        return self

    @property
    def estimate_iterations(self) -> int:
        """Accelerated Richardson-Lucy iterations of the estimate; 0: there is none."""
        return 0

    @property
    def settled(self) -> bool:
        """Whether nothing of it has yet to be found in the data."""
        return True

    @property
    def estimate_depths(self) -> int:
        """Estimates, each after twice the iterations of the one before."""
        return 1

    @property
    def renew_every(self) -> int:
        """Steps after which the next part of the source is brought up to date."""
        return 0


class PlainReconstructor(ReconstructorSettings):
    """A network alone: G(y) = f(y)."""

    kind: Literal["plain"] = "plain"
    home: ClassVar[str] = f"{HERE}.plain:build_plain"


class RefiningReconstructor(ReconstructorSettings):
    """A network that refines Richardson-Lucy: G(y) = r + f([y, r])."""

    kind: Literal["refining"] = "refining"
    home: ClassVar[str] = f"{HERE}.refining:build_refining"

    iterations: Annotated[int, Field(ge=1, le=1000)] | Literal["auto"] = 30
    """Accelerated Richardson-Lucy iterations of the estimate r; "auto" takes as many as
    predict half of the photons best from the other half."""
    depths: Annotated[int, Field(ge=1, le=6)] = 1
    """Estimates that G sees: after all iterations, half of them, a quarter ..."""
    renew: PositiveInt = 40
    """Steps after which the estimate of the next block is made anew; of one larger than
    48 x 96 x 96 voxels after as many times more."""

    @property
    def renew_every(self) -> int:
        """As `renew` says."""
        return self.renew

    @property
    def estimate_iterations(self) -> int:
        """As `iterations` says; `START` until their number is found."""
        return START if self.iterations == "auto" else self.iterations

    @property
    def settled(self) -> bool:
        """Whether the number of iterations is known."""
        return self.iterations != "auto"

    @property
    def estimate_depths(self) -> int:
        """As `depths` says."""
        return self.depths

    @property
    def needs(self) -> frozenset[Need]:
        """A blur kernel, which the estimate undoes."""
        return frozenset({KERNEL})

    @property
    def offers(self) -> frozenset[Need]:
        """An estimate."""
        return frozenset({ESTIMATE})


RECONSTRUCTORS: Kinds[ReconstructorSettings] = Kinds(
    "reconstructor",
    {
        "plain": "napari_blurgan.methods.reconstructors:PlainReconstructor",
        "refining": "napari_blurgan.methods.reconstructors:RefiningReconstructor",
    },
)
