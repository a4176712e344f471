"""Model folders and recipes from strangers: right, or refused in a sentence."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, ModelFileError, RecipeError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.checkpoint import read_state, write_state
from napari_blurgan.models.model import load_model, read_history
from napari_blurgan.monitoring.events import Checkpointed, Stepped, Warned
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reconstructors.network import make_network
from napari_blurgan.training.trainer import Trainer
from napari_blurgan.writing.lock import FolderLock

MODEL = Path(__file__).parents[1] / "models" / "version1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "m.blurgan"))


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the weights with other content, whole and with a right checksum."""
    state = read_state(folder / "weights.safetensors")
    edit(state)
    write_state(folder / "weights.safetensors", state)


def put(place: str, value: Any) -> Callable[[dict[str, Any]], None]:
    *parents, last = place.split("/")

    def edit(state: dict[str, Any]) -> None:
        for key in parents:
            state = state[key]
        state[last] = value

    return edit


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("channels", None),
        ("channels", [1]),
        ("channels", [0, 1]),
        ("channels", [10**9, 1]),
        ("pool", [2, 2, 2, 2]),
        ("pool", "222"),
        ("voxel_size", [0.1, 0.1]),
        ("voxel_size", [0.1, -0.1, 0.1]),
        ("voxel_size", [0.1, float("nan"), 0.1]),
        ("id", "../../etc/passwd"),
        ("id", 3),
        ("calibration", {}),
        ("calibration/gain", "a"),
        ("calibration/gain", float("inf")),
        ("calibration/y/scale", 0),
        ("calibration/noise/slope", -1.0),
        ("recipe", []),
        ("recipe/dims", 4),
        ("recipe/version", 99),
        ("recipe/version", []),
        ("generator", {}),
        ("generator", [1, 2]),
        ("generator/network.head.weight", torch.zeros(3)),
        ("psf/data", torch.zeros(3)),
        ("psf/voxel_size", [1, 2]),
        ("blur", torch.zeros(2)),
        ("provenance", 3),
        ("colour", "yes"),
        ("format", 99),
        ("format", None),
    ],
)
def test_whatever_is_wrong_in_a_model_is_refused(
    folder: Path, place: str, value: Any
) -> None:
    change(folder, put(place, value))
    with pytest.raises(ModelFileError, match=r"m\.blurgan") as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["recipe", "calibration", "generator", "channels", "id"]
)
def test_what_is_missing_is_named(folder: Path, key: str) -> None:
    change(folder, lambda state: state.pop(key))
    with pytest.raises(ModelFileError, match=f"{key}: Field required"):
        load_model(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder: Path, value: float) -> None:
    def edit(state: dict[str, Any]) -> None:
        next(iter(state["generator"].values())).fill_(value)

    change(folder, edit)
    with pytest.raises(ModelFileError, match="contains NaN or infinity"):
        load_model(folder)


def test_a_recipe_of_another_network_is_refused_before_it_is_built(
    folder: Path,
) -> None:
    change(folder, put("recipe/generator/base", 16))
    with pytest.raises(ModelFileError, match="do not fit the recipe's network"):
        load_model(folder)


def test_a_network_beyond_the_memory_is_refused_with_the_number(folder: Path) -> None:
    def edit(state: dict[str, Any]) -> None:
        state["recipe"]["generator"] |= {"base": 4096, "levels": 8}

    change(folder, edit)
    with pytest.raises(ModelFileError, match=r"network of .* weights would take .*B"):
        load_model(folder)
    settings = Recipe().updated({"reconstructor.base": 4096, "reconstructor.levels": 8})
    with pytest.raises(DataError, match=r"network of .* weights would take .*B"):
        make_network(settings.reconstructor, 3, 1, 1, (2, 2, 2))


def test_pickle_in_place_of_safetensors_is_not_opened(folder: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (folder / "attacked",))

    weights = folder / "weights.safetensors"
    weights.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ModelFileError, match="damaged or truncated"):
        load_model(folder)
    torch.save({"a": torch.zeros(1)}, weights)
    with pytest.raises(ModelFileError, match="damaged or truncated"):
        load_model(folder)
    assert not (folder / "attacked").exists()


def with_tree(path: Path, tree: str, **metadata: str) -> Path:
    """A file whose tree is any text, the checksum of the tensors right."""
    tensors = {"00000": torch.zeros(2)}
    write_state(path, {"a": tensors["00000"]})
    with safetensors.safe_open(path, framework="pt") as file:
        digest = file.metadata()["digest"]
    metadata = {"tree": tree, "digest": digest} | metadata
    safetensors.torch.save_file(tensors, path, metadata)
    return path


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "{",
        "[" * 100_000,
        "[" * 100 + "]" * 100,
        '{"items": 3}',
        '{"items": [1]}',
        '{"items": [["a", 1], ["a", 2]]}',
        '{"items": [[[], 1]]}',
        '{"items": [[null, 1]]}',
        '{"__tensor__": "00007"}',
        '{"__tensor__": []}',
        '{"other": 1}',
    ],
)
def test_odd_trees_are_refused(tmp_path: Path, tree: str) -> None:
    with pytest.raises(ModelFileError, match="its structure cannot be read"):
        read_state(with_tree(tmp_path / "s", tree))


def test_a_changed_tree_is_noticed(tmp_path: Path) -> None:
    path = with_tree(tmp_path / "s", '{"items": [["a", 1]]}', **{"tree-digest": "0"})
    with pytest.raises(ModelFileError, match="checksum"):
        read_state(path)


def test_links_do_not_lead_out_of_the_folder(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    outside = weights.rename(folder.parent / "outside.safetensors")
    weights.symlink_to(outside)
    with pytest.raises(ModelFileError, match="leads out of the model folder"):
        load_model(folder)
    weights.unlink()
    outside.rename(folder / "elsewhere.safetensors")
    weights.symlink_to("elsewhere.safetensors")
    assert load_model(folder).id


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\xff\xfe\x00",
        b"step,loss\n1,abc\n2,3\n",
        b"step,loss\n1\n2,3\n",
        b"step,loss\n1,2,3\n2,3\n",
        b"loss\n1\n",
        b"step,loss\nnan,1\n2,3\n",
        b"step,loss\n1,\xff\n2,3\n",
    ],
)
def test_a_damaged_history_costs_its_damaged_lines_only(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(content)
    expected = [{"step": 2.0, "loss": 3.0}] if b"2,3" in content else []
    assert read_history(path) == expected


def test_a_second_writer_is_refused_and_a_dead_one_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from napari_blurgan.writing.lock import FolderLock;"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire();"
        "print('mine', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "m")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        lock = FolderLock(tmp_path / "m")
        with pytest.raises(DataError, match="another training is writing"):
            lock.acquire()
        other.kill()
        other.wait()
    lock.acquire()
    with pytest.raises(DataError, match="another training is writing"):
        FolderLock(tmp_path / "m").acquire()
    lock.release()
    lock.acquire()
    lock.release()
    assert not (tmp_path / "m" / ".lock").exists()


def test_two_trainings_do_not_write_into_one_folder(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
    tmp_path: Path,
) -> None:
    def trainer() -> Trainer:
        out = tmp_path / "a.blurgan"
        return Trainer(tiny("nonblind"), measured, unpaired, out, psf=psf, steps=2)

    first = iter(trainer())
    assert any(isinstance(event, Checkpointed) for event in first)
    with pytest.raises(DataError, match="another training is writing"):
        list(trainer())
    first.close()
    list(trainer())
    assert not (tmp_path / "a.blurgan" / ".lock").exists()


@pytest.mark.parametrize("damage", ["flipped", "ill-typed"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_and_that_is_said(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
    tmp_path: Path,
    damage: str,
) -> None:
    def trainer(steps: int) -> Trainer:
        recipe = tiny("nonblind")
        return Trainer(
            recipe,
            measured,
            unpaired,
            tmp_path / "a",
            psf=psf,
            steps=steps,
            resume=True,
        )

    list(trainer(2))
    path = tmp_path / "a" / "training.safetensors"
    if damage == "flipped":
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    else:
        write_state(path, {"id": 3})
    events = list(trainer(3))
    warned = [e for e in events if isinstance(e, Warned)]
    assert "damaged" in warned[0].message
    assert "previous copy" in warned[0].message
    assert any(isinstance(event, Stepped) for event in events)


ALIASES = "\n".join(
    [f"a{i}: &a{i} [{', '.join(['*a' + str(i - 1)] * 9)}]" for i in range(1, 12)]
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 5000, "levels deep"),
        ("a: " + "{b: " * 100 + "}" * 100, "levels deep"),
        ("a0: &a0 [1]\n" + ALIASES, "alias"),
        ("a: &a 1\nb: [" + "*a, " * 200 + "]", "100 aliases"),
        ("a: &a [*a]", "alias"),
        ("!!python/object/apply:os.system ['true']", "python/object"),
        ("a: !!int ''", "cannot read"),
        ("seed: " + "9" * 5000, "cannot read"),
        ("a: 2001-99-99", "cannot read"),
        ("a: [1, 2\nb: {", "line "),
        ("? [a]\n: b", "cannot read"),
        ("\tname: x", "line 1"),
        ("name: " + "x" * (1 << 20), "too large for a recipe"),
        ("3", "is not a recipe"),
        ("1: 2", "Keys should be strings"),
        ("optimiser: {betas: [0.5, 1.0]}", "betas"),
        ("optimiser: {betas: [-0.1, 0.9]}", "betas"),
        ("optimiser: {generator_rate: .inf}", "generator_rate"),
        ("reconstructor: {kind: plain, levels: 1000000}", "levels"),
        ("reconstructor: 3", "reconstructor"),
        ("seed: -1", "seed"),
        ("version: []", "version"),
    ],
)
def test_odd_recipes_are_refused_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message) as caught:
        Recipe.read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_recipes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"\xff\x00\x01")
    for path in (tmp_path / "r.yaml", tmp_path / "none.yaml", tmp_path):
        with pytest.raises(RecipeError, match="cannot read the recipe"):
            Recipe.read(path)


def test_anchors_are_welcome(tmp_path: Path) -> None:
    text = "sampling: {scale: &a 0.1, intensity: *a}"
    (tmp_path / "r.yaml").write_text(text)
    assert Recipe.read(tmp_path / "r.yaml").sampling.intensity == 0.1


def test_a_recipe_written_is_a_recipe_read(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(Recipe().to_yaml())
    assert Recipe.read(tmp_path / "r.yaml") == Recipe()
    (tmp_path / "r.json").write_text(json.dumps(Recipe().model_dump(mode="json")))
    assert Recipe.read(tmp_path / "r.json") == Recipe()
