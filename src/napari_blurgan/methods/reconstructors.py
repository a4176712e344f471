"""Which reconstructor G a recipe trains: the kinds and what each offers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from napari_blurgan.methods.parts import (
    DEEP,
    ESTIMATE,
    KERNEL,
    Kinds,
    Need,
    Part,
    Steps,
)

__all__ = [
    "RECONSTRUCTORS",
    "NetworkReconstructor",
    "PlainReconstructor",
    "ReconstructorSettings",
    "RefiningReconstructor",
]

HERE = "napari_blurgan.reconstructors"

START = 30
"""Iterations until "auto" has been determined."""


class ReconstructorSettings(Part):
    """G, the network that maps a measured y to x.

    Attributes
    ----------
    home : str
        ``"package.module:function"`` that builds it.
    """

    home: ClassVar[str]

    base: Annotated[int, Field(ge=1, le=4096)] = 8
    """Channels at full resolution; each level doubles them."""
    levels: Annotated[int, Field(ge=1, le=12)] = 3
    """Number of resolutions, including the full one."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average of the weights; 0 for none."""

    @property
    def depends_on_tile(self) -> bool:
        """Whether a part of an image is restored differently from the whole."""
        return False

    @property
    def estimate_iterations(self) -> int:
        """Accelerated Richardson-Lucy iterations of the estimate; 0 without one."""
        return 0

    @property
    def settled(self) -> bool:
        """Whether the number of iterations is known, and need not be found."""
        return True

    @property
    def estimate_grain(self) -> float:
        """Standard deviation of the grains of the estimate, in voxels of a plane."""
        return 0.0

    @property
    def grain_settled(self) -> bool:
        """Whether the grain is known, and need not be found."""
        return True

    @property
    def estimate_depths(self) -> int:
        """Number of estimates, each after twice the iterations of the one before."""
        return 1

    @property
    def renew_every(self) -> int:
        """Steps between two updates of a part of the source."""
        return 0

    @property
    def adds_to_input(self) -> bool:
        """Whether G(y) is y and something, so that both have as many channels."""
        return False

    @property
    def keeps_blur(self) -> bool:
        """Whether a blur is part of G, and of the model."""
        return self.estimate_iterations > 0


class NetworkReconstructor(ReconstructorSettings):
    """A U-Net or a ResNet, with or without something beside it."""

    network: Literal["unet", "resnet"] = "unet"
    """Architecture of the network."""
    convolutions: Annotated[int, Field(ge=1, le=64)] = 2
    """Convolutions at each level of a U-Net, both in the encoder and in the decoder."""
    blocks: Annotated[int, Field(ge=1, le=256)] = 6
    """Residual blocks of a ResNet."""
    first_kernel: Annotated[int, Field(ge=1, le=99)] = 3
    """Kernel size of the first convolution, odd."""
    upsampling: Literal["nearest", "transposed"] = "nearest"
    """Up-sampling of a ResNet; "transposed" is a trainable strided convolution."""
    norm: Literal["batch", "instance", "none"] = "batch"
    """Normalisation between convolutions; with `instance`, tiles differ from the
    whole."""
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.02
    """Momentum of the running statistics of batch norm."""
    output: Literal["linear", "sigmoid"] = "linear"
    """Activation after the last convolution."""
    hidden: Literal["relu", "leaky"] = "relu"
    """Activation after every convolution of a U-Net but the last."""

    @model_validator(mode="after")
    def _network_has_it(self) -> Self:
        if self.upsampling != "nearest" and self.network == "unet":
            raise ValueError("upsampling 'transposed' needs network 'resnet'")
        if self.hidden != "relu" and self.network == "resnet":
            raise ValueError(f"hidden {self.hidden!r} needs network 'unet'")
        return self

    @property
    def depends_on_tile(self) -> bool:
        """Whether the statistics of the image itself normalise it."""
        return self.norm == "instance"

    @property
    def offers(self) -> frozenset[Need]:
        """A network, of which a second one can be made."""
        return frozenset({DEEP})


class PlainReconstructor(NetworkReconstructor):
    """A network alone: G(y) = f(y)."""

    kind: Literal["plain"] = "plain"
    home: ClassVar[str] = f"{HERE}.plain:build_plain"

    residual: bool = False
    """Whether the network adds to its input: G(y) = y + f(y)."""

    @property
    def adds_to_input(self) -> bool:
        """See `residual`."""
        return self.residual


class RefiningReconstructor(NetworkReconstructor):
    """A network that refines Richardson-Lucy: G(y) = r + f([y, r])."""

    kind: Literal["refining"] = "refining"
    home: ClassVar[str] = f"{HERE}.refining:build_refining"

    iterations: Annotated[int, Field(ge=1, le=1000)] | Literal["auto"] = 30
    """Accelerated Richardson-Lucy iterations of the estimate r; "auto" uses the number
    with which half of the photons best predicts the other half."""
    grain: Annotated[float, Field(ge=0, le=20)] | Literal["auto"] = 0.0
    """Standard deviation, in voxels of a plane, of Gaussians that the estimate is made
    of, so that it has no finer detail; "auto" uses that with which half of the photons
    best predicts the other half, or 0 if the number of iterations is given."""
    depths: Annotated[int, Field(ge=1, le=6)] = 1
    """Estimates passed to G: after all iterations, half of them, a quarter and so
    on."""
    renew: Steps = 40
    """Steps between two updates; each recomputes the estimate of one block. For blocks
    larger than 48 x 96 x 96 voxels, the interval is longer in proportion."""

    @property
    def renew_every(self) -> int:
        """See `renew`."""
        return self.renew

    @property
    def estimate_iterations(self) -> int:
        """See `iterations`; `START` until their number is found."""
        return START if self.iterations == "auto" else self.iterations

    @property
    def settled(self) -> bool:
        """Whether the number of iterations is known."""
        return self.iterations != "auto"

    @property
    def estimate_grain(self) -> float:
        """See `grain`; 0 until it is found."""
        return 0.0 if self.grain == "auto" else self.grain

    @property
    def grain_settled(self) -> bool:
        """Whether the grain is known."""
        return self.grain != "auto"

    @property
    def estimate_depths(self) -> int:
        """See `depths`."""
        return self.depths

    @property
    def needs(self) -> frozenset[Need]:
        """A blur kernel, for the estimate."""
        return frozenset({KERNEL})

    @property
    def offers(self) -> frozenset[Need]:
        """An estimate, beside the network."""
        return super().offers | {ESTIMATE}


RECONSTRUCTORS: Kinds[ReconstructorSettings] = Kinds(
    "reconstructor",
    {
        "plain": "napari_blurgan.methods.reconstructors:PlainReconstructor",
        "refining": "napari_blurgan.methods.reconstructors:RefiningReconstructor",
        "unrolled": f"{HERE}.unrolled:UnrolledReconstructor",
        "variational": f"{HERE}.variational:VariationalReconstructor",
    },
)
