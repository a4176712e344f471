"""What is fuzzed: how to make seeds, how to damage them, how to read them."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numcodecs
import numpy as np
import tifffile
import zarr

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.fuzz import mutate
from tests.support.vendor_files import write_czi, write_lif, write_nd2

TESTS = Path(__file__).parents[1]
MODEL = TESTS / "models" / "version1"
REAL = TESTS.parents[1] / "shared" / "data"
LARGEST_SEED = 200_000
VOXEL = (0.3, 0.1, 0.1)


@dataclass(frozen=True)
class Answer:
    """What a reader made of a file: something to compare, and what it noted."""

    value: Any
    notes: Sequence[str] = ()

    def same(self, other: Answer) -> bool:
        """Return whether both read alike."""
        return _same(self.value, other.value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        alike = isinstance(other, dict) and one.keys() == other.keys()
        return alike and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        alike = isinstance(other, list | tuple) and len(one) == len(other)
        return alike and all(map(_same, one, other))
    if hasattr(one, "shape"):
        return np.array_equal(np.asarray(one), np.asarray(other))
    return one == other


@dataclass(frozen=True)
class Reader:
    """One reader under test.

    Parameters
    ----------
    seeds : callable
        Makes whole files, or folders, in a folder.
    damage : callable
        Changes a copy of one in place; returns whether something was lost.
    read : callable
        Reads it.
    """

    seeds: Callable[[Path], list[Path]]
    damage: Callable[[random.Random, Path], bool]
    read: Callable[[Path], Answer]


def image() -> Any:
    rng = np.random.default_rng(0)
    return rng.integers(1, 4096, (5, 12, 16)).astype("uint16")


def tiffs(folder: Path) -> list[Path]:
    write = partial(tifffile.imwrite, data=image())
    resolution = {"resolution": (10, 10)}
    named = {"axes": "ZYX", "spacing": 0.3, "unit": "um"}
    write(folder / "imagej.tif", imagej=True, metadata=named, **resolution)
    write(folder / "packed.tif", imagej=True, metadata=named, compression="zlib")
    write(folder / "plain.tif", metadata=None)
    write(folder / "strips.tif", compression="lzw", rowsperstrip=4, predictor=True)
    write(folder / "tiles.tif", tile=(16, 16), compression="zstd", metadata=None)
    write(folder / "big.tif", bigtiff=True, byteorder=">")
    write_ome_tiff(folder / "a.ome.tif", image(), "ZYX", VOXEL)
    rgb = np.zeros((9, 8, 3), np.uint8)
    tifffile.imwrite(folder / "rgb.tif", rgb, photometric="rgb", compression="packbits")
    return sorted(folder.iterdir()) + real_files("*.tif")


def real_files(pattern: str) -> list[Path]:
    found = REAL.rglob(pattern) if REAL.is_dir() else ()
    return sorted(p for p in found if p.stat().st_size < LARGEST_SEED)


def damage_tiff(rng: random.Random, path: Path) -> bool:
    content, lost = mutate.change_tiff(rng, path.read_bytes())
    path.write_bytes(content)
    return lost


def answer(stack: Stack) -> Answer:
    pixels = np.asarray(stack.data[...])
    return Answer([stack.axes, pixels], stack.metadata["notes"])


def of_vendors(folder: Path) -> list[Path]:
    pixels = image()
    write_nd2(folder / "a.nd2", pixels[None, :, None])
    series = {"one": ("ZYX", pixels.astype("uint8")), "two": ("YX", pixels[0] // 17)}
    eights = {name: (axes, p.astype("uint8")) for name, (axes, p) in series.items()}
    write_lif(folder / "a.lif", eights)
    tiles = [({"Z": z}, plane) for z, plane in enumerate(pixels)]
    write_czi(folder / "a.czi", tiles)
    zstd = (5, lambda data: bytes(imagecodecs.zstd_encode(data)))
    write_czi(folder / "packed.czi", tiles, zstd)
    return sorted(folder.iterdir())


def damage_vendor(rng: random.Random, path: Path) -> bool:
    content, lost = mutate.change_bytes(rng, path.read_bytes())
    path.write_bytes(content)
    return lost


def psfs(folder: Path) -> list[Path]:
    axes = [np.exp(-(((np.arange(n) - n // 2) / 1.6) ** 2) / 2) for n in (9, 15, 16)]
    psf = np.einsum("i,j,k->ijk", *axes).astype(np.float32)
    Psf(psf, VOXEL, {"model": "gaussian"}).save(folder / "psf.ome.tif")
    metadata = {"axes": "ZYX", "spacing": 0.3, "unit": "um"}
    resolution = (10, 10)
    tifffile.imwrite(
        folder / "j.tif", psf, imagej=True, resolution=resolution, metadata=metadata
    )
    tifffile.imwrite(folder / "plain.tif", psf, photometric="minisblack")
    packed = {"compression": "zlib", "photometric": "minisblack"}
    tifffile.imwrite(folder / "packed.tif", psf, metadata=None, **packed)
    tifffile.imwrite(folder / "plane.tif", psf[4])
    return sorted(folder.iterdir())


def read_psf(path: Path) -> Answer:
    psf = Psf.load(path, VOXEL)
    return Answer([psf.data], psf.provenance.get("notes", ()))


def zarrs(folder: Path) -> list[Path]:
    moves = [
        {"type": "scale", "scale": [0.3, 0.1, 0.1]},
        {"type": "translation", "translation": [1.0, 2.0, 3.0]},
    ]
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": moves}]
    ome = {
        "multiscales": [{"axes": axes, "datasets": datasets}],
        "omero": {"channels": [{"label": "DNA", "color": "FFFFFF"}]},
    }
    chunks = (1, 6, 16)
    for version, name in ((2, "a04.zarr"), (3, "a05.zarr")):
        group = zarr.open_group(folder / name, mode="w", zarr_format=version)
        group.create_array("0", data=image(), chunks=chunks)
        group.attrs.update(ome if version == 2 else {"ome": ome | {"version": "0.5"}})
        zarr.create_array(
            folder / f"p{version}.zarr",
            data=image(),
            chunks=chunks,
            zarr_format=version,
        )
    sharded = folder / "s.zarr"
    zarr.create_array(sharded, data=image(), chunks=chunks, shards=(1, 12, 16))
    for codec in ("gzip", "lz4", "zlib", "bz2"):
        packer = numcodecs.get_codec({"id": codec})
        path = folder / f"{codec}.zarr"
        options = {"zarr_format": 2, "compressors": packer}
        zarr.create_array(path, data=image(), chunks=chunks, **options)
    return sorted(folder.iterdir())


def damage_model(name: str, rng: random.Random, folder: Path) -> bool:
    """Change bytes of a file, or the tree in its header, or the tensors' header."""
    path = folder / name
    content = path.read_bytes()
    if rng.random() < 0.3:
        changed, _ = mutate.change_bytes(rng, content)
        path.write_bytes(changed)
        return False
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    if rng.random() < 0.7:
        metadata = header["__metadata__"]
        metadata["tree"] = mutate.change_json(rng, metadata["tree"])
        metadata.pop("tree-digest", None)
        text = json.dumps(header)
    else:
        text = mutate.change_json(rng, json.dumps(header))
    raw = text.encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + content[8 + size :])
    return False


def model_seeds(folder: Path) -> list[Path]:
    return [Path(shutil.copytree(MODEL, folder / "m.blurgan"))]


def read_model(path: Path) -> Answer:
    from napari_blurgan.models.model import load_model

    model = load_model(path)
    weights = {k: v.numpy() for k, v in model.generator.state_dict().items()}
    repr(model), model.summary()
    return Answer(weights)


def read_training(path: Path) -> Answer:
    from napari_blurgan.models.folder import ModelFolder

    folder = ModelFolder(path)
    state = folder.load()
    return Answer(state and state["engine"], folder.notes)


def trained(folder: Path) -> list[Path]:
    """Train a step, to go on from."""
    out = folder / "m.blurgan"
    list(training(out, steps=1))
    return [out]


def training(out: Path, steps: int) -> Any:
    from napari_blurgan.methods.presets import preset
    from napari_blurgan.training.trainer import Trainer

    small: dict[str, Any] = {
        "discriminator.base": 2,
        "discriminator.scales": 1,
        "sampling.patch": 16,
    }
    small |= {
        "reconstructor.base": 1,
        "reconstructor.levels": 2,
        "precision": "float32",
    }
    rng = np.random.default_rng(0)
    y, x = (
        [Stack(rng.poisson(40, (16, 24, 24)).astype("f4"), "ZYX", VOXEL, name=name)]
        for name in "yx"
    )
    recipe = preset("cyclegan").updated(small)
    return Trainer(recipe, y, x, out, device="cpu", steps=steps, resume=True)


def read_resumed(path: Path) -> Answer:
    """Go on with a training, and read the model that it leaves."""
    for _ in training(path, steps=2):
        pass
    return read_model(path)


def damage_file(name: str, rng: random.Random, folder: Path) -> bool:
    path = folder / name
    content, _ = mutate.change_text(rng, path.read_bytes())
    path.write_bytes(content)
    return False


def read_history_file(path: Path) -> Answer:
    from napari_blurgan.models.model import read_history

    return Answer(read_history(path / "history.csv"))


def read_recipe(path: Path) -> Answer:
    from napari_blurgan.methods.recipe import Recipe

    return Answer(Recipe.read(path / "recipe.yaml").model_dump())


READERS = {
    "TIFF images": Reader(tiffs, damage_tiff, lambda path: answer(read_stack(path))),
    "files of vendors": Reader(
        of_vendors, damage_vendor, lambda path: answer(read_stack(path))
    ),
    "PSF files": Reader(psfs, damage_tiff, read_psf),
    "zarr, OME-Zarr 0.4/0.5": Reader(
        zarrs, mutate.change_zarr, lambda path: answer(read_stack(path))
    ),
    "models": Reader(
        model_seeds, partial(damage_model, "weights.safetensors"), read_model
    ),
    "states of training": Reader(
        model_seeds, partial(damage_model, "training.safetensors"), read_training
    ),
    "resumed trainings": Reader(
        trained, partial(damage_model, "training.safetensors"), read_resumed
    ),
    "history.csv": Reader(
        model_seeds, partial(damage_file, "history.csv"), read_history_file
    ),
    "recipes": Reader(model_seeds, partial(damage_file, "recipe.yaml"), read_recipe),
}
"""By the name in the table of docs/restore.md."""
