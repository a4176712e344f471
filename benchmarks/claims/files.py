"""What becomes of a folder of microscopy files: read, written, opened in napari.

    python -m benchmarks.claims.files FOLDER [--odd FOLDER/NAME]

Every file is read, or refused with a reason. What is read goes through an operator that
changes nothing into OME-TIFF and OME-Zarr, and back; where the file does not name its
channels, they are given names first. Pixels, axes, voxel size and
channel names must be those of the source, the metadata must validate, and napari must
show the scale of the source. The exit code is 1 if anything was lost. Replaces the
tables "round trip" and "odd files" of docs/restore.md; of the second, only what lies in
the folder named by --odd.

What is installed decides what is checked: xmlschema and ome-types (for its schema of
OME-XML), ome-zarr-models, napari, napari-ome-zarr.
"""

import argparse
import contextlib
import importlib.util
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
import zarr
from torch import Tensor

from benchmarks.helpers.tables import write_table
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import make_sink
from napari_blurgan.widgets.reader import read as read_layers

SUFFIXES = (".ome.tif", ".ome.zarr")


class Same:
    """Changes nothing, in two dimensions or three."""

    device = torch.device("cpu")

    def __init__(self, dims: int) -> None:
        self.halo, self.stride = (2,) * dims, (2,) * dims

    def channels_out(self, channels_in: int) -> int:
        """Return as many."""
        return channels_in

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image."""
        return image


@dataclass
class Outcome:
    """What became of one file."""

    path: Path
    stack: Stack | None = None
    refused: str = ""
    kept: dict[str, set[str]] = field(default_factory=dict)
    lost: dict[str, set[str]] = field(default_factory=dict)

    def note(self, suffix: str, what: str, right: bool) -> None:
        """Remember a property of a result."""
        (self.kept if right else self.lost).setdefault(suffix, set()).add(what)


def outcome(path: Path) -> Outcome:
    """Read one file and take it there and back."""
    found = Outcome(path)
    try:
        found.stack = stack = _named(read_stack(path))
        for suffix in SUFFIXES:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / f"a{suffix}"
                _round_trip(found, stack, suffix, out)
    except BlurGANError as error:
        found.refused = str(error)
    return found


def _named(stack: Stack) -> Stack:
    if stack.channel_names or "C" not in stack.axes:
        return stack
    return replace(
        stack, channel_names=tuple(f"stain {c} µ" for c in range(stack.channels))
    )


def _round_trip(found: Outcome, stack: Stack, suffix: str, out: Path) -> None:
    operator = Same(len(stack.spatial_axes))
    list(apply(operator, stack, make_sink(out), dtype="source"))
    again = read_stack(out)
    order = [_place(letter, stack.axes) for letter in again.axes]
    source = np.asarray(stack.data[(...,)]).astype(np.float32)
    pixels = np.asarray(again.data[(...,)]).astype(np.float32)
    found.note(suffix, "pixels", np.array_equal(pixels, source.transpose(order)))
    found.note(suffix, "axes", set(again.axes) == set(_stored(stack.axes, suffix)))
    if any(_spatial(stack)):
        found.note(suffix, "voxel size", _close(_spatial(again), _spatial(stack)))
    if stack.channel_names:
        same = again.channel_names == stack.channel_names
        found.note(suffix, "channel names", same)
    for what, right in _valid(out):
        found.note(suffix, what, right)
    for what, right in _opened(out, stack):
        found.note(suffix, what, right)


def _place(letter: str, axes: str) -> int:
    """Return where an axis was in the source, whose samples may be channels now."""
    return axes.index(letter if letter in axes else "S")


def _stored(axes: str, suffix: str) -> str:
    return axes.replace("S", "C") if suffix == ".ome.zarr" else axes


def _spatial(stack: Stack) -> tuple[float | None, ...]:
    """Return the voxel size along the axes that there are."""
    return stack.voxel_size[-len(stack.spatial_axes) :]


def _close(one: Any, other: Any) -> bool:
    return all(
        (a is None) == (b is None) and (a is None or np.isclose(a, b, rtol=1e-6))
        for a, b in zip(one, other, strict=True)
    )


def _valid(out: Path) -> Iterator[tuple[str, bool]]:
    if out.suffix == ".tif" and _installed("xmlschema", "ome_types"):
        with tifffile.TiffFile(out) as tif:
            yield "valid metadata", _schema().is_valid(tif.ome_metadata)
    if out.suffix == ".zarr" and _installed("ome_zarr_models"):
        from ome_zarr_models.v05 import Image

        # Raises, and says what, if anything is not as the standard has it.
        Image.from_zarr(zarr.open_group(out, mode="r"))
        yield "valid metadata", True


def _schema() -> Any:
    import ome_types
    import xmlschema

    if not hasattr(_schema, "kept"):
        path = Path(ome_types.__file__).parent / "ome-2016-06.xsd"
        _schema.kept = xmlschema.XMLSchema(str(path))  # type: ignore[attr-defined]
    return _schema.kept  # type: ignore[attr-defined]


def _opened(out: Path, stack: Stack) -> Iterator[tuple[str, bool]]:
    """Open a result in napari, with our reader and with the one for OME-Zarr."""
    if not _installed("napari") or not all(_spatial(stack)):
        return
    yield "scale in napari", _scale_is_right(read_layers(out), stack)
    if out.suffix == ".zarr" and _installed("napari_ome_zarr"):
        from napari_ome_zarr import napari_get_reader

        with contextlib.redirect_stdout(io.StringIO()):
            layers = napari_get_reader(str(out))(str(out))
        yield "scale in napari-ome-zarr", _scale_is_right(layers, stack)


def _scale_is_right(layers: Any, stack: Stack) -> bool:
    from napari.components import ViewerModel

    viewer = ViewerModel()
    for data, attributes, _ in layers:
        viewer.add_image(data, **attributes)
    sizes = _spatial(stack)
    return all(
        np.allclose(layer.scale[-len(sizes) :], sizes, rtol=1e-6)
        and str(layer.units[-1]) == "micrometer"
        for layer in viewer.layers
    )


def _installed(*names: str) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in names)


def _sizes(stack: Stack) -> str:
    known = [f"{s:.4g}" for s in stack.voxel_size if s is not None]
    return " × ".join(known) + " µm" if known else "unknown"


def odd_row(found: Outcome) -> tuple[str, str]:
    """Return a line about one file: what was read, or why not."""
    stack = found.stack
    if found.refused or stack is None:
        return found.path.name, f"refused: {found.refused}".replace("|", "/")
    shape = "×".join(map(str, stack.data.shape))
    notes = "; ".join(["", *stack.metadata["notes"]])
    text = f"{stack.axes} {shape} {stack.data.dtype}, voxel {_sizes(stack)}{notes}"
    return found.path.name, f"read: {text}"


def summary(outcomes: list[Outcome]) -> Iterator[tuple[str, ...]]:
    """Yield for each property in how many files of each kind it was kept."""
    names = ("pixels", "axes", "voxel size", "channel names", "valid metadata")
    for what in (*names, "scale in napari", "scale in napari-ome-zarr"):
        yield (what, *(_count(outcomes, suffix, what) for suffix in SUFFIXES))


def _count(outcomes: list[Outcome], suffix: str, what: str) -> str:
    kept = sum(what in found.kept.get(suffix, ()) for found in outcomes)
    lost = sum(what in found.lost.get(suffix, ()) for found in outcomes)
    return f"{kept} of {kept + lost}" if kept + lost else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--odd", type=Path, metavar="FOLDER", help="shown one by one")
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.rglob("*.*") if p.suffix != ".md")
    outcomes = [outcome(path) for path in paths if path.is_file()]
    odd = [o for o in outcomes if options.odd and options.odd in o.path.parents]
    for found in outcomes:
        print(found.path.name, found.refused or "", found.lost or "", flush=True)
    whole = [o for o in outcomes if not o.refused]
    counts = Counter("refused" if o.refused else "read" for o in outcomes)
    print(dict(counts), "refused:", [o.path.name for o in outcomes if o.refused])
    write_table(
        "restore.md",
        "round trip",
        f"| kept, of {len(whole)} files | OME-TIFF | OME-Zarr |",
        summary(whole),
    )
    write_table("restore.md", "odd files", "| file | outcome |", map(odd_row, odd))
    if any(found.lost for found in outcomes):
        raise SystemExit("something was lost")


if __name__ == "__main__":
    main()
