"""The terms of the loss, each a function of one batch and what is made of it.

    min_{G,h} max_{phi,psi}   sigma |y - H G(y)|^q  +  rho |x - G(H x)|^p
                              + phi(x) - phi(G y)  +  psi(y) - psi(H x)  +  Q(h)

(Lim et al. 2020, eqs 15-22; Sim et al. 2020, eqs 12-21.) A term that a recipe gives no
weight is never computed, nor is any image that only that term needs.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from napari_blurgan.transport.saliency import saliency_loss
from napari_blurgan.transport.transported import Transported, present

__all__ = ["TERMS"]


def cycle_y(t: Transported) -> Tensor:
    """|y - H G(y)|, where all of the blur's support is known."""
    return t.distance(t.y, t.y_cycle)


def cycle_x(t: Transported) -> Tensor:
    """|x - G(H x)|."""
    return t.distance(t.x, t.x_cycle)


def identity(t: Transported) -> Tensor:
    """|x - G(x)|: what is sharp already stays as it is."""
    return t.distance(t.x, t.x_identity)


def identity_y(t: Transported) -> Tensor:
    """|y - H(y)|, of a network: what is blurred already stays as it is."""
    return t.distance(t.y, t.transport.to_y(t.y))


def supervised(t: Transported) -> Tensor:
    """|x - G(y)| on matched pairs."""
    return t.distance(t.x, t.x_hat)


def adversarial_x(t: Transported) -> Tensor:
    """Return what the potential on x says of G(y)."""
    return t.transport.game.generator_loss(present(t.transport.potential_x)(t.x_hat))


def adversarial_y(t: Transported) -> Tensor:
    """Return what the potential on y says of Hx."""
    _, made = t.real_and_made("y")
    return t.transport.game.generator_loss(present(t.transport.potential_y)(made))


def kernel_l1(t: Transported) -> Tensor:
    """Q(h) = |h|_1 (Lim et al. 2020, eq. 22); constant for a sum-one kernel."""
    return present(t.transport.blur).kernel().abs().sum()


def spectral(t: Transported) -> Tensor:
    """Misfit between the power spectra of y and of H x; pins the modulus of the OTF."""
    kernel = present(t.transport.blur).kernel()
    misfit: Tensor = present(t.transport.spectrum)(kernel)
    return misfit


TERMS: dict[str, Callable[[Transported], Tensor]] = {
    "adversarial_x": adversarial_x,
    "adversarial_y": adversarial_y,
    "cycle_y": cycle_y,
    "cycle_x": cycle_x,
    "identity": identity,
    "identity_y": identity_y,
    "supervised": supervised,
    "kernel_l1": kernel_l1,
    "spectral": spectral,
    "saliency": saliency_loss,
}
