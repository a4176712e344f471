"""Opening images in napari with voxel size, axes, names, colours and optics."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from napari.utils.notifications import show_info

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError
from napari_blurgan.headers.ome_optics import optics_of
from napari_blurgan.reading.hdf5 import HDF5
from napari_blurgan.reading.images import read_stack
from napari_blurgan.widgets._colours import channel_colours
from napari_blurgan.widgets._layers import METADATA_KEY, LayerData, stack_layer

__all__ = ["get_reader"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
UNNAMED = "TCZYX"
MOST = 20
"""Images in the file of a vendor that are opened; `blurgan convert` takes all."""


def get_reader(
    path: Paths | None = None,
) -> Callable[[Paths], list[LayerData]] | None:
    """Return the function that napari calls to open `path`, one file or several.

    Folders other than zarr are left to napari's own reader. Without a path, as from
    napari's command palette, it asks for files and opens them.
    """
    if path is None:
        _ask_and_open()
        return None
    folders = [p for p in _each(path) if p.is_dir()]
    return read if all(map(_is_zarr, folders)) else None


def read(path: Paths) -> list[LayerData]:
    """Return a lazy layer for each channel of each file, in micrometres.

    A notification reports what had to be guessed.

    Raises
    ------
    DataError
        If a file cannot be read; see `read_stack`.
    """
    return [layer for each in _each(path) for layer in _of_file(each)]


def _ask_and_open() -> None:
    import napari
    from qtpy.QtWidgets import QApplication, QFileDialog

    window = QApplication.activeWindow()
    names, _ = QFileDialog.getOpenFileNames(window, "Open with BlurGAN")
    viewer = napari.current_viewer()
    if names and viewer is not None:
        viewer.open(names, plugin="napari-blurgan")


def _is_zarr(path: Path) -> bool:
    # zarr takes half a second to import: only when needed.
    from napari_blurgan.reading.ome_zarr import is_zarr

    return is_zarr(path)


def _each(path: Paths) -> list[Path]:
    return [Path(p) for p in ([path] if isinstance(path, str | os.PathLike) else path)]


def _of_file(path: Path) -> list[LayerData]:
    try:
        stack = read_stack(path)
    except AxesError:
        stack = _unnamed(path)
        data, attributes, kind = stack_layer(stack)
        del attributes["axis_labels"]
        layers = [(data, attributes, kind)]
    else:
        layers = list(_layers(stack, path))
    _say_optics(layers, optics_of(stack.metadata.get("acquisition")))
    for note in stack.metadata.get("notes", ()):
        show_info(f"{path.name}: {note}")
    return [*layers, *_others(path, stack.metadata.get("images", 1))]


def _others(path: Path, images: int) -> Iterator[LayerData]:
    """Yield the layers of the other images in the file of a vendor, hidden."""
    for number in range(1, min(images, MOST)):
        stack = read_stack(path, image=number)
        name = f"{stack.name} {stack.metadata['description'] or number}"
        layers = list(_layers(replace(stack, name=name), path))
        _say_optics(layers, optics_of(stack.metadata.get("acquisition")))
        for _, attributes, _ in layers:
            attributes["visible"] = False
        yield from layers
    if images > 1:
        opened = min(images, MOST)
        show_info(f"{path.name}: the first {opened} of {images} images were opened")


def _say_optics(layers: list[LayerData], optics: Sequence[Any]) -> None:
    """Store the objective and the fluorophore of its channel in every layer."""
    if len(layers) == len(optics):
        for (_, attributes, _), known in zip(layers, optics, strict=True):
            if known is not None:
                attributes["metadata"][METADATA_KEY]["optics"] = known


def _unnamed(path: Path) -> Stack:
    """Read a TIFF stack whose axes have no names, as napari itself saves them.

    Raises
    ------
    AxesError
        If it has none, or more than five.
    """
    if path.is_dir() or path.suffix.lower() in HDF5:
        return read_stack(path)  # reports again what is missing
    with tifffile.TiffFile(path) as tif:
        shape = tif.series[0].shape
    axes = UNNAMED[-len(shape) :]
    if len(shape) == 4:
        axes = "CZYX" if shape[0] <= 4 else "TZYX"
    stack = read_stack(path, axes=axes)
    note = (
        f"the axes of {' × '.join(map(str, shape))} have no names in the file: {axes} "
        f"is assumed; Advanced → Axes overrides that"
    )
    return replace(stack, metadata=stack.metadata | {"notes": [note]})


def _layers(stack: Stack, path: Path) -> Iterator[LayerData]:
    if stack.size("S") in (3, 4):
        yield stack_layer(_samples_last(stack))
    elif {"C", "S"} & set(stack.axes):
        yield from _channels(stack, path)
    else:
        yield stack_layer(stack)


def _channels(stack: Stack, path: Path) -> Iterator[LayerData]:
    """Return a layer for each channel, in its colour, all of them visible."""
    names = stack.channel_names or [f"channel {c}" for c in range(stack.channels)]
    colours = channel_colours(path, stack.channels) if stack.channels > 1 else [None]
    for channel, (name, colour) in enumerate(zip(names, colours, strict=True)):
        looks = {} if colour is None else {"colormap": colour, "blending": "additive"}
        yield stack_layer(
            stack.only_channel(channel), name=f"{stack.name}, {name}", **looks
        )


def _samples_last(stack: Stack) -> Stack:
    """Return a colour image with the samples of a pixel side by side."""
    if stack.axes.endswith("S"):
        return stack
    pixels = np.moveaxis(np.asarray(stack.data[...]), stack.axes.index("S"), -1)
    return stack.with_data(pixels, stack.axes.replace("S", "") + "S")
