"""Which forward model H a recipe trains with: the kinds and what each offers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from napari_blurgan.methods.parts import (
    ADJOINT,
    DEEP,
    ESTIMATE,
    KERNEL,
    LEARNED_KERNEL,
    NETWORK,
    TURNED_SECTIONS,
    WAY_BACK,
    Delay,
    Fraction,
    Kinds,
    Length,
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
    """H, the forward model from x to y.

    Attributes
    ----------
    home : str
        ``"package.module:function"`` that makes the `Physics`, of a `Site`; or yields
        it, after a model that can be looked through earlier.
    domains : pair of str
        What the measured and the sharp images are called.
    photometric : bool
        Whether x and y are light on one scale: both start at the background, and what
        is measured of the noise of y holds for Hx. Otherwise each domain has levels of
        its own, and no noise is added.
    one_channel : bool
        Whether it acts on images of a single channel.
    whole : bool
        Whether every value of y depends on all of x, so that no patches can be drawn.
    remade : str
        ``"package.module:function"`` that makes H again of these settings and the gain,
        for a restoration with H inside; empty where it is a kernel, which is stored, or
        has no adjoint.
    frozen_steps : int
        Steps before its parameters start to learn.
    noise : bool
        Whether Hx gets the noise that was measured in y before G sees it.
    """

    home: ClassVar[str]
    domains: ClassVar[tuple[str, str]] = ("blurred images", "sharp images")
    photometric: ClassVar[bool] = True
    one_channel: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    remade: ClassVar[str] = ""

    frozen_steps: Delay = 0
    noise: bool = True

    @property
    def widest(self) -> float:
        """Share by which the blur of Hx may be wider than that of the estimate."""
        return 0.0

    @property
    def doubt(self) -> float:
        """Share by which the blur may be narrower or wider than the given one."""
        return 0.0

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model."""
        return frozenset({WAY_BACK})


class KernelForward(ForwardSettings):
    """A blur kernel, given or learned."""

    kind: Literal["kernel"] = "kernel"
    home: ClassVar[str] = f"{HERE}.kernel:kernel_physics"
    one_channel: ClassVar[bool] = True

    learned: bool = False
    """Whether the kernel is learned (blind) or kept fixed."""
    parametrisation: Literal["free", "softmax", "pupil"] = "pupil"
    """An optical pupil, non-negative values that sum to one, or free values."""
    start: Literal["auto", "psf", "optics", "spectral", "gaussian", "random"] = "auto"
    """Source of the initial kernel; `auto` uses the best that is available."""
    aberrations: tuple[Aberration, ...] = ()
    """Aberrations of the pupil to learn, in addition to its aperture and wavelength."""
    size: tuple[Length, ...] | None = None
    """Support in voxels, (z, y, x); by default chosen from the optics."""
    frozen_steps: Delay = 100
    """Steps before the kernel starts to learn, after G."""
    widen: Fraction = 0.0
    """Largest share by which the blur of Hx is wider than that of the estimate, drawn
    at random: G then tolerates longer wavelengths, and is less accurate at its own."""

    tolerance: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest share by which a fixed PSF may be too wide, like that of too small an NA:
    a narrower one is used if it predicts held-out photons better."""
    thickness: Annotated[float, Field(ge=0, le=1000)] | Literal["auto"] = 0.0
    """Thickness of the sample around a single plane, in µm: out-of-focus light from it
    is part of the blur. `auto` uses the one that predicts held-out photons best."""

    @property
    def widest(self) -> float:
        """See `widen`."""
        return self.widen

    @model_validator(mode="after")
    def _one_way_to_find_it(self) -> KernelForward:
        if self.learned and self.tolerance:
            raise ValueError(
                "use either forward.learned or forward.tolerance: the width of a "
                "learned blur needs no tolerance"
            )
        if self.learned and self.thickness:
            raise ValueError(
                "use either forward.learned or forward.thickness: a learned blur "
                "contains the out-of-focus light"
            )
        return self

    @property
    def doubt(self) -> float:
        """See `tolerance`."""
        return self.tolerance

    @property
    def offers(self) -> frozenset[Need]:
        """A blur kernel, learned or not."""
        learned = {LEARNED_KERNEL} if self.learned else set()
        return frozenset({WAY_BACK, KERNEL, ADJOINT} | learned)

    @property
    def needs(self) -> frozenset[Need]:
        """An estimate, if the blur of Hx may be wider than its blur."""
        return frozenset({ESTIMATE}) if self.widen else frozenset()


class NetworkForward(ForwardSettings):
    """A second deep network with the architecture of G, as in a cycleGAN."""

    kind: Literal["network"] = "network"
    home: ClassVar[str] = f"{HERE}.network:network_physics"
    domains: ClassVar[tuple[str, str]] = ("images of domain A", "images of domain B")
    photometric: ClassVar[bool] = False
    cites: ClassVar[tuple[str, ...]] = ("zhu2017", "sim2020")

    noise: bool = False

    @property
    def needs(self) -> frozenset[Need]:
        """A network to be like."""
        return frozenset({DEEP})

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model, also for sections along z."""
        return frozenset({WAY_BACK, NETWORK, TURNED_SECTIONS})


class NoForward(ForwardSettings):
    """No forward model: the output of G is compared in x only."""

    kind: Literal["none"] = "none"
    home: ClassVar[str] = f"{HERE}.none:no_physics"

    @property
    def offers(self) -> frozenset[Need]:
        """Nothing."""
        return frozenset()


class OwnForward(ForwardSettings):
    """A forward model that is passed to the training as an object."""

    kind: Literal["own"] = "own"
    home: ClassVar[str] = f"{HERE}.own:own_physics"


FORWARDS: Kinds[ForwardSettings] = Kinds(
    "forward",
    {
        "kernel": "napari_blurgan.methods.forwards:KernelForward",
        "network": "napari_blurgan.methods.forwards:NetworkForward",
        "none": "napari_blurgan.methods.forwards:NoForward",
        "own": "napari_blurgan.methods.forwards:OwnForward",
        "axial-blur": f"{HERE}.axial_blur:AxialBlurForward",
        "axial-subsampling": f"{HERE}.axial:AxialForward",
        "k-space-mask": f"{HERE}.kspace:KSpaceForward",
    },
)
