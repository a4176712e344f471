"""One step of the optimisation, and everything that changes in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_blurgan.memory import release_memory
from napari_blurgan.methods.recipe import OptimiserSettings
from napari_blurgan.objective.adversarial import Adversarial
from napari_blurgan.optimisation.prepared import Prepared
from napari_blurgan.optimisation.processes import Processes
from napari_blurgan.optimisation.random_state import RandomState
from napari_blurgan.reconstructors.reconstructor import Reconstructor
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported

__all__ = ["Engine"]

RANDOM_STATE = "dice"
"""Key of the random numbers in checkpoints; earlier versions have written it."""


class Engine:
    """Networks, terms, optimisers and random numbers; `step` takes one step with them.

    Parameters
    ----------
    prepared : Prepared
        The recipe, networks, terms and source.
    device : torch.device
        Where to compute.
    precision : torch.dtype
        What the networks compute in; blur and estimate stay in float32.
    random_state : RandomState
        The source of all randomness but that of the samplers, which have their own.
    processes : Processes, optional
        The processes that train together.

    Attributes
    ----------
    steps : int
        Done so far.
    latest : Transported or None
        The last batch, for whoever wants to look at it.
    """

    def __init__(
        self,
        prepared: Prepared,
        device: torch.device,
        precision: torch.dtype,
        random_state: RandomState,
        processes: Processes | None = None,
    ) -> None:
        self.recipe = prepared.site.recipe
        self.processes = processes or Processes()
        self.device = device
        self.random_state = random_state
        self.source = prepared.source
        self.transport = prepared.transport.to(device).train()
        self.transport.generator.set_precision(precision)
        self.terms = prepared.terms.to(device).train()
        self.adversarial = {
            name: term
            for name, term in self.terms.items()
            if isinstance(term, Adversarial)
        }
        self.processes.share_statistics(self.transport)
        self.steps = 0
        self.latest: Transported | None = None
        decay = self.recipe.reconstructor.average
        self.average = _average(self.transport.generator, decay)
        self.optimisers = _optimisers(
            self.recipe.optimiser, self.transport, self.adversarial.values()
        )
        # Only float16 needs it: its smallest numbers are larger than many gradients.
        scaled = precision == torch.float16
        self.scalers = {
            name: torch.amp.GradScaler(device.type, enabled=scaled)
            for name in self.optimisers
        }

    @property
    def generator(self) -> Reconstructor:
        """G for use: the moving average if there is one."""
        if self.average is None:
            return self.transport.generator
        return cast(Reconstructor, self.average.module)

    def step(self, rate: float) -> dict[str, float]:
        """Update the generators once, the discriminators as often as the recipe says.

        Parameters
        ----------
        rate : float
            Factor on all learning rates.

        Returns
        -------
        dict
            The value of every active term, the loss of each discriminator and, where a
            gradient penalty holds it near 1, its mean slope.
        """
        with self.random_state:
            self._set_rates(rate)
            self._renew_source()
            for _ in range(self.recipe.discriminator.steps - 1):
                self._improve_discriminators(self._draw())
            batch = self._draw()
            losses = self._improve_generators(batch)
            losses |= self._improve_discriminators(batch)
        self.steps += 1
        self.latest = batch
        values = self.processes.mean(torch.stack([v.detach() for v in losses.values()]))
        return dict(zip(losses, values.tolist(), strict=True))

    def renew_source(self) -> Iterator[float]:
        """Prepare the source for the first step; yields the share that is done."""
        renewing = self.source.renew_all(self.transport.forward_model)
        while True:
            with self.random_state:
                share = next(renewing, None)
            if share is None:
                return
            yield share

    def _renew_source(self) -> None:
        """Update a part of the source, as often as the recipe says."""
        every = self.recipe.reconstructor.renew_every
        if every and self.steps and self.steps % every == 0:
            self.source.renew_next(self.transport.forward_model)
            release_memory()

    def _draw(self) -> Transported:
        count = self.recipe.sampling.batch * self.processes.size
        draws = self.processes.share([self.source.draw() for _ in range(count)])
        batch = Draw.batch(draws, self.device)
        patch = None if self.recipe.sampling.whole else self.recipe.patch
        power = self.recipe.cycle_power
        return Transported(self.transport, batch, patch, power)

    def _improve_generators(self, batch: Transported) -> dict[str, Tensor]:
        """Take a step to reduce the weighted sum of the active terms."""
        discriminators = [term.discriminator for term in self.adversarial.values()]
        for discriminator in discriminators:
            discriminator.requires_grad_(False)
        weights = self.recipe.weights_at(self.steps)
        terms = {name: self.terms[name](batch) for name in weights}
        total = torch.stack([weights[name] * terms[name] for name in terms]).sum()
        self._descend("generators", total)
        for discriminator in discriminators:
            discriminator.requires_grad_(True)
        if self.average is not None:
            self.average.update_parameters(self.transport.generator)
        return terms

    def _improve_discriminators(self, batch: Transported) -> dict[str, Tensor]:
        """Train each discriminator to distinguish real from generated images."""
        losses: dict[str, Tensor] = {}
        for term in self.adversarial.values():
            found = term.discriminator_losses(batch)
            self._descend(term.name, found[term.name])
            losses |= found
        return losses

    def _descend(self, name: str, loss: Tensor) -> None:
        optimiser, scaler = self.optimisers[name], self.scalers[name]
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            self.processes.average(group["params"])
        scaler.step(optimiser)
        scaler.update()

    def _set_rates(self, rate: float) -> None:
        frozen = self.steps < self.recipe.forward.frozen_steps
        of_forward = self.transport.forward_model.learned
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                held = frozen and group["name"] in of_forward
                group["lr"] = 0.0 if held else rate * group["full_rate"]

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""
        return {
            "steps": self.steps,
            "transport": self.transport.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "terms": self.terms.state_dict(),
            "history": {k: g.history.state_dict() for k, g in self.adversarial.items()},
            "optimisers": {k: o.state_dict() for k, o in self.optimisers.items()},
            "scalers": {k: s.state_dict() for k, s in self.scalers.items()},
            "source": self.source.state_dict(),
            RANDOM_STATE: self.random_state.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.steps = state["steps"]
        self.transport.load_state_dict(state["transport"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.terms.load_state_dict(state["terms"])
        for name, term in self.adversarial.items():
            term.history.load_state_dict(state["history"][name])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, scaler in self.scalers.items():
            scaler.load_state_dict(state["scalers"][name])
        self.source.load_state_dict(state["source"], self.transport.forward_model)
        self.random_state.load_state_dict(state[RANDOM_STATE])


def _average(generator: Reconstructor, decay: float) -> AveragedModel | None:
    if not decay:
        return None
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(generator, multi_avg_fn=update, use_buffers=True)


def _optimisers(
    settings: OptimiserSettings,
    transport: Transport,
    adversarial: Iterable[Adversarial],
) -> dict[str, torch.optim.Adam]:
    learned = {"generator": list(transport.generator.parameters())}
    learned |= transport.forward_model.learned
    generators = [_group(n, p, settings.rate_of(n)) for n, p in learned.items() if p]
    groups = {"generators": generators}
    for term in adversarial:
        weights = list(term.discriminator.parameters())
        groups[term.name] = [_group(term.name, weights, settings.discriminator_rate)]
    return {n: torch.optim.Adam(g, betas=settings.betas) for n, g in groups.items()}


def _group(name: str, weights: list[nn.Parameter], rate: float) -> dict[str, Any]:
    return {"params": weights, "name": name, "lr": rate, "full_rate": rate}
