"""`RestoringModule`: grey levels in, grey levels out, with all steps of restoring."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from napari_blurgan.errors import ModelFileError
from napari_blurgan.estimates.estimator import estimator_of
from napari_blurgan.export.estimate import ScriptedEstimate
from napari_blurgan.export.networks import plain_network
from napari_blurgan.export.world import World, margin_of
from napari_blurgan.models.model import Model
from napari_blurgan.reconstructors.plain import Plain

__all__ = ["RestoringModule", "module_of", "scripted", "torchscript"]


class RestoringModule(nn.Module):
    """The operations of `blurgan restore` on one time point, as a PyTorch module.

    Normalisation, the reflected margin, the estimate that a network refines, and the
    conversion back to grey levels are included, so that other programs need to know
    nothing of them. (n, c, [z,] y, x), float32, of any size.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        network = model.generator.network
        halo = _halo(model)
        stride = list(network.stride)
        reflected = model.blur is None
        self.world = World(
            [margin_of(h, s, reflected) for h, s in zip(halo, stride, strict=True)],
            stride,
        )
        self.network = plain_network(network)
        self.adds = isinstance(model.generator, Plain) and model.generator.residual
        self.before = (model.input.offset, model.input.scale)
        self.after = (model.output.offset, model.output.scale)

    def forward(self, image: Tensor) -> Tensor:
        """Map grey levels to grey levels."""
        units = (self.world(image) - self.before[0]) / self.before[1]
        restored = self.network(units)
        if self.adds:
            restored = restored + units
        return self.world.crop(restored, image) * self.after[1] + self.after[0]


class GuidedModule(RestoringModule):
    """The same for a network that refines an estimate, which is computed inside."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        estimator = estimator_of(model.recipe.reconstructor, model.calibration)
        if estimator is None or model.blur is None:
            raise ModelFileError(f"{model.id}: does not refine an estimate")
        self.estimate = ScriptedEstimate(estimator, model.blur)

    def forward(self, image: Tensor) -> Tensor:
        """Map grey levels to grey levels."""
        units = (image - self.before[0]) / self.before[1]
        estimate = self.estimate(units)
        seen = self.world(torch.cat([units, estimate], 1))
        correction = self.world.crop(self.network(seen), image)
        restored = estimate.narrow(1, estimate.size(1) - 1, 1) + correction
        return restored * self.after[1] + self.after[0]


def _halo(model: Model) -> tuple[int, ...]:
    return model.operator("cpu").halo


def module_of(model: Model) -> RestoringModule:
    """Return a module with all steps of restoring, in float32, on the CPU."""
    own = copy.deepcopy(model)
    own.generator.float().cpu()
    made = RestoringModule(own) if own.blur is None else GuidedModule(own)
    return made.eval().requires_grad_(False)


def scripted(model: Model) -> Any:
    """Return the module as TorchScript: compiled, never traced."""
    with torchscript():
        return torch.jit.script(module_of(model))


@contextmanager
def torchscript() -> Iterator[None]:
    """Allow TorchScript: deprecated, and still required for bioimage.io packages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
