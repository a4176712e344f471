"""The adversarial loss in its four usual forms.

The dual of the transport problem has two 1-Lipschitz potentials (Lim et al. 2020, eq.
17); W-GAN with a gradient penalty is its literal form, least squares the form used by
the cycleGAN family. Each discriminator may look at several scales and returns a list of
scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "ADVERSARIAL_LOSSES",
    "AdversarialLoss",
    "gradient_penalty",
    "penalty_of",
    "slopes",
]

Scores = Sequence[Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """Losses of scores: `real`, `fake` for the discriminator, `fool` for G.

    `real` and `fake` are already halved, as usual, so that the discriminator learns at
    half the pace of the generator.
    """

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    fool: Callable[[Tensor], Tensor]
    penalised: bool = False

    def discriminator_loss(self, real: Scores, fake: Scores) -> Tensor:
        """Return the loss of a discriminator, averaged over its scales."""
        return _mean(self.real, real) + _mean(self.fake, fake)

    def generator_loss(self, fake: Scores) -> Tensor:
        """Return the loss for the generator."""
        return _mean(self.fool, fake)


def _mean(cost: Callable[[Tensor], Tensor], scores: Scores) -> Tensor:
    return torch.stack([cost(score.float()) for score in scores]).mean()


ADVERSARIAL_LOSSES: dict[
    Literal["lsgan", "wgan-gp", "bce", "hinge"], AdversarialLoss
] = {
    "lsgan": AdversarialLoss(
        real=lambda s: 0.5 * (s - 1).square().mean(),
        fake=lambda s: 0.5 * s.square().mean(),
        fool=lambda s: (s - 1).square().mean(),
    ),
    "bce": AdversarialLoss(
        real=lambda s: 0.5 * F.softplus(-s).mean(),
        fake=lambda s: 0.5 * F.softplus(s).mean(),
        fool=lambda s: F.softplus(-s).mean(),
    ),
    "hinge": AdversarialLoss(
        real=lambda s: 0.5 * F.relu(1 - s).mean(),
        fake=lambda s: 0.5 * F.relu(1 + s).mean(),
        fool=lambda s: -s.mean(),
    ),
    "wgan-gp": AdversarialLoss(
        real=lambda s: -s.mean(),
        fake=lambda s: s.mean(),
        fool=lambda s: -s.mean(),
        penalised=True,
    ),
}


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Return E(|grad phi(z)| - 1)^2 at random points between real and fake.

    Source: Gulrajani et al. 2017, eq. 3, with the slopes of `slopes`.
    """
    return penalty_of(slopes(discriminator, real, fake))


def penalty_of(slopes: Tensor) -> Tensor:
    """Return the mean squared deviation of slopes from 1."""
    return (slopes - 1).square().mean()


def slopes(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Return |grad phi(z)| at random points z between real and fake.

    The gradient is that of the value used in the loss, the mean of each score map. If
    the sum of n scores were constrained to a slope of 1, their mean would have a slope
    of 1/n, which is too flat.

    Returns
    -------
    Tensor
        (scales, n), differentiable in the weights of the discriminator.
    """
    real, fake = _common(real, fake)
    shape = (real.shape[0],) + (1,) * (real.ndim - 1)
    mix = torch.rand(shape, device=real.device)
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    return torch.stack([_slope(scores, between) for scores in discriminator(between)])


def _common(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return the middle of both, as large as the smaller one along each axis."""
    for axis in range(2, one.ndim):
        size = min(one.shape[axis], other.shape[axis])
        one, other = (
            image.narrow(axis, (image.shape[axis] - size) // 2, size)
            for image in (one, other)
        )
    return one, other


def _slope(scores: Tensor, image: Tensor) -> Tensor:
    """Return the norm of the gradient of each image's mean score."""
    means = scores.float().reshape(len(scores), -1).mean(dim=1)
    (gradient,) = torch.autograd.grad(means.sum(), image, create_graph=True)
    return gradient.flatten(1).norm(dim=1)
