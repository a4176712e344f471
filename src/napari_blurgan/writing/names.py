"""Which images a folder holds, and the names of their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_blurgan.errors import DataError

__all__ = ["images_in", "result_names"]

IMAGES = (
    *(".tif", ".tiff", ".btf", ".tf2", ".tf8", ".lsm", ".stk", ".zarr"),
    *(".czi", ".lif", ".nd2", ".oib", ".oif"),
)


def images_in(folder: Path) -> list[Path]:
    """Return the images of a folder by their endings, sorted; hidden ones are not."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGES and not path.name.startswith(".")
    )


def result_names(
    inputs: Sequence[Path], folder: Path, zarr: bool = True
) -> Iterator[tuple[Path, Path]]:
    """Yield each image with its place in a folder: OME-TIFF, or zarr for a zarr.

    Raises
    ------
    DataError
        If two images would have the same.
    """
    taken: dict[Path, Path] = {}
    for source in inputs:
        stem = source.name.removesuffix(source.suffix).removesuffix(".ome")
        stays = zarr and source.suffix.lower() == ".zarr"
        place = folder / f"{stem}{'.zarr' if stays else '.ome.tif'}"
        if place in taken:
            raise DataError(
                f"{taken[place]} and {source} would both become {place}; "
                "write them into different folders"
            )
        taken[place] = source
        yield source, place
