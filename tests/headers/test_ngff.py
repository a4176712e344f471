"""The metadata of an OME-Zarr image."""

from __future__ import annotations

from typing import Any

import pytest

from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.headers.ngff import dataset_path, read_image


def image(axes: str = "zyx", **more: Any) -> dict[str, Any]:
    kinds = dict.fromkeys("zyx", "space") | {"c": "channel", "t": "time"}
    scale = [0.5] * len(axes)
    return {
        "multiscales": [
            {
                "axes": [
                    {"name": a, "type": kinds[a]}
                    | ({"unit": "micrometer"} if a in "zyx" else {})
                    for a in axes
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": scale}
                        ],
                    }
                ],
            }
        ]
    } | more


def test_axes_and_voxels_of_an_image() -> None:
    found = read_image(image("czyx"), (2, 3, 4, 5))
    assert found.axes == "CZYX"
    assert found.voxels.size == (0.5, 0.5, 0.5)
    assert dataset_path(image()) == "0"


def test_channels_have_the_names_of_omero() -> None:
    omero = {"channels": [{"label": "DNA"}, {"label": "actin"}]}
    found = read_image(image("czyx", omero=omero), (2, 3, 4, 5))
    assert found.channel_names == ("DNA", "actin")


@pytest.mark.parametrize("path", ["../other", "/etc", 3])
def test_a_path_that_leads_out_is_refused(path: object) -> None:
    ome = image()
    ome["multiscales"][0]["datasets"][0]["path"] = path
    with pytest.raises(DataError):
        dataset_path(ome)


def test_axes_that_do_not_fit_the_array_are_refused() -> None:
    with pytest.raises(AxesError, match="the data have 2"):
        read_image(image("zyx"), (4, 5))
