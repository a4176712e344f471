"""What documents how a model was made."""

from __future__ import annotations

import json

import numpy as np
import torch

from napari_blurgan import Stack, preset
from napari_blurgan.models.provenance import fingerprint, new_id, provenance

RNG = np.random.default_rng(0)
IMAGE = Stack(RNG.random((4, 16, 16)), "ZYX", (0.3, 0.1, 0.1), name="cell")


def test_no_two_models_have_one_name() -> None:
    assert len({new_id() for _ in range(50)}) == 50


def test_an_image_is_known_by_its_pixels() -> None:
    same = Stack(np.array(IMAGE.data), "ZYX", (0.3, 0.1, 0.1), name="cell")
    assert fingerprint(same) == fingerprint(IMAGE)
    other = np.array(IMAGE.data)
    other[0, 0, 0] += 1
    assert fingerprint(IMAGE.with_data(other)) != fingerprint(IMAGE)


def test_everything_fits_into_json() -> None:
    facts = provenance(
        preset("nonblind"), torch.device("cpu"), torch.float32, [fingerprint(IMAGE)]
    )
    words = json.dumps(facts)
    assert "float32" in words
    assert "cell" in words
