"""bioimage.io packages made elsewhere, as operators for restoring.

Only networks that can be applied in tiles without knowing the whole image are accepted:
one image in, one of the same size out, TorchScript, fixed intensities. Anything else is
refused, with the reason.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_blurgan.errors import ModelFileError, RecipeError
from napari_blurgan.export.archive import refuse_side_effects
from napari_blurgan.export.module import torchscript
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.methods.guarded_yaml import parse_yaml

__all__ = ["ForeignNetwork", "is_package", "open_package"]

LARGEST_RDF = 2**20
DAMAGE = (
    zipfile.BadZipFile,
    OSError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
"""Errors caused by descriptions that do not follow the format."""

SPATIAL = ("z", "y", "x")


class ForeignNetwork:
    """A network of a package, as an `Operator` from grey levels to grey levels.

    Parameters
    ----------
    network : torch.jit.ScriptModule
        What computes.
    rdf : mapping
        The description of the package.
    device : torch.device
        Where it computes.

    Attributes
    ----------
    name : str
        Of the model, for people.
    tiled : bool
        Whether it says how far it reaches; if not, images go through whole.
    """

    def __init__(
        self, network: Any, rdf: Mapping[str, Any], device: torch.device
    ) -> None:
        source, target = rdf["inputs"][0], rdf["outputs"][0]
        axes = source["axes"]
        self.name = str(rdf.get("name", "a package"))
        self.letters = [_letter(axis) for axis in axes]
        self.device = device
        self.stride = tuple(map(_step, _space(source)))
        halos = [
            axis.get("halo") for axis in target["axes"] if _letter(axis) in SPATIAL
        ]
        self.tiled = all(isinstance(halo, int) for halo in halos)
        self.halo = tuple(h if isinstance(h, int) else 0 for h in halos)
        self._channels = tuple(map(_channels, (source, target)))
        self._before = _steps(source.get("preprocessing") or ())
        self._after = _steps(target.get("postprocessing") or ())
        self._network = network.to(device).eval()

    def channels_out(self, channels_in: int) -> int:
        """Return the number of channels of the result; ValueError if unsuitable."""
        wanted, made = self._channels
        if channels_in != wanted:
            raise ValueError(
                f"{self.name} takes {wanted} channels, found {channels_in}"
            )
        return made

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """Map (n, c, [z,] y, x) to the same sizes."""
        image = _through(self._before, image.to(self.device))
        if "c" not in self.letters:
            image = image[:, 0]
        if "b" not in self.letters:
            image = image[0]
        result = self._network(image)
        result = result[0] if isinstance(result, list | tuple) else result
        if "b" not in self.letters:
            result = result[None]
        if "c" not in self.letters:
            result = result[:, None]
        return _through(self._after, result.float())


def is_package(path: object) -> bool:
    """Return whether a path leads to a zip, like packages."""
    if not isinstance(path, str | os.PathLike):
        return False
    return Path(path).suffix.lower() == ".zip" and Path(path).is_file()


def open_package(path: str | os.PathLike[str], device: torch.device) -> ForeignNetwork:
    """Return the network of a package that can be applied here.

    Raises
    ------
    ModelFileError
        If the package is damaged, or asks for what is not supported; says what.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = _content(archive, "rdf.yaml", LARGEST_RDF).decode("utf-8")
            rdf = parse_yaml(text, "rdf.yaml")
            _check(rdf, str(path))
            weights = rdf["weights"]["torchscript"]
            content = _content(archive, weights["source"])
    except (*DAMAGE, RecipeError) as error:
        raise ModelFileError(
            f"{path}: is not a readable bioimage.io package ({error!s:.200})"
        ) from None
    wanted = weights.get("sha256")
    if wanted and hashlib.sha256(content).hexdigest() != wanted:
        raise ModelFileError(
            f"{path}: is damaged: the checksum of its weights is wrong"
        )
    network = _loaded(content, str(path))
    try:
        return ForeignNetwork(network, rdf, device)
    except DAMAGE as error:
        raise ModelFileError(
            f"{path}: its description is invalid ({error!s:.200})"
        ) from None


def _loaded(content: bytes, path: str) -> Any:
    try:
        refuse_side_effects(content)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: cannot be used here: {error}") from None
    try:
        with torchscript():
            return torch.jit.load(  # type: ignore[no-untyped-call]
                io.BytesIO(content), map_location="cpu"
            )
    except (RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ModelFileError(f"{path}: its weights cannot be read ({said})") from None


def _content(archive: zipfile.ZipFile, name: str, most: int | None = None) -> bytes:
    size = archive.getinfo(name).file_size
    refuse_beyond_memory(size, name)
    if most is not None and size > most:
        raise ModelFileError(
            f"{name}: is {size} bytes large, too large for a description"
        )
    return archive.read(name)


def _check(rdf: Any, path: str) -> None:
    """Raise unless a description is that of a network that can be applied here."""
    reason = next(_obstacles(rdf), None)
    if reason is not None:
        raise ModelFileError(f"{path}: cannot be used here: {reason}")


def _obstacles(rdf: Any) -> Any:
    """Yield reasons why it cannot."""
    if not isinstance(rdf, dict) or rdf.get("type") != "model":
        yield "it does not describe a model"
        return
    if not str(rdf.get("format_version", "")).startswith("0.5"):
        yield f"its format is {rdf.get('format_version')!r}, 0.5 can be read"
        return
    if len(rdf["inputs"]) != 1 or len(rdf["outputs"]) != 1:
        yield f"it has {len(rdf['inputs'])} inputs and {len(rdf['outputs'])} outputs"
    if "torchscript" not in rdf["weights"]:
        yield f"its weights are {', '.join(rdf['weights'])}, expected torchscript"
    for tensor in (rdf["inputs"][0], rdf["outputs"][0]):
        yield from _axes_obstacles(tensor)
    if any(axis.get("size", {}).get("offset") for axis in _space(rdf["outputs"][0])):
        yield "its result does not have the size of the image"
    for key, tensor in (("pre", rdf["inputs"][0]), ("post", rdf["outputs"][0])):
        for step in tensor.get(f"{key}processing") or ():
            if step["id"] not in KNOWN:
                yield f"its {key}processing {step['id']} needs the whole image"


def _axes_obstacles(tensor: Mapping[str, Any]) -> Any:
    letters = [_letter(axis) for axis in tensor["axes"]]
    ordered = [letter for letter in ("b", "c", *SPATIAL) if letter in letters]
    if letters != ordered or not {"y", "x"} <= set(letters):
        yield f"its axes are {', '.join(letters)}, expected b, c, z, y, x in this order"
        return
    for axis in _space(tensor):
        size = axis["size"]
        if isinstance(size, int):
            yield f"it takes images of {size} voxels along {axis['id']} only"
        elif "step" in size and size["min"] % size["step"]:
            yield f"its sizes along {axis['id']} are not multiples of {size['step']}"


def _space(tensor: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [axis for axis in tensor["axes"] if _letter(axis) in SPATIAL]


def _letter(axis: Mapping[str, Any]) -> str:
    return str(axis["id"] if axis["type"] == "space" else axis["type"])[:1]


def _step(axis: Mapping[str, Any]) -> int:
    return int(axis["size"].get("step", 1))


def _channels(tensor: Mapping[str, Any]) -> int:
    named = [a["channel_names"] for a in tensor["axes"] if a["type"] == "channel"]
    return len(named[0]) if named else 1


KNOWN = {"ensure_dtype", "scale_linear", "fixed_zero_mean_unit_variance", "clip"}
"""Processing steps that depend on no other voxel."""


def _steps(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(step["id"], dict(step.get("kwargs") or {})) for step in found]


def _through(steps: Sequence[tuple[str, dict[str, Any]]], image: Tensor) -> Tensor:
    """Return an image after steps that depend on no other voxel."""
    for name, how in steps:
        if name == "scale_linear":
            gain, offset = how.get("gain", 1.0), how.get("offset", 0.0)
            image = image * _numbers(gain, image) + _numbers(offset, image)
        elif name == "fixed_zero_mean_unit_variance":
            mean, deviation = _numbers(how["mean"], image), _numbers(how["std"], image)
            image = (image - mean) / deviation
        elif name == "clip":
            image = image.clamp(how.get("min"), how.get("max"))
    return image


def _numbers(values: Any, image: Tensor) -> Tensor:
    """Return a number, or one per channel, in a shape for (n, c, …)."""
    numbers = torch.as_tensor(values, dtype=torch.float32, device=image.device)
    return numbers.reshape(-1, *(1,) * (image.dim() - 2)) if numbers.dim() else numbers
