"""One batch of y and x, and the images that G and H produce from it, on demand."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor
from torch.nn import functional as F

from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.reconstructors.reconstructor import Inferred
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw

__all__ = ["Transported", "crop_like", "trim"]


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
    """y and x, and G(y), Hx, G(Hx), HG(y), each computed once, when first used.

    Tensors are (n, c, [z,] y, x) in normalised intensities. y and x may extend beyond
    the patch by the margin of the blur.

    Parameters
    ----------
    transport : Transport
        The networks.
    draw : Draw
        A batch.
    patch : tuple of int or None
        Size of what the networks see; None where they see whole images, of any size.
    power : int
        1 or 2, the exponent of the transport cost.
    """

    def __init__(
        self,
        transport: Transport,
        draw: Draw,
        patch: tuple[int, ...] | None,
        power: int = 1,
    ) -> None:
        self.transport = transport
        self.drawn = draw
        self.patch = patch
        self.power = power

    def distance(self, real: Tensor, made: Tensor) -> Tensor:
        """Return the mean of |real - made|^power where both are known."""
        difference = crop_like(real, made) - made
        return (
            difference.abs().mean() if self.power == 1 else difference.square().mean()
        )

    @cached_property
    def y(self) -> Tensor:
        """The measured patch."""
        return self.centre(self.drawn.y)

    @cached_property
    def estimate(self) -> Tensor | None:
        """The estimates that G refines."""
        return self._centre_of(self.drawn.estimate)

    @cached_property
    def x(self) -> Tensor:
        """The sharp patch."""
        return self.centre(self._wide_x)

    @cached_property
    def inferred(self) -> Inferred:
        """G(y), with all that G knows of it."""
        return self.transport.infer(self.y, self.estimate)

    @property
    def x_hat(self) -> Tensor:
        """G(y)."""
        return self.inferred.image

    @property
    def divergence(self) -> Tensor:
        """Of the distribution that G(y) is drawn from, (parts,), in nats per voxel."""
        assert self.inferred.divergence is not None, "a recipe is checked"
        return self.inferred.divergence

    @cached_property
    def y_hat(self) -> Tensor:
        """Hx, differentiable in H, without noise."""
        return self.centre(self.transport.to_y(self._wide_x))

    @cached_property
    def x_cycle(self) -> Tensor:
        """G(Hx), with noise added to Hx."""
        if self.drawn.simulated is None:
            return self.transport.to_x(self.transport.add_noise(self.y_hat))
        simulated = self.centre(self.drawn.simulated)
        estimate = self._centre_of(self.drawn.simulated_estimate)
        return self.transport.to_x(simulated, estimate)

    @cached_property
    def y_cycle(self) -> Tensor:
        """H G(y); light blurred into the patch from outside comes from the estimate."""
        return self._measured_by(self.transport.matching(self.y))

    @cached_property
    def y_again(self) -> Tensor:
        """H G(y) of another measurement: lines of a random mask, for example, differ.

        It includes noise.
        """
        anew = self._measured_by(self.transport.forward_model)
        return self.transport.add_noise(anew)

    def _measured_by(self, forward: ForwardModel) -> Tensor:
        estimate = self.drawn.estimate
        if estimate is None:
            made: Tensor = forward(self.x_hat)
            return made
        estimate = estimate[:, -1:]
        correction = self.x_hat - crop_like(estimate, self.x_hat)
        wide: Tensor = forward(estimate + _pad_like(correction, estimate))
        return wide

    @cached_property
    def x_identity(self) -> Tensor:
        """G(x)."""
        return self.transport.to_x(self.x)

    @property
    def contribution(self) -> Tensor:
        """The correction of the network; G(y) itself without an estimate."""
        if self.estimate is None:
            return self.x_hat
        return self.x_hat - self.estimate[:, -1:]

    @property
    def _wide_x(self) -> Tensor:
        assert self.drawn.x is not None, "a recipe is checked against its source"
        return self.drawn.x

    def centre(self, image: Tensor) -> Tensor:
        """Return the patch in the middle of an image that extends beyond it."""
        if self.patch is None:
            return image
        sizes = zip(image.shape[2:], self.patch, strict=True)
        return trim(image, tuple(max(n - p, 0) // 2 for n, p in sizes))

    def _centre_of(self, image: Tensor | None) -> Tensor | None:
        return None if image is None else self.centre(image)


def _pad_like(image: Tensor, other: Tensor) -> Tensor:
    """Pad `image`, which covers the centre of `other`, with zeros."""
    pairs = zip(other.shape[2:], image.shape[2:], strict=True)
    edges = [(n - m) // 2 for n, m in pairs]
    return F.pad(image, [edge for e in reversed(edges) for edge in (e, e)])
