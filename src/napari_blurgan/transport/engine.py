"""One step of the optimisation, and everything that changes in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_blurgan.data.history import HistoryBuffer
from napari_blurgan.transport.adversary import penalty_of, slopes
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.dice import Dice
from napari_blurgan.transport.generator import Generator
from napari_blurgan.transport.heap import give_back
from napari_blurgan.transport.losses import TERMS
from napari_blurgan.transport.preparation import Prepared
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.team import Team
from napari_blurgan.transport.transported import Transported, present

__all__ = ["Engine"]


class Engine:
    """Networks, optimisers, history and dice; `step` turns them once.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    prepared : Prepared
        Networks and samplers.
    device : torch.device
        Where to compute.
    precision : torch.dtype
        What the networks compute in; blur and guide stay in float32.
    dice : Dice
        The source of all randomness but that of the samplers, which have their own.
    team : Team, optional
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
        recipe: Recipe,
        prepared: Prepared,
        device: torch.device,
        precision: torch.dtype,
        dice: Dice,
        team: Team | None = None,
    ) -> None:
        self.recipe = recipe
        self.team = team or Team()
        self.device = device
        self.dice = dice
        self.samplers = (prepared.y, prepared.x)
        self.fields = prepared.fields
        self.transport = prepared.transport.to(device).train()
        self.transport.set_precision(precision)
        self.team.share_statistics(self.transport)
        self.steps = 0
        self.latest: Transported | None = None
        self.average = _average(self.transport.generator, recipe.generator.average)
        self.history = {
            name: HistoryBuffer(recipe.adversary.history)
            for name in self.transport.potentials()
        }
        self.optimisers = _optimisers(recipe, self.transport)
        # float16 alone needs it: its smallest numbers are larger than many gradients.
        scaled = precision == torch.float16
        self.scalers = {
            name: torch.amp.GradScaler(device.type, enabled=scaled)
            for name in self.optimisers
        }

    @property
    def generator(self) -> Generator:
        """G as it should be used: the moving average where there is one."""
        if self.average is None:
            return self.transport.generator
        return cast(Generator, self.average.module)

    def step(self, rate: float) -> dict[str, float]:
        """Improve the generators once, the potentials as often as the recipe says.

        Parameters
        ----------
        rate : float
            Factor on all learning rates.

        Returns
        -------
        dict
            The value of every active term, the loss of each potential and, where a
            gradient penalty holds it near 1, its mean slope.
        """
        with self.dice:
            self._set_rates(rate)
            self._renew_fields()
            for _ in range(self.recipe.adversary.steps - 1):
                self._improve_potentials(self._draw())
            batch = self._draw()
            losses = self._improve_generators(batch) | self._improve_potentials(batch)
        self.steps += 1
        self.latest = batch
        values = self.team.mean(torch.stack([v.detach() for v in losses.values()]))
        return dict(zip(losses, values.tolist(), strict=True))

    def renew_all_fields(self) -> None:
        """Make every estimate with the present kernel: before the first step."""
        with self.dice:
            for fields in self.fields:
                fields.renew_all(present(self.transport.blur))

    def _renew_fields(self) -> None:
        """Bring one block of each domain up to date, as often as the recipe says."""
        every = self.recipe.generator.renew
        if self.steps and self.steps % every == 0:
            for fields in self.fields:
                fields.renew_next(present(self.transport.blur))
            give_back()

    def _draw(self) -> Transported:
        count = self.recipe.sampling.batch * self.team.size
        pairs = self.team.share([self._draw_one() for _ in range(count)])
        y, x = (
            torch.stack(patches).to(self.device) for patches in zip(*pairs, strict=True)
        )
        patch, power = self.recipe.patch, self.recipe.cycle_power
        return Transported(self.transport, y, x, patch, power)

    def _draw_one(self) -> tuple[Tensor, Tensor]:
        blurred, sharp = self.samplers
        place, y = blurred.draw_with_place()
        paired = self.recipe.sampling.paired
        return y, sharp.read(place) if paired else sharp.draw()

    def _improve_generators(self, batch: Transported) -> dict[str, Tensor]:
        """Lower the weighted sum of the active terms."""
        potentials = list(self.transport.potentials().values())
        for potential in potentials:
            potential.requires_grad_(False)
        weights = self.recipe.weights_at(self.steps)
        terms = {name: TERMS[name](batch) for name in weights}
        total = torch.stack([weights[name] * terms[name] for name in terms]).sum()
        self._descend("generators", total)
        for potential in potentials:
            potential.requires_grad_(True)
        if self.average is not None:
            self.average.update_parameters(self.transport.generator)
        return terms

    def _improve_potentials(self, batch: Transported) -> dict[str, Tensor]:
        """Teach each potential to tell what is real from what is made."""
        losses = {}
        game = self.transport.game
        for domain, potential in self.transport.potentials().items():
            real, made = batch.real_and_made(domain)
            fake = self.history[domain].query(made.detach())
            loss = game.potential_loss(potential(real), potential(fake))
            if game.penalised:
                steepness = slopes(potential, real, fake)
                weight = self.recipe.adversary.gradient_penalty
                loss = loss + weight * penalty_of(steepness)
                losses[f"slope_{domain}"] = steepness.mean()
            self._descend(f"potential_{domain}", loss)
            losses[f"potential_{domain}"] = loss
        return losses

    def _descend(self, name: str, loss: Tensor) -> None:
        optimiser, scaler = self.optimisers[name], self.scalers[name]
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            self.team.average(group["params"])
        scaler.step(optimiser)
        scaler.update()

    def _set_rates(self, rate: float) -> None:
        frozen = self.steps < self.recipe.forward.frozen_steps
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                held = frozen and group["name"] == "kernel"
                group["lr"] = 0.0 if held else rate * group["full_rate"]

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""
        return {
            "steps": self.steps,
            "transport": self.transport.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "history": {k: h.state_dict() for k, h in self.history.items()},
            "optimisers": {k: o.state_dict() for k, o in self.optimisers.items()},
            "scalers": {k: s.state_dict() for k, s in self.scalers.items()},
            "samplers": [sampler.state() for sampler in self.samplers],
            "fields": [fields.state_dict() for fields in self.fields],
            "dice": self.dice.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.steps = state["steps"]
        self.transport.load_state_dict(state["transport"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for name, history in self.history.items():
            history.load_state_dict(state["history"][name])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, scaler in self.scalers.items():
            scaler.load_state_dict(state["scalers"][name])
        for sampler, sampler_state in zip(
            self.samplers, state["samplers"], strict=True
        ):
            sampler.set_state(sampler_state)
        for fields, fields_state in zip(self.fields, state["fields"], strict=True):
            fields.load_state_dict(fields_state, present(self.transport.blur))
        self.dice.load_state_dict(state["dice"])


def _average(generator: Generator, decay: float) -> AveragedModel | None:
    if not decay:
        return None
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(generator, multi_avg_fn=update, use_buffers=True)


def _optimisers(recipe: Recipe, transport: Transport) -> dict[str, torch.optim.Adam]:
    s = recipe.optimiser
    generators = [
        _group("generator", transport.generator.parameters(), s.generator_rate)
    ]
    if transport.forward_model is not None:
        kernel = recipe.forward.kind == "kernel"
        name, rate = (
            ("kernel", s.kernel_rate) if kernel else ("forward", s.generator_rate)
        )
        generators.append(_group(name, transport.forward_model.parameters(), rate))
    groups = {"generators": [g for g in generators if g["params"]]}
    for domain, potential in transport.potentials().items():
        group = _group("potential", potential.parameters(), s.discriminator_rate)
        groups[f"potential_{domain}"] = [group]
    return {name: torch.optim.Adam(g, betas=s.betas) for name, g in groups.items()}


def _group(
    name: str, parameters: Iterable[nn.Parameter], rate: float
) -> dict[str, Any]:
    return {"params": list(parameters), "name": name, "lr": rate, "full_rate": rate}
