"""What the Deconvolve widget asks for, and the work made of it in the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_blurgan.classical.methods import METHODS
from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.psf import Psf

if TYPE_CHECKING:
    from napari_blurgan.classical.operator import DeconvolutionOperator

__all__ = ["DeconvolutionRequest", "Iterated"]


@dataclass(frozen=True)
class Iterated:
    """Another iteration is done, of all there are in all frames."""

    done: int
    total: int


@dataclass(frozen=True)
class DeconvolutionRequest:
    """Everything that a deconvolution needs, read from the widget before it starts.

    Parameters
    ----------
    stack : Stack
        What to deconvolve.
    psf : Psf
        Resampled and cropped as needed.
    method : str
        One of `METHODS`.
    parameters : dict
        Of the method, by name.
    background : float
        Grey levels that do not come from the object.
    camera : dict
        gain, offset and read_noise, where they are known.
    stop : str or None
        One of the method's stopping rules.
    time : int or None
        The only time point; None for all.
    device : str
        ``"auto"``, ``"cpu"`` ...
    memory : int or None
        Bytes that it may take of the device; None for most of what is free.
    """

    stack: Stack
    psf: Psf
    method: str
    parameters: dict[str, Any] = field(default_factory=dict)
    background: float = 0.0
    camera: dict[str, float] = field(default_factory=dict)
    stop: str | None = None
    time: int | None = None
    device: str = "auto"
    memory: int | None = None

    def run(self, report: Callable[[Any], None]) -> Stack:
        """Deconvolve frame by frame; report iterations, and in words what was done."""
        from napari_blurgan.restore.predict import apply

        operator = self._operator()
        result = None
        for event in apply(
            operator,
            self.stack,
            tile=self.stack.spatial_shape,
            margin=(0,) * len(self.stack.spatial_axes),
            time=self.time,
            provenance={"method": self.method, "parameters": self.parameters},
        ):
            if hasattr(event, "plan"):
                operator.results.clear()  # of the plan's own trial
                self._follow(operator, event.plan.tiles, report)
            result = getattr(event, "result", result)
        for words in dict.fromkeys(_said(operator)):
            report(words)
        assert result is not None  # the last event brings it
        return result

    def _operator(self) -> DeconvolutionOperator:
        from napari_blurgan.classical.memory import tile_for
        from napari_blurgan.classical.operator import DeconvolutionOperator
        from napari_blurgan.classical.psf_fit import fit_psf
        from napari_blurgan.transport.precision import choose_device

        method, device = METHODS[self.method], str(choose_device(self.device))
        psf, _ = fit_psf(self.psf, self.stack.spatial_shape, self.stack.voxel_size)
        tile_for(method, self.stack.spatial_shape, [psf], device, False, self.memory)
        return DeconvolutionOperator(
            method,
            [psf],
            len(self.stack.spatial_axes),
            voxel_size=self.stack.voxel_size,
            device=device,
            background=self.background,
            camera=self._camera(),
            **self.parameters,
            **self._rule(),
        )

    def _camera(self) -> Any:
        from napari_blurgan.optics.camera import Camera

        return Camera(**self.camera) if self.camera else None

    def _rule(self) -> dict[str, Any]:
        if self.stop is None:
            return {}
        from napari_blurgan.classical.stopping import RULES

        return {"stop": RULES[self.stop]()}

    def _follow(
        self,
        operator: DeconvolutionOperator,
        frames: int,
        report: Callable[[Any], None],
    ) -> None:
        """Report every iteration from now on."""
        if not operator.method.iterative:
            return
        rounds = self.parameters.get("rounds", 1)
        total = frames * self.parameters["iterations"] * rounds
        done = 0

        def advance(progress: object) -> None:
            nonlocal done
            done += 1
            report(Iterated(done, total))

        operator.parameters["callback"] = advance


def _said(operator: DeconvolutionOperator) -> list[str]:
    words = []
    for result in operator.results:
        words += list(result.notes)
        if result.criterion:
            words.append(f"{result.iterations} iterations: {result.reason}.")
    return words
