"""Undersampled k-space: the operator, its levels, and models that know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, load_model, preset, restore
from napari_blurgan.cli import main
from napari_blurgan.data.complex_numbers import as_complex, in_parts
from napari_blurgan.data.kspace import (
    draw_lines,
    keep_measured,
    measured_lines,
    through_lines,
)
from napari_blurgan.errors import AxesError, DataError, RecipeError
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.methods.other_measurements import OTHER_MEASUREMENTS
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.optics.phantoms import heads
from napari_blurgan.preparation.levels import magnitudes
from napari_blurgan.reading.images import read_stack

SMALL = {
    "reconstructor.base": 2,
    "discriminator.base": 2,
    "discriminator.layers": 2,
    "sampling.batch": 2,
    "precision": "float32",
}


def tensor(slices: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([slices.real, slices.imag], 1))


def slices(seed: int, side: int = 32) -> np.ndarray:
    return heads((side, side), 4, seed=seed)


def undersampled(sharp: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    return as_complex(KSpaceMask(KSpaceForward())(tensor(sharp)).numpy(), 1)


def stack(slices: np.ndarray, name: str) -> Stack:
    return in_parts(Stack(slices, "ZYX", name=name))


@pytest.mark.parametrize(("count", "middle"), [(64, 3), (65, 3), (10, 1)])
def test_a_quarter_of_the_lines_is_measured_and_the_middle_always(
    count: int, middle: int
) -> None:
    seen = torch.stack([draw_lines(count, 4, 0.04) for _ in range(200)])
    assert (seen.sum(1) == round(count / 4)).all()
    always = {int(n) for n in torch.nonzero(seen.all(0))[:, 0]}
    assert always == {n % count for n in range(-(middle // 2), middle - middle // 2)}
    assert seen.any(0).all()


def test_without_acceleration_nothing_is_left_out() -> None:
    assert draw_lines(16, 1, 0.04).all()


def test_the_operator_is_that_of_numpy_with_zeros_in_the_other_lines() -> None:
    sharp = slices(1)
    lines = draw_lines(32, 4, 0.04).numpy()
    spectrum = np.fft.fft2(sharp) * lines[:, None]
    made = through_lines(tensor(sharp), torch.from_numpy(lines).reshape(1, -1, 1))
    np.testing.assert_allclose(
        as_complex(made.numpy(), 1), np.fft.ifft2(spectrum), atol=1e-6
    )


@pytest.mark.parametrize("axis", ["y", "x"])
def test_it_is_a_projection_and_its_lines_are_found_again(axis: Any) -> None:
    sharp, mask = tensor(slices(2)), KSpaceMask(KSpaceForward(lines=axis))
    measured = mask(sharp)
    assert not torch.allclose(mask(sharp), measured, atol=1e-3)
    again = mask.matching(measured)
    assert torch.allclose(again(sharp), measured, atol=1e-6)
    assert torch.allclose(again(measured), measured, atol=1e-6)
    found = measured_lines(measured, axis)
    assert (found.sum((1, 2)) == 8).all()
    assert found.shape == ((4, 32, 1) if axis == "y" else (4, 1, 32))


def test_it_is_its_own_adjoint_up_to_the_gain() -> None:
    mask = KSpaceMask(KSpaceForward(), gain=1.5)
    a, b = tensor(slices(3)), tensor(slices(4))
    one = mask.matching(KSpaceMask(KSpaceForward())(a))
    assert torch.vdot(one(a).flatten(), b.flatten()).item() == pytest.approx(
        torch.vdot(a.flatten(), one(b).flatten()).item(), rel=1e-4
    )


def test_measured_lines_take_the_place_of_others() -> None:
    sharp = tensor(slices(5))
    measured = KSpaceMask(KSpaceForward())(sharp)
    wrong = sharp + 0.1 * torch.randn(sharp.shape)
    kept = keep_measured(measured, wrong)
    lines = measured_lines(measured)
    assert torch.allclose(through_lines(kept, lines), measured, atol=1e-5)
    assert torch.allclose(
        through_lines(kept, ~lines), through_lines(wrong, ~lines), atol=1e-5
    )
    assert torch.allclose(keep_measured(measured, sharp), sharp, atol=1e-5)


def test_a_fixed_mask_is_that_of_the_first_measured_image() -> None:
    sharp = slices(6)
    lines = draw_lines(32, 4, 0.04).numpy()
    measured = np.fft.ifft(np.fft.fft(sharp, axis=1) * lines[:, None], axis=1)
    recipe = preset("mri").updated(SMALL | {"forward.mask": "fixed"})
    y, x = stack(measured.astype(np.complex64), "y"), stack(slices(7), "x")
    trainer = Trainer(recipe, [y], [x], steps=1, device="cpu")
    list(trainer)
    model = trainer._parts.engine.transport.forward_model
    seen = measured_lines(model(tensor(slices(8)))).flatten(1)
    assert (seen.numpy() == lines).all()
    assert model.symmetry.mirrors == "x"


def test_levels_are_the_deviation_of_the_magnitude_and_nothing_is_taken_off() -> None:
    recipe, sharp = preset("mri"), slices(9)
    one, mean = magnitudes(recipe, [stack(sharp[:1], "a")])
    assert one.offset == 0
    assert one.scale == pytest.approx(np.abs(sharp[0]).std(), rel=1e-5)
    assert mean == pytest.approx(np.abs(sharp[0].mean()) / one.scale, rel=1e-5)
    with pytest.raises(DataError, match="the same everywhere"):
        magnitudes(recipe, [stack(np.ones_like(sharp), "flat")])


def test_other_units_of_the_sharp_images_are_the_gain() -> None:
    sharp = slices(10)
    y, x = stack(undersampled(sharp), "y"), stack(7 * slices(11), "x")
    trainer = Trainer(preset("mri").updated(SMALL), [y], [x], steps=1, device="cpu")
    list(trainer)
    calibration = trainer.model().calibration
    forward = trainer._parts.engine.transport.forward_model
    assert float(forward.gain) == pytest.approx(calibration.gain)
    # The result is in the units of the undersampled image.
    assert calibration.output.scale == pytest.approx(
        calibration.gain * calibration.y.scale
    )
    assert calibration.output.offset == 0


OF_SLICES = sorted(n for n in OTHER_MEASUREMENTS if preset(n).values == "complex")
NAIVE = {"source.hidden": 0.0}


@pytest.mark.parametrize(
    ("name", "changes"), [*((n, {}) for n in OF_SLICES), ("ssdu", NAIVE)]
)
def test_it_trains_resumes_and_restores_from_files(
    name: str,
    changes: dict[str, float],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sharp = slices(12)
    np.save(tmp_path / "y.npy", undersampled(sharp))
    np.save(tmp_path / "x.npy", sharp if "supervised" in name else slices(13))
    out, result = tmp_path / "m.blurgan", tmp_path / "r.ome.tif"
    data = ["--blurred", str(tmp_path / "y.npy")]
    alone = preset(name).source.most_domains == 1
    data += [] if alone else ["--sharp", str(tmp_path / "x.npy")]
    line = ["train", name, *data, "--out", str(out), "--device", "cpu"]
    settings = [f"{key}={value}" for key, value in {**SMALL, **changes}.items()]
    assert main([*line, "--steps", "2", "--set", *settings]) == 0
    assert main([*line, "--steps", "3", "--resume", "--set", *settings]) == 0
    assert [row["step"] for row in load_model(out).history] == [1, 2, 3]
    restore_ = ["restore", str(out), str(tmp_path / "y.npy"), "--out", str(result)]
    assert main([*restore_, "--keep-lines", "y"]) == 0
    made = read_stack(result)
    assert (made.axes, made.channels) == ("CZYX", 2)
    numbers = as_complex(np.asarray(made.data))
    measured = np.load(tmp_path / "y.npy")
    kept = keep_measured(tensor(measured), tensor(numbers))
    np.testing.assert_allclose(as_complex(kept.numpy(), 1), numbers, atol=2e-6)


def test_slices_of_other_sizes_are_drawn_whole_and_restored_whole() -> None:
    y = [
        stack(undersampled(slices(n, side)), f"{side}")
        for n, side in ((1, 32), (2, 45))
    ]
    x = [stack(slices(n, side), f"x{side}") for n, side in ((3, 40), (4, 37))]
    recipe = preset("mri").updated(SMALL | {"sampling.batch": 1})
    trainer = Trainer(recipe, y, x, steps=6, device="cpu")
    assert len([e for e in trainer if isinstance(e, Stepped)]) == 6
    assert restore(trainer.model(), y[1]).data.shape == (2, 4, 45, 45)
    with pytest.raises(DataError, match="do not fit in one batch"):
        list(Trainer(recipe.updated({"sampling.batch": 2}), y, x))


def test_a_wasserstein_critic_sees_slices_of_other_sizes() -> None:
    y, x = [stack(undersampled(slices(1)), "y")], [stack(slices(2, 40), "x")]
    recipe = preset("mri-as-published").updated(
        SMALL | {"sampling.batch": 1, "discriminator.steps": 2}
    )
    steps = [
        e
        for e in Trainer(recipe, y, x, steps=2, device="cpu")
        if isinstance(e, Stepped)
    ]
    assert all(step.losses["slope_x"] > 0 for step in steps)


def test_an_image_of_another_scale_is_said_to_be_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    y = stack(undersampled(slices(1)), "y")
    trainer = Trainer(
        preset("mri").updated(SMALL),
        [y],
        [stack(slices(2), "x")],
        steps=1,
        device="cpu",
    )
    list(trainer)
    model = trainer.model()
    restore(model, y)
    assert "multiply" not in caplog.text
    restore(model, stack(1000 * undersampled(slices(3)), "y"))
    assert "multiply it by 0.00" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": 3}, "complex slices"),
        ({"values": "light"}, "complex slices"),
        ({"sampling.whole": False}, "acts on whole images"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    y, x = stack(undersampled(slices(1)), "y"), stack(slices(2), "x")
    with pytest.raises(RecipeError, match=message):
        recipe: Recipe = preset("mri").updated(SMALL | changes)
        list(Trainer(recipe, [y], [x], steps=1, device="cpu"))


def test_images_of_light_are_refused() -> None:
    y, x = (Stack(np.abs(slices(n)), "ZYX", name=f"{n}") for n in (1, 2))
    with pytest.raises(AxesError, match="real and imaginary part"):
        list(Trainer(preset("mri"), [y], [x], steps=1, device="cpu"))


def test_models_of_light_keep_no_lines(tmp_path: Path) -> None:
    volume = Stack(np.random.default_rng(0).random((8, 16, 16), np.float32), "ZYX")
    recipe = preset("supervised").updated(
        {"reconstructor.base": 2, "sampling.patch": 8, "dims": 2}
    )
    trainer = Trainer(recipe, [volume], [volume], steps=1, device="cpu")
    list(trainer)
    with pytest.raises(DataError, match="only complex images"):
        restore(trainer.model(), volume, keep_lines="y")
    with pytest.raises(DataError, match="keep_lines is y or x"):
        restore(trainer.model(), volume, keep_lines="z")
