"""One batch of y and x, and what the two generators make of it, on demand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from napari_blurgan.transport.assembly import Transport

__all__ = ["Transported", "crop_like", "present", "trim"]

Part = TypeVar("Part")


def present(part: Part | None) -> Part:
    """Return `part`; a recipe is checked so that what its terms use is there."""
    assert part is not None
    return part


def trim(image: Tensor, voxels: tuple[int, ...]) -> Tensor:
    """Cut `voxels` off both ends of each of the last axes."""
    for axis, cut in enumerate(voxels, start=-len(voxels)):
        image = image.narrow(axis, cut, image.shape[axis] - 2 * cut)
    return image


def crop_like(image: Tensor, other: Tensor) -> Tensor:
    """Return the centre of `image` that `other` covers."""
    pairs = zip(image.shape[2:], other.shape[2:], strict=True)
    return trim(image, tuple((n - m) // 2 for n, m in pairs))


class Transported:
    """y and x, and G(y), Hx, G(Hx), HG(y), each computed once, when first asked for.

    Tensors are (n, c, [z,] y, x) in normalised intensities. y and x may reach beyond
    the patch by what the blur consumes.

    Parameters
    ----------
    transport : Transport
        The networks.
    y : Tensor
        Measured; where the generator refines, with its estimate as a last channel.
    x : Tensor
        Sharp; where the generator refines, with a simulated measurement of it and the
        estimate from that.
    patch : tuple of int
        Size of what the networks see.
    power : int
        1 or 2, the exponent of the transport cost.
    """

    def __init__(
        self,
        transport: Transport,
        y: Tensor,
        x: Tensor,
        patch: tuple[int, ...],
        power: int = 1,
    ) -> None:
        self.transport = transport
        self.wide_y, self.wide_x = y, x
        self.patch = patch
        self.refines = transport.generator.refines
        self.power = power

    def distance(self, real: Tensor, made: Tensor) -> Tensor:
        """Return the mean of |real - made|^power where both are known."""
        difference = crop_like(real, made) - made
        return (
            difference.abs().mean() if self.power == 1 else difference.square().mean()
        )

    @cached_property
    def y(self) -> Tensor:
        """The measured patch, without an estimate."""
        return self._centre(self.wide_y[:, :-1] if self.refines else self.wide_y)

    @cached_property
    def x(self) -> Tensor:
        """The sharp patch."""
        return self._centre(self._sharp)

    @cached_property
    def x_hat(self) -> Tensor:
        """G(y)."""
        return self.transport.to_x(self._centre(self.wide_y))

    @cached_property
    def y_hat(self) -> Tensor:
        """Hx, differentiable in H, without noise."""
        return self._centre(self.transport.to_y(self._sharp))

    @cached_property
    def x_cycle(self) -> Tensor:
        """G(Hx), noise added."""
        if self.refines:
            return self.transport.to_x(self._centre(self.wide_x[:, 1:]))
        return self.transport.to_x(self.transport.add_noise(self.y_hat))

    @cached_property
    def y_cycle(self) -> Tensor:
        """H G(y): of a patch, what is blurred in from beyond is the estimate's."""
        if not self.refines:
            return self.transport.to_y(self.x_hat)
        estimate = self.wide_y[:, -1:]
        correction = self.x_hat - crop_like(estimate, self.x_hat)
        return self.transport.to_y(estimate + _pad_like(correction, estimate))

    @cached_property
    def x_identity(self) -> Tensor:
        """G(x)."""
        return self.transport.to_x(self.x)

    def real_and_made(self, domain: str) -> tuple[Tensor, Tensor]:
        """Return what a potential is to tell apart: x and G(y), or y and Hx."""
        if domain == "x":
            return self.x, self.x_hat
        return self.y, self.transport.add_noise(self.y_hat)

    @property
    def contribution(self) -> Tensor:
        """What the network adds to its estimate; G(y) itself where there is none."""
        if not self.refines:
            return self.x_hat
        return self.x_hat - self._centre(self.wide_y)[:, -1:]

    @property
    def _sharp(self) -> Tensor:
        return self.wide_x[:, :1] if self.refines else self.wide_x

    def _centre(self, image: Tensor) -> Tensor:
        sizes = zip(image.shape[2:], self.patch, strict=True)
        return trim(image, tuple(max(n - p, 0) // 2 for n, p in sizes))


def _pad_like(image: Tensor, other: Tensor) -> Tensor:
    """Put zeros round `image`, which covers the centre of `other`."""
    pairs = zip(other.shape[2:], image.shape[2:], strict=True)
    edges = [(n - m) // 2 for n, m in pairs]
    return F.pad(image, [edge for e in reversed(edges) for edge in (e, e)])
