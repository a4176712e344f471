"""`Model`: the result of a training, and the folder that contains it.

NAME.blurgan/
    weights.safetensors    all that restoring needs
    training.safetensors   all that resuming needs (and one older copy)
    README.md  recipe.yaml  model.json  psf.ome.tif  history.csv    for people
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from napari_blurgan.axes import known
from napari_blurgan.checks import as_path, refuse_existing
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.errors import DataError, ModelFileError
from napari_blurgan.estimates.estimator import estimator_of
from napari_blurgan.forward.start import kernel_of
from napari_blurgan.methods.parts import load
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.card import model_card
from napari_blurgan.models.checkpoint import read_state, write_state
from napari_blurgan.models.network_operator import NetworkOperator
from napari_blurgan.models.schema import (
    check_model,
    inside,
    refusing_damage,
)
from napari_blurgan.optics.forward import BlurKernel, ForwardModel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.reconstructors.building import build_for
from napari_blurgan.reconstructors.reconstructor import (
    Reconstructor,
    build_reconstructor,
)
from napari_blurgan.writing.atomic import replacing

__all__ = ["FORMAT", "Model", "load_model"]

FORMAT = 1


@dataclass(repr=False)
class Model:
    """A trained generator with everything needed to restore an image.

    Parameters
    ----------
    recipe : Recipe
        What was trained, and how.
    calibration : Calibration
        Levels, gain and noise of the two data sets.
    generator : Reconstructor
        G, on the CPU, in evaluation mode.
    channels : tuple of int
        Of the input and of the output.
    pool : tuple of int
        Pooling factor of each axis of the network.
    blur : BlurKernel or None
        The blur that the generator's estimates undo, or that it has inside.
    psf : Psf or None
        The learned or given blur, for people.
    voxel_size : tuple of float
        (z, y, x) in micrometres that it was trained at; None where unknown.
    id : str
        Identifies a model in the metadata of what it restored.
    provenance : dict
        Versions, data fingerprints, seed, hardware.
    path : Path or None
        The folder that it was read from or written to.
    colour : bool
        Whether its three channels of output are red, green and blue.
    """

    recipe: Recipe
    calibration: Calibration
    generator: Reconstructor
    channels: tuple[int, int]
    pool: tuple[int, ...]
    blur: BlurKernel | None
    psf: Psf | None
    voxel_size: tuple[float | None, float | None, float | None]
    id: str
    provenance: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None
    colour: bool = False

    def __repr__(self) -> str:
        """Return a description in five lines."""
        sizes = self.voxel_size[-self.recipe.dims :]
        voxel = " × ".join("?" if size is None else f"{size:.4g}" for size in sizes)
        numbers = sum(p.numel() for p in self.generator.parameters())
        trained = self.provenance.get("steps", "unknown")
        blur = "none" if self.psf is None else repr(self.psf)
        return (
            f"Model {self.id}: {self.recipe.name}, {self.recipe.dims}D\n"
            f"  channels  {self.channels[0]} in, {self.channels[1]} out; "
            f"{numbers:,} weights, {trained} steps\n"
            f"  voxels    {voxel} µm\n"
            f"  PSF       {blur}\n"
            f"  folder    {self.path or 'not saved'}"
        )

    @property
    def input(self) -> Normalization:
        """Normalisation of the input of the generator."""
        return self.calibration.y

    @property
    def output(self) -> Normalization:
        """Normalisation to undo on the output of the generator."""
        return self.calibration.output

    def digest(self) -> str:
        """Return the SHA-256 of all that affects restoring: weights, levels, blur."""
        found = hashlib.sha256(
            json.dumps(self.calibration.to_dict(), sort_keys=True).encode()
        )
        parts = [self.generator, *([] if self.blur is None else [self.blur])]
        for part in parts:
            for name, values in sorted(part.state_dict().items()):
                found.update(name.encode())
                found.update(values.detach().cpu().contiguous().numpy().data)
        return found.hexdigest()

    def operator(self, device: str | torch.device = "cpu") -> NetworkOperator:
        """Return the generator as an operator for tiles, on `device`."""
        self.generator.to(device)
        if (forward := self._forward()) is not None:
            self.generator.lend(forward.to(device))
        estimator = estimator_of(self.recipe.reconstructor, self.calibration)
        if self.blur is None or estimator is None:
            whole = self.recipe.sampling.whole
            return NetworkOperator(
                self.generator, self.channels, colour=self.colour, whole=whole
            )
        blur = self.blur.to(device)
        return NetworkOperator(self.generator, self.channels, estimator, blur)

    def _forward(self) -> ForwardModel | None:
        """Return H, if it can be made again."""
        settings = self.recipe.forward
        if self.blur is not None or not settings.remade:
            return self.blur
        made: ForwardModel = load(settings.remade)(settings, self.calibration.gain)
        return made

    def with_psf(self, psf: Psf) -> Model:
        """Return a model that starts from estimates with another blur.

        For images of another wavelength, depth or microscope than those of the
        training: most of the difference between their blur and that of the training is
        then removed before the network.

        Parameters
        ----------
        psf : Psf
            Blur of the images to restore, on any voxels and of any size; its core
            takes the place of the kernel.

        Raises
        ------
        DataError
            If the generator refines no estimate, or the PSF is a plane and the model
            one of volumes.
        """
        if self.blur is None:
            raise DataError(
                f"a PSF has no part in what this model does ({self.recipe.name}): its "
                f"generator refines no estimate; leave the PSF out"
            )
        if psf.shape[0] == 1 and self.recipe.dims == 3:
            raise DataError(
                "a PSF of one plane does not say how volumes are blurred along z; give "
                "one of several planes"
            )
        voxel_size = known(self.voxel_size, self.recipe.dims)
        here = psf if voxel_size is None else psf.resampled(voxel_size)
        shape = self.blur.parametrisation.shape
        blur = self.blur.holding(kernel_of(here, shape))
        return replace(self, blur=blur, psf=psf)

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per step, as far as they were saved."""
        return [] if self.path is None else read_history(self.path / "history.csv")

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the folder; each file is complete or absent.

        Parameters
        ----------
        path : path-like
            The folder, conventionally NAME.blurgan.
        overwrite : bool
            Whether a model that is there may be replaced.

        Raises
        ------
        DataError
            If it cannot be written, or there is something of that name and
            `overwrite` is false.
        """
        refuse_existing(path, overwrite)
        self.path = Path(path)
        write_state(self.path / "weights.safetensors", self._state())
        _write_text(self.path / "recipe.yaml", self.recipe.to_yaml())
        summary = self.summary()
        _write_text(self.path / "model.json", json.dumps(summary, indent=2))
        _write_text(self.path / "README.md", model_card(self.recipe, summary))
        if self.psf is not None:
            self.psf.save(self.path / "psf.ome.tif", overwrite=True)

    def summary(self) -> dict[str, Any]:
        """Return what `blurgan info` says, as JSON values."""
        psf = self.psf
        return {
            "format": FORMAT,
            "id": self.id,
            "recipe": self.recipe.name,
            "dims": self.recipe.dims,
            "channels": list(self.channels),
            "voxel_size_um": list(self.voxel_size),
            "psf_fwhm_um": None if psf is None else list(psf.fwhm()),
            "calibration": self.calibration.to_dict(),
            "provenance": self.provenance,
        }

    def _state(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "recipe": self.recipe.model_dump(mode="json"),
            "calibration": self.calibration.to_dict(),
            "generator": self.generator.state_dict(),
            "channels": list(self.channels),
            "pool": list(self.pool),
            "blur": None if self.blur is None else self.blur.kernel().detach(),
            "psf": None if self.psf is None else _psf_state(self.psf),
            "voxel_size": list(self.voxel_size),
            "colour": self.colour,
            "id": self.id,
            "provenance": self.provenance,
        }


@refusing_damage
def load_model(path: str | Path) -> Model:
    """Read a model folder.

    Raises
    ------
    ModelFileError
        If it is missing, damaged, of a newer version, or its weights are not those of
        its recipe's network, or not finite.
    """
    folder = as_path(path, ModelFileError)
    if not folder.is_dir():
        raise ModelFileError(f"there is no model folder {folder}")
    weights = inside(folder, "weights.safetensors")
    if not weights.exists():
        raise ModelFileError(f"{folder} is no model folder: it has no {weights.name}")
    state = read_state(weights)
    if state.get("format") != FORMAT:
        raise ModelFileError(
            f"{folder} is of format {state.get('format')!r}, this program reads "
            f"format {FORMAT}: update napari-blurgan"
        )
    check_model(folder, state)
    recipe = Recipe.parse(state["recipe"])
    calibration = Calibration.from_dict(state["calibration"])
    return Model(
        recipe=recipe,
        calibration=calibration,
        generator=_generator(recipe, state),
        channels=(state["channels"][0], state["channels"][1]),
        pool=tuple(state["pool"]),
        blur=_blur(recipe, calibration, state),
        psf=None if state["psf"] is None else _psf(state["psf"]),
        voxel_size=tuple(state["voxel_size"]),
        id=state["id"],
        provenance=state["provenance"],
        path=folder,
        colour=state.get("colour", False),
    )


def _generator(recipe: Recipe, state: Mapping[str, Any]) -> Reconstructor:
    channels_in, channels_out = state["channels"]
    channels, pool = (channels_in, channels_out), tuple(state["pool"])

    def build() -> Reconstructor:
        return build_reconstructor(recipe.reconstructor, recipe.dims, channels, pool)

    return build_for(build, state["generator"]).eval()


def _blur(
    recipe: Recipe, calibration: Calibration, state: Mapping[str, Any]
) -> BlurKernel | None:
    if state["blur"] is None:
        return None
    return BlurKernel(FixedKernel(state["blur"].numpy()), calibration.gain, recipe.dims)


def _psf_state(psf: Psf) -> dict[str, Any]:
    return {
        "data": torch.from_numpy(psf.data),
        "voxel_size": list(psf.voxel_size),
        "provenance": psf.provenance,
    }


def _psf(state: Mapping[str, Any]) -> Psf:
    return Psf(state["data"].numpy(), tuple(state["voxel_size"]), state["provenance"])


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_history(path: Path) -> list[dict[str, float]]:
    """Read history.csv; truncated or damaged lines are left out."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    header, *lines = text.split("\n")
    names = header.split(",")
    if "step" not in names:
        return []
    rows = (_row(names, line) for line in lines[:-1])
    return [row for row in rows if row is not None]


def _row(names: Sequence[str], line: str) -> dict[str, float] | None:
    try:
        row = dict(zip(names, map(float, line.split(",")), strict=True))
    except ValueError:
        return None
    return row if math.isfinite(row["step"]) else None
