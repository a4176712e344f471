"""Objective and fluorophores in OME-XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_blurgan.headers.ome_optics import channel_optics, optics_in

XML = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0">
<Objective ID="Objective:0" LensNA="0.5" Immersion="Air"/>
<Objective ID="Objective:1" LensNA="{na}" Immersion="{medium}"/>
</Instrument>
<Image ID="Image:0"><ObjectiveSettings ID="Objective:1" {index}/>
<Pixels><Channel ID="Channel:0" EmissionWavelength="{wave}" {unit}/>
<Channel ID="Channel:1"/></Pixels></Image></OME>"""
USUAL = {"na": "1.2", "medium": "Water", "index": "", "wave": "525", "unit": ""}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"na": 1.2, "ni": 1.333, "wavelength": 525}),
        (
            {"index": 'RefractiveIndex="1.34"'},
            {"na": 1.2, "ni": 1.34, "wavelength": 525},
        ),
        (
            {"wave": "0.525", "unit": 'EmissionWavelengthUnit="µm"'},
            {"na": 1.2, "ni": 1.333, "wavelength": 525},
        ),
        ({"unit": 'EmissionWavelengthUnit="eV"'}, None),
        ({"medium": "Multi"}, None),
        ({"na": "NaN"}, None),
        ({"wave": "-1"}, None),
    ],
)
def test_what_is_said_of_each_channel(
    said: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert optics_in(XML.format(**USUAL | said)) == [expected, None]


def test_a_file_without_ome_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "no.tif"
    path.write_text("no image")
    assert channel_optics(path) == []
