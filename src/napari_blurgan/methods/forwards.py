"""Which forward model H a recipe trains with: the kinds and what each offers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from napari_blurgan.methods.parts import (
    ESTIMATE,
    KERNEL,
    LEARNED_KERNEL,
    NETWORK,
    TURNED_SECTIONS,
    WAY_BACK,
    Kinds,
    Need,
    Part,
)

__all__ = [
    "FORWARDS",
    "ForwardSettings",
    "KernelForward",
    "NetworkForward",
    "NoForward",
    "OwnForward",
]

HERE = "napari_blurgan.forward"
Aberration = Literal[
    "spherical", "coma-y", "coma-x", "astigmatism", "astigmatism-oblique"
]


class ForwardSettings(Part):
    """H, the way back from x to y.

    Attributes
    ----------
    home : str
        ``"package.module:function"`` that makes the `Physics`, of a `Site`.
    expects : str
        The same of what makes the blur that is expected before the images are asked,
        or None; empty where there never is one.
    domains : pair of str
        What the measured and the sharp images are called.
    photometric : bool
        Whether x and y are light on one scale: both start at the background, and what
        is measured of the noise of y holds for Hx. Otherwise each domain has levels of
        its own, and no noise is added.
    one_channel : bool
        Whether it acts on images of a single channel.
    frozen_steps : int
        Steps before its parameters start to learn.
    noise : bool
        Whether Hx gets the noise that was measured in y before G sees it.
    """

    home: ClassVar[str]
    expects: ClassVar[str] = ""
    domains: ClassVar[tuple[str, str]] = ("blurred images", "sharp images")
    photometric: ClassVar[bool] = True
    one_channel: ClassVar[bool] = False

    frozen_steps: NonNegativeInt = 0
    noise: bool = True

    @property
    def widest(self) -> float:
        """Share by which the blur of Hx may be wider than that of the estimate."""
        return 0.0

    @property
    def doubt(self) -> float:
        """Share by which the blur may be narrower or wider than what was given."""
        return 0.0

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model."""
        return frozenset({WAY_BACK})


class KernelForward(ForwardSettings):
    """A blur kernel, given or learned."""

    kind: Literal["kernel"] = "kernel"
    home: ClassVar[str] = f"{HERE}.kernel:kernel_physics"
    expects: ClassVar[str] = f"{HERE}.kernel:expected_blur"
    one_channel: ClassVar[bool] = True

    learned: bool = False
    """Whether the kernel is learned (blind) or kept."""
    parametrisation: Literal["free", "softmax", "pupil"] = "pupil"
    """A pupil of optics, non-negative values that sum to one, or free values."""
    start: Literal["auto", "psf", "optics", "spectral", "gaussian", "random"] = "auto"
    """Where the kernel comes from; `auto` takes the best that is known."""
    aberrations: tuple[Aberration, ...] = ()
    """Of the pupil, to be learned besides its aperture and wavelength."""
    size: tuple[PositiveInt, ...] | None = None
    """Support in voxels, (z, y, x); chosen from the optics where not given."""
    frozen_steps: NonNegativeInt = 100
    """Steps before the kernel starts to learn: first G, then h."""
    widen: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share by which the blur of Hx is wider than that of the estimate, at the most and
    at random: G then bears images of longer waves, and does less well on its own."""

    tolerance: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share by which a PSF that is not learned may be too wide, as that of too small an
    NA is: a narrower one is taken where it predicts unseen photons better."""

    @property
    def widest(self) -> float:
        """As `widen` says."""
        return self.widen

    @model_validator(mode="after")
    def _one_way_to_find_it(self) -> KernelForward:
        if self.learned and self.tolerance:
            raise ValueError(
                "a blur is learned, or its width is looked for: leave out "
                "forward.learned or forward.tolerance"
            )
        return self

    @property
    def doubt(self) -> float:
        """As `tolerance` says."""
        return self.tolerance

    @property
    def offers(self) -> frozenset[Need]:
        """A blur kernel, learned or not."""
        learned = {LEARNED_KERNEL} if self.learned else set()
        return frozenset({WAY_BACK, KERNEL} | learned)

    @property
    def needs(self) -> frozenset[Need]:
        """An estimate, whose blur that of Hx could be wider than."""
        return frozenset({ESTIMATE}) if self.widen else frozenset()


class NetworkForward(ForwardSettings):
    """A second deep network of the architecture of G, as in a cycleGAN."""

    kind: Literal["network"] = "network"
    home: ClassVar[str] = f"{HERE}.network:network_physics"
    domains: ClassVar[tuple[str, str]] = ("images of domain A", "images of domain B")
    photometric: ClassVar[bool] = False
    cites: ClassVar[tuple[str, ...]] = ("zhu2017", "sim2020")

    noise: bool = False

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model, for sections along z too."""
        return frozenset({WAY_BACK, NETWORK, TURNED_SECTIONS})


class NoForward(ForwardSettings):
    """No way back: what G makes is compared in x alone."""

    kind: Literal["none"] = "none"
    home: ClassVar[str] = f"{HERE}.none:no_physics"

    @property
    def offers(self) -> frozenset[Need]:
        """Nothing."""
        return frozenset()


class OwnForward(ForwardSettings):
    """A forward model that is handed to the training as an object."""

    kind: Literal["own"] = "own"
    home: ClassVar[str] = f"{HERE}.own:own_physics"


FORWARDS: Kinds[ForwardSettings] = Kinds(
    "forward",
    {
        "kernel": "napari_blurgan.methods.forwards:KernelForward",
        "network": "napari_blurgan.methods.forwards:NetworkForward",
        "none": "napari_blurgan.methods.forwards:NoForward",
        "own": "napari_blurgan.methods.forwards:OwnForward",
        "axial-subsampling": f"{HERE}.axial:AxialForward",
    },
)
