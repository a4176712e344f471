"""State in one file: tensors and JSON, written atomically, verified when read.

safetensors contains no code, so opening a model from someone else cannot execute
anything. A digest over all tensors reveals damage.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from napari_blurgan.errors import DataError, ModelFileError
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.writing.atomic import replacing

__all__ = ["read_state", "write_state"]

TENSOR = "__tensor__"
DEEPEST = 64


def write_state(path: Path, tree: Any) -> None:
    """Write a tree of dicts, lists, tensors and JSON values to one file.

    An existing file stays complete until the new one is. Keys of dicts are text or
    numbers; tuples are read back as lists.

    Raises
    ------
    ModelFileError, DataError
        If it cannot be written: no permission, or the disk is full.
    """
    tensors: dict[str, Tensor] = {}
    skeleton = _take_tensors(tree, tensors)
    text = json.dumps(skeleton)
    metadata = {"tree": text, "tree-digest": _sha(text), "digest": _digest(tensors)}
    try:
        with replacing(path) as temporary:
            temporary.touch()
            rights = temporary.stat().st_mode
            safetensors.torch.save_file(tensors, temporary, metadata)
            # By default it makes files that only their owner may read.
            temporary.chmod(rights)
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"{path}: cannot be written ({error}); the previous checkpoint is unchanged"
        ) from None


def read_state(path: Path) -> Any:
    """Read a file written by `write_state`.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, altered, larger than the memory or of
        another kind.
    """
    try:
        refuse_beyond_memory(path.stat().st_size, str(path))
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}") from None
    except DataError as error:
        raise ModelFileError(str(error)) from None
    except (OSError, safetensors.SafetensorError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{path} is damaged or truncated: {error!s:.300}"
        ) from None
    text = metadata.get("tree", "")
    whole = metadata.get("digest") == _digest(tensors)
    # Files of the first versions have no digest of the structure.
    if not whole or metadata.get("tree-digest", _sha(text)) != _sha(text):
        raise ModelFileError(f"{path} is damaged: the checksum of its content is wrong")
    try:
        return _put_tensors(json.loads(text), tensors)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: its structure cannot be read ({error!s:.200})"
        ) from None


def _take_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(tree, Tensor):
        key = f"{len(tensors):05d}"
        tensors[key] = tree.detach().cpu().contiguous().clone()
        return {TENSOR: key}
    if isinstance(tree, dict):
        # JSON has text keys only; those of optimiser states are numbers.
        items = ([k, _take_tensors(v, tensors)] for k, v in tree.items())
        return {"items": list(items)}
    if isinstance(tree, list | tuple):
        return [_take_tensors(value, tensors) for value in tree]
    return tree


def _put_tensors(tree: Any, tensors: dict[str, Tensor], depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels deep")
    if isinstance(tree, list):
        return [_put_tensors(value, tensors, depth + 1) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if TENSOR in tree:
        return tensors[tree[TENSOR]]
    entries = {}
    for key, value in tree["items"]:
        if not isinstance(key, str | int | float) or key in entries:
            raise ValueError(f"the key {key!r:.40} is none, or there twice")
        entries[key] = _put_tensors(value, tensors, depth + 1)
    return entries


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
