"""Structured mutations: what damage and malice do to files, drawn at random.

A mutation says whether it is a *loss*: bytes that are gone. What a reader makes of a
loss has to be the whole, an error, or something with a note; other changes may give
another valid file, of which only the form of the answer can be judged.
"""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

NUMBERS = (0, 1, -1, 2, 7, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 10**12)
VALUES: tuple[Any, ...] = (
    *(None, True, "", "a", "../..", "\ud800x"[1:], [], {}, [[]], {"a": 1}),
    *(0, -1, 1, 3, 0.5, -2.5, 1e300, 10**12, 10**30, float("nan"), float("inf")),
    *("x" * 5000, [1] * 2000, "pickle", "blosc", "<f8", "|O", "nanometer"),
)
WORDS = (
    "!!python/name:os.system",
    "&a",
    "*a",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "|",
    "?",
)
HEADERS = ("zarr.json", ".zarray", ".zattrs", ".zgroup")


def change_bytes(rng: random.Random, content: bytes) -> tuple[bytes, bool]:
    """Return damaged content, and whether something is lost."""
    kind = rng.choice(
        ("cut", "cut", "flip", "flip", "number", "hole", "double", "fill")
    )
    at = rng.randrange(len(content) + 1)
    size = rng.choice((1, 2, 4, 8, 64, 512, 4096))
    if kind == "cut":
        return content[:at], True
    if kind == "hole":
        return content[:at] + content[at + size :], True
    if kind == "double":
        return content[:at] + content[at : at + size] + content[at:], False
    if kind == "fill":
        return content[:at] + bytes(min(size, len(content) - at)) + content[
            at + size :
        ], False
    changed = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 1, 2, 16))):
        place = rng.randrange(len(changed))
        # Headers stand at the start; pixels would take nearly all of the damage.
        place = place % 600 if rng.random() < 0.6 else place
        place = min(place, len(changed) - 1)
        if kind == "flip":
            changed[place] ^= 1 << rng.randrange(8)
        else:
            form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
            raw = struct.pack(form, _number(rng, form))
            changed[place : place + len(raw)] = raw
    return bytes(changed), False


def change_tiff(rng: random.Random, content: bytes) -> tuple[bytes, bool]:
    """Change one entry of the first directory of a classic TIFF, or any bytes."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or content[2:4] not in (b"*\0", b"\0*") or rng.random() < 0.4:
        return change_bytes(rng, content)
    start = struct.unpack(order + "I", content[4:8])[0]
    count = struct.unpack_from(order + "H", content, start)[0]
    entry = start + 2 + 12 * rng.randrange(count)
    changed = bytearray(content)
    form, place = rng.choice((("H", 0), ("H", 2), ("I", 4), ("I", 8), ("I", 8)))
    struct.pack_into(order + form, changed, entry + place, _number(rng, form))
    return bytes(changed), False


def _number(rng: random.Random, form: str) -> int:
    """Return a number that tends to be trouble, cut to what a field holds."""
    return rng.choice(NUMBERS) & (2 ** (8 * struct.calcsize(form)) - 1)


def change_json(rng: random.Random, text: str) -> str:
    """Put something odd in the place of one value, or leave one out."""
    tree = json.loads(text)
    places = list(_places(tree)) if isinstance(tree, dict | list) else []
    if not places:
        return json.dumps(rng.choice(VALUES))
    parent, key = rng.choice(places)
    if rng.random() < 0.2:
        del parent[key]
    elif rng.random() < 0.1:
        parent[key] = json.loads("[" * 500 + "]" * 500)
    else:
        parent[key] = rng.choice(VALUES)
    return json.dumps(tree)


def _places(tree: Any) -> Any:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def change_text(rng: random.Random, content: bytes) -> tuple[bytes, bool]:
    """Change words and numbers of a text, or any bytes."""
    if rng.random() < 0.3:
        return change_bytes(rng, content)
    words = content.decode("utf-8").split(" ")
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(words))
        odd = rng.choice((*WORDS, *map(str, NUMBERS), *map(str, VALUES[:21])))
        words[at] = rng.choice((odd, words[at] + odd, odd * 300, rng.choice(words)))
    return " ".join(words).encode("utf-8", "replace"), False


def change_zarr(rng: random.Random, folder: Path) -> bool:
    """Damage one file of a zarr; return whether something is lost."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    headers = [p for p in files if p.name in HEADERS]
    chunks = [p for p in files if p.name not in HEADERS]
    kind = rng.choice(("json", "json", "json", "bytes", "gone", "chunk", "link"))
    if kind == "json":
        file = rng.choice(headers)
        file.write_text(change_json(rng, file.read_text()))
        return False
    file = rng.choice(chunks if kind in ("chunk", "link") else files)
    if kind == "gone":
        file.unlink()
        return True
    if kind == "link":
        file.unlink()
        file.symlink_to(rng.choice(("/dev/null", "nowhere", file.name)))
        return True
    content, lost = change_bytes(rng, file.read_bytes())
    file.write_bytes(content)
    return lost and kind == "chunk"
