"""Small files in the formats of vendors, as readers of these formats need them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

VOXEL = (0.3, 0.11, 0.1)
"""(z, y, x) in µm, in all files."""
LENS = {"LensNA": "1.2", "RefractiveIndex": "1.333"}
"""In all files."""
MAGIC = 0x0ABECEDA
SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
MAP_BEGIN = b"ND2 FILEMAP SIGNATURE NAME 0001!"
MAP_END = b"ND2 CHUNK MAP SIGNATURE 0000001!"
HEAD = 4088
"""Bytes of a chunk of an ND2 file before its contents."""


def image(shape: Sequence[int], dtype: str = "uint16") -> NDArray[Any]:
    """Return pixels that all differ from their neighbours."""
    rng = np.random.default_rng(0)
    return rng.integers(1, 250, tuple(shape)).astype(dtype)


def _clx(kind: str, name: str, value: Any) -> str:
    """Return a value in Nikon's XML."""
    if isinstance(value, dict):
        inner = "".join(_clx(*_typed(key, item)) for key, item in value.items())
        return f'<{name} runtype="{kind}">{inner}</{name}>'
    return f'<{name} runtype="{kind}" value="{value}"/>'


def _typed(name: str, value: Any) -> tuple[str, str, Any]:
    kinds = {
        dict: "CLxLiteVariant",
        float: "double",
        int: "lx_int32",
        str: "CLxStringW",
    }
    kind = "bool" if isinstance(value, bool) else kinds[type(value)]
    return kind, name, str(value).lower() if isinstance(value, bool) else value


def _variant(content: dict[str, Any]) -> bytes:
    inner = _clx("CLxLiteVariant", "no_name", content)
    return f'<variant version="1.0">{inner}</variant>'.encode()


def write_nd2(path: Path, pixels: NDArray[Any], period: float = 500.0) -> None:
    """Write (t, z, c, y, x) in Nikon's format, version 2.1, 16 bits."""
    times, planes, channels, height, width = pixels.shape
    spectra = [
        {
            "m_EmissionSpectrum": {"pPoint": {"Point0": _point(455.0 + 65 * c)}},
            "m_ExcitationSpectrum": {"pPoint": {"Point0": _point(405.0 + 83 * c)}},
        }
        for c in range(channels)
    ]
    described = {
        f"a{c}": {
            "sDescription": f"dye {c}",
            "uiCompCount": 1,
            "uiColor": 255 << 8 * c,
            "pFluorescentProbe": spectra[c],
        }
        for c in range(channels)
    }
    z_loop = {"uiCount": planes, "dZStep": VOXEL[0], "bAbsolute": False}
    inner = {"eType": 4, "uLoopPars": z_loop | {"dZLow": 0.0, "dZHigh": 1.0}}
    t_loop = {"uiCount": times, "dStart": 0.0, "dPeriod": period, "dDuration": 0.0}
    chunks = {
        b"ImageAttributes!": _variant(
            {
                "uiWidth": width,
                "uiWidthBytes": 2 * width * channels,
                "uiHeight": height,
                "uiComp": channels,
                "uiBpcInMemory": 16,
                "uiBpcSignificant": 16,
                "uiSequenceCount": times * planes,
                "eCompression": 2,
            }
        ),
        b"ImageMetadata!": _variant(
            {
                "eType": 1,
                "uLoopPars": t_loop,
                "ppNextLevelEx": {"i0000000000": inner},
            }
        ),
        b"ImageMetadataSeq|0!": _variant(
            {
                "bCalibrated": True,
                "dCalibration": VOXEL[2],
                "dObjectiveNA": 1.2,
                "dRefractIndex1": 1.333,
                "sPicturePlanes": {"uiCount": channels, "sPlaneNew": described},
            }
        ),
    }
    frames = pixels.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    for number, frame in enumerate(frames):
        chunks[b"ImageDataSeq|%d!" % number] = b"\0" * 8 + frame.tobytes()
    _write_chunks(path, chunks)


def _point(wavelength: float) -> dict[str, Any]:
    return {"eType": 4, "dWavelength": wavelength, "dTValue": 1.0}


def _write_chunks(path: Path, chunks: dict[bytes, bytes]) -> None:
    head = struct.pack("<IIQ", MAGIC, 32, 64)
    out = bytearray(head + SIGNATURE + b"Ver2.1".ljust(64, b"\0"))
    places = b""
    for name, content in chunks.items():
        places += name + struct.pack("<QQ", len(out), len(content))
        header = struct.pack("<IIQ", MAGIC, HEAD - 16, len(content))
        out += (header + name).ljust(HEAD, b"\0") + content
    where = len(out)
    places += MAP_END + struct.pack("<Q", where)
    out += struct.pack("<IIQ", MAGIC, 32, len(places)) + MAP_BEGIN + places
    path.write_bytes(bytes(out))


def write_lif(path: Path, images: dict[str, tuple[str, NDArray[Any]]]) -> None:
    """Write images of 8 bits, by name, with their axes (of T, C, Z, Y, X)."""
    elements = "".join(_lif_element(n, given) for n, given in enumerate(images.items()))
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="all"><Children>'
        f"{elements}</Children></Element></LMSDataContainerHeader>"
    )
    text = xml.encode("utf-16-le")
    out = struct.pack("<IIBI", 0x70, 5 + len(text), 0x2A, len(text) // 2) + text
    for number, (_, pixels) in enumerate(images.values()):
        name = f"MemBlock_{number}".encode("utf-16-le")
        head = (0x70, 0, 0x2A, pixels.nbytes, 0x2A, len(name) // 2)
        out += struct.pack("<IIBQBI", *head) + name + pixels.tobytes()
    path.write_bytes(out)


def _lif_element(number: int, named: tuple[str, tuple[str, NDArray[Any]]]) -> str:
    name, (axes, pixels) = named
    steps = dict(zip("ZYX", VOXEL, strict=True))
    dims, channels = "", ""
    for axis, size, stride in zip(axes, pixels.shape, pixels.strides, strict=True):
        if axis == "C":
            channels = "".join(_lif_channel(c * stride) for c in range(size))
            continue
        code = {"X": 1, "Y": 2, "Z": 3, "T": 4, "λ": 5}[axis]
        step, unit = (steps[axis] * 1e-6, "m") if axis in steps else (2.5, "s")
        dims += (
            f'<DimensionDescription DimID="{code}" NumberOfElements="{size}" '
            f'Origin="0" Length="{step * (size - 1)}" Unit="{unit}" BitInc="0" '
            f'BytesInc="{stride}"/>'
        )
    return (
        f'<Element Name="{name}" UniqueID="{number}"><Data><Image><ImageDescription>'
        f"<Channels>{channels or _lif_channel(0)}</Channels><Dimensions>{dims}"
        '</Dimensions></ImageDescription><Attachment Name="HardwareSetting">'
        '<ATLConfocalSettingDefinition NumericalAperture="1.2" Immersion="WATER" '
        'RefractionIndex="1.333" Magnification="63" ObjectiveName="HC PL "/>'
        f'</Attachment></Image></Data><Memory Size="{pixels.nbytes}" '
        f'MemoryBlockID="MemBlock_{number}"/></Element>'
    )


def _lif_channel(place: int) -> str:
    return (
        '<ChannelDescription DataType="0" ChannelTag="0" Resolution="8" '
        'NameOfMeasuredQuantity="" Min="0" Max="255" Unit="" LUTName="Green" '
        f'IsLUTInverted="0" BytesInc="{place}" BitInc="0"/>'
    )


def write_oif(path: Path, pixels: NDArray[Any]) -> None:
    """Write (c, z, y, x) as an OIF with its folder of planes."""
    channels, planes = pixels.shape[:2]
    z, y, x = VOXEL
    text = _ini(
        {
            "ProfileSaveInfo": {"Name": "a", "Version": "1"},
            "Reference Image Parameter": {
                "HeightConvertValue": y,
                "HeightUnit": '"um"',
                "WidthConvertValue": x,
                "WidthUnit": '"um"',
            },
            "Axis 3 Parameters Common": {
                "AxisCode": '"Z"',
                "MaxSize": planes,
                "StartPosition": -1000.0,
                "EndPosition": -1000 + 1000 * z * (planes - 1),
                "PixUnit": '"nm"',
            },
            "Channel 1 Parameters": {"CH Name": '"CH1"', "EmissionWavelength": 520},
            "Channel 2 Parameters": {"CH Name": '"CH2"', "DyeName": '"Cy5"'},
        }
    )
    path.write_bytes(text)
    folder = path.with_name(f"{path.name}.files")
    folder.mkdir()
    lens = {"ObjectiveLens NAValue": 1.2, "Magnification": 40}
    for c in range(channels):
        for k in range(planes):
            name = folder / f"s_C{c + 1:03}Z{k + 1:03}"
            tifffile.imwrite(name.with_suffix(".tif"), pixels[c, k])
            made = _ini({"Acquisition Parameters Common": lens})
            name.with_suffix(".pty").write_bytes(made)


def _ini(sections: dict[str, dict[str, Any]]) -> bytes:
    lines = []
    for name, entries in sections.items():
        lines += [f"[{name}]", *(f"{key}={value}" for key, value in entries.items())]
    return "\r\n".join(lines).encode("utf-16")


def write_czi(
    path: Path,
    tiles: Sequence[tuple[dict[str, int], NDArray[Any]]],
    pack: tuple[int, Any] = (0, bytes),
    pixels: int = 1,
) -> None:
    """Write planes (y, x) or (y, x, 3), each with its place along axes.

    Parameters
    ----------
    path : Path
        The file.
    tiles : sequence of (dict, array)
        Starts along axes, X and Y included if they are not 0.
    pack : (int, callable)
        Zeiss' code of the compression, and what compresses.
    pixels : int
        Zeiss' code of the type of the pixels.
    """
    out, entries = bytearray(_czi_segment(b"ZISRAWFILE", bytes(512))), b""
    for place, plane in tiles:
        position, data = len(out), pack[1](plane.tobytes())
        entry = _czi_entry(position, pixels, pack[0], place, plane.shape)
        content = (struct.pack("<iiq", 0, 0, len(data)) + entry).ljust(256, b"\0")
        out += _czi_segment(b"ZISRAWSUBBLOCK", content + data)
        entries += entry
    directory = len(out)
    count = struct.pack("<i", len(tiles)).ljust(128, b"\0")
    out += _czi_segment(b"ZISRAWDIRECTORY", count + entries)
    metadata = len(out)
    xml = CZI_XML.encode()
    out += _czi_segment(b"ZISRAWMETADATA", struct.pack("<i", len(xml)).ljust(256) + xml)
    header = struct.pack("<ii8x16s16siqq", 1, 0, b"", b"", 0, directory, metadata)
    out[32 : 32 + len(header)] = header
    path.write_bytes(bytes(out))


def _czi_segment(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<16sqq", kind, len(content), len(content)) + content


def _czi_entry(
    position: int, pixels: int, codec: int, place: dict[str, int], shape: Sequence[int]
) -> bytes:
    sizes = {"X": shape[1], "Y": shape[0]}
    dims = b"".join(
        struct.pack("<4siifi", axis.encode(), place.get(axis, 0), size, 0.0, size)
        for axis, size in (sizes | {a: 1 for a in place if a not in sizes}).items()
    )
    count = len(dims) // 20
    return (
        struct.pack("<2siqiiBx4xi", b"DV", pixels, position, 0, codec, 0, count) + dims
    )


CZI_XML = """<ImageDocument><Metadata><Scaling><Items>
<Distance Id="X"><Value>1e-07</Value></Distance>
<Distance Id="Y"><Value>1.1e-07</Value></Distance>
<Distance Id="Z"><Value>3e-07</Value></Distance></Items></Scaling><Information>
<Document><Name>cell 3</Name></Document><Instrument><Objectives>
<Objective Id="Objective:1" Name="C-Apochromat"><LensNA>1.2</LensNA>
<Immersion>Water</Immersion><NominalMagnification>63</NominalMagnification></Objective>
</Objectives></Instrument><Image><ObjectiveSettings><ObjectiveRef Id="Objective:1"/>
<RefractiveIndex>1.333</RefractiveIndex></ObjectiveSettings><Dimensions><Channels>
<Channel Name="dapi"><EmissionWavelength>455</EmissionWavelength></Channel>
<Channel Name="gfp"><EmissionWavelength>520</EmissionWavelength></Channel>
</Channels><T><Positions><Interval><Increment>2.5</Increment></Interval></Positions></T>
</Dimensions></Image></Information></Metadata></ImageDocument>"""
