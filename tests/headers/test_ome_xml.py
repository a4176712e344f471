"""Metadata read from OME-XML."""

from __future__ import annotations

import pytest

from napari_blurgan.headers.ome_xml import declared_planes, named_files, read_ome

XML = """<?xml version="1.0"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
  <Image ID="Image:0" Name="cell">
    <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"
        SizeX="6" SizeY="5" SizeZ="4" SizeC="2" SizeT="3"
        PhysicalSizeX="100" PhysicalSizeXUnit="nm" PhysicalSizeY="0.1"
        PhysicalSizeZ="0.3">
      <Channel ID="Channel:0:0" Name="DNA" SamplesPerPixel="1"/>
      <Channel ID="Channel:0:1" Name="actin" SamplesPerPixel="1"/>
      <TiffData><UUID FileName="other.ome.tif">urn:uuid:1</UUID></TiffData>
      <Plane TheZ="0" TheC="0" TheT="0" PositionX="7" PositionXUnit="um"/>
    </Pixels>
  </Image>
</OME>"""


def test_sizes_names_and_files() -> None:
    found = read_ome(XML)
    assert found.voxels.size == pytest.approx((0.3, 0.1, 0.1))
    assert found.channel_names == ("DNA", "actin")
    assert declared_planes(XML) == 24
    assert named_files(XML) == {"other.ome.tif"}


def test_a_unit_that_is_none_leaves_the_size_unknown() -> None:
    odd = XML.replace('PhysicalSizeXUnit="nm"', 'PhysicalSizeXUnit="s"')
    found = read_ome(odd)
    assert found.voxels.size[2] is None
    assert "not a unit of length" in found.voxels.notes[0]
