"""A reconstructor that draws images from a distribution: `divnoising`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan import Model, Stack, preset, restore, train
from napari_blurgan.cli import main
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.export.networks import plain_network
from napari_blurgan.models.model import load_model
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.reading.images import read_stack
from napari_blurgan.reconstructors.variational import (
    PEDESTAL,
    Variational,
    _root,
    _squared,
    build_variational,
)

SIDE, IMAGES = 64, 8
SMALL = {"reconstructor.base": 4, "reconstructor.latents": 2, "sampling.patch": 32}


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """Microtubules as a microscope shows them, (n, y, x), in grey levels above 100."""
    torch.set_num_threads(1)
    drawn = [
        phantom("microtubules", (1, SIDE, SIDE), (0.1, 0.064, 0.064), seed, density=1.9)
        for seed in range(IMAGES)
    ]
    smooth = np.stack([gaussian_filter(image[0], 1.4) for image in drawn])
    return 60 * smooth / np.percentile(smooth, 99.9)


@pytest.fixture(scope="module")
def noisy(clean: np.ndarray) -> Stack:
    """Thirty photons at the brightest, a gain of two, read noise of a photon."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(clean / 2) + rng.normal(0, 0.9, clean.shape)
    return Stack((100 + 2 * counts).astype(np.float32), "TYX", name="noisy")


@pytest.fixture(scope="module")
def model(noisy: Stack) -> Model:
    recipe = preset("divnoising").updated(
        {
            "reconstructor.base": 8,
            "precision": "float32",
            "reconstructor.blocks": 1,
        }
    )
    return train(recipe, noisy, steps=600, device="cpu", seed=0)


def drawn(model: Model, image: Stack, **options: object) -> np.ndarray:
    result = restore(model, image, device="cpu", precision="float32", **options)
    return np.asarray(result.data)


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - 100 - clean) ** 2) / 60**2))


def test_it_gains_more_than_a_filter_that_knows_the_truth(
    model: Model, noisy: Stack, clean: np.ndarray
) -> None:
    strengths = np.arange(0.5, 2.5, 0.25)
    filtered = [gaussian_filter(noisy.data, (0, s, s)) for s in strengths]
    best = max(psnr(image, clean) for image in filtered)
    assert psnr(drawn(model, noisy, samples=20), clean) > best
    assert psnr(drawn(model, noisy), clean) > best + 0.5


def test_noise_in_the_latent_images_costs_something_from_the_first_step() -> None:
    weights = preset("divnoising").weights_at(0)
    assert weights["divergence"] == weights["likelihood"] == 1


def test_samples_differ_as_much_as_they_err(
    model: Model, noisy: Stack, clean: np.ndarray
) -> None:
    made = drawn(model, noisy, samples=30, outputs=["mean", "sd"])
    mean, sd = made
    covered = np.abs(mean - 100 - clean) < 2 * sd
    assert 0.85 < covered.mean() < 0.995


def test_results_are_those_of_the_samples(model: Model, noisy: Stack) -> None:
    image = noisy.with_data(noisy.data[0], "YX")
    outputs = ["samples", "sd", "mean"]
    made = restore(model, image, samples=4, outputs=outputs, device="cpu")
    assert made.axes == "CYX"
    names = tuple(f"sample {n}" for n in (1, 2, 3, 4))
    assert made.channel_names == (*names, "sd", "mean")
    samples, sd, mean = made.data[:4], made.data[4], made.data[5]
    np.testing.assert_allclose(mean, samples.mean(0), atol=1e-3)
    np.testing.assert_allclose(sd, samples.std(0, ddof=1), atol=1e-3)
    assert np.abs(samples[0] - samples[1]).max() > 0.1
    again = restore(model, image, samples=4, outputs=["mean", "sd"], device="cpu")
    np.testing.assert_allclose(again.data, made.data[[5, 4]], atol=1e-3)


def test_tiles_have_the_samples_of_the_whole(model: Model, noisy: Stack) -> None:
    wide = np.concatenate(list(noisy.data[:4]), axis=1)
    image = Stack(np.ascontiguousarray(wide), "YX")
    outputs = ["samples", "mode"]
    whole = drawn(model, image, samples=3, outputs=outputs, tile=(64, 256))
    tiled = drawn(model, image, samples=3, outputs=outputs, tile=(64, 64))
    np.testing.assert_allclose(tiled, whole, atol=0.01)


def test_in_training_a_draw_is_random_and_afterwards_it_has_a_number() -> None:
    torch.manual_seed(0)
    recipe = preset("divnoising").updated(SMALL)
    from napari_blurgan.reconstructors.reconstructor import build_reconstructor

    made = build_reconstructor(recipe.reconstructor, 2, (1, 1), (2, 2))
    assert isinstance(made, Variational)
    for weights in made.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    y = torch.rand(1, 1, 16, 16)
    assert not torch.equal(made(y), made(y))
    made.eval()
    means, first, second = made(y), made.drawing(0)(y), made.drawing(1)(y)
    assert torch.equal(means, made(y))
    assert torch.equal(first, made.drawing(0)(y))
    assert not torch.equal(first, second)
    assert not torch.equal(first, means)


def test_volumes_with_thin_axes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    light = gaussian_filter(rng.random((6, 40, 40)), 2)
    counts = rng.poisson(60 * light / light.max())
    volume = Stack((100 + counts).astype(np.uint16), "ZYX", (0.3, 0.1, 0.1))
    recipe = preset("divnoising").updated(
        SMALL | {"dims": 3, "sampling.patch": (6, 32, 32), "sampling.batch": 1}
    )
    made = train(recipe, volume, steps=3, device="cpu")
    result = restore(made, volume, samples=2, outputs=["sd"], device="cpu")
    assert (result.axes, result.shape) == ("ZYX", (6, 40, 40))
    assert (np.asarray(result.data) > 0).any()


def test_it_trains_resumes_and_restores_from_files(
    noisy: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    noisy.save(tmp_path / "y.ome.tif")
    out, result = tmp_path / "m.blurgan", tmp_path / "r.ome.tif"
    line = ["train", "divnoising", "--blurred", str(tmp_path / "y.ome.tif")]
    line += ["--out", str(out), "--device", "cpu"]
    settings = [f"{key}={value}" for key, value in SMALL.items()]
    assert main([*line, "--steps", "2", "--set", *settings]) == 0
    assert main([*line, "--steps", "3", "--resume", "--set", *settings]) == 0
    assert [row["step"] for row in load_model(out).history] == [1, 2, 3]
    wanted = ["--samples", "3", "--outputs", "mean", "sd", "--out", str(result)]
    assert main(["restore", str(out), str(tmp_path / "y.ome.tif"), *wanted]) == 0
    made = read_stack(result)
    assert made.axes == "CTYX"
    assert made.channel_names == ("mean", "sd")
    facts = made.metadata["provenance"]
    assert (facts["samples"], facts["outputs"]) == (3, ["mean", "sd"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"outputs": ["median"]},
            "outputs are mean, sd, mode, samples, found 'median'",
        ),
        ({"samples": 1}, "1 is not 2 to 10000"),
        ({"samples": 3, "views": ["xy", "xz"]}, "nothing in common"),
    ],
)
def test_requests_without_sense_are_refused(
    model: Model, noisy: Stack, options: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        restore(model, noisy, device="cpu", **options)


def test_other_models_have_one_answer(noisy: Stack) -> None:
    other = train(
        preset("noise2self").updated({"reconstructor.base": 2}), noisy, steps=1
    )
    with pytest.raises(DataError, match="noise2self"):
        restore(other, noisy, samples=10)


def test_parts_that_do_not_fit_are_refused(model: Model, noisy: Stack) -> None:
    with pytest.raises(RecipeError, match="a distribution of images"):
        preset("noise2self").updated({"terms.divergence": 1.0})
    with pytest.raises(RecipeError, match="a U-Net or a ResNet"):
        preset("cyclegan").updated({"reconstructor.kind": "variational"})
    with pytest.raises(DataError, match="draws images from a distribution"):
        plain_network(model.generator.network)
    flat = np.linspace(0, 1, 64, dtype=np.float32) * np.ones((4, 64, 1), np.float32)
    with pytest.raises(DataError, match="needs noise"):
        train(preset("divnoising").updated(SMALL), Stack(flat, "TYX"), steps=1)


def test_roots_are_undone() -> None:
    light = torch.linspace(-PEDESTAL, 2, 200)
    torch.testing.assert_close(_squared(_root(light)), light, rtol=1e-5, atol=1e-6)
    assert float(_root(torch.tensor(1.0))) == pytest.approx(1)


def test_photon_noise_is_alike_in_dim_and_in_bright_roots() -> None:
    torch.manual_seed(0)
    photons = torch.tensor([3.0, 10.0, 30.0])[:, None].expand(3, 50_000)
    seen = torch.poisson(photons) / 30
    spread = _root(seen).std(1)
    assert float(spread.max() / spread.min()) < 1.15
    assert float(seen.std(1).max() / seen.std(1).min()) > 2.5


def test_negative_roots_can_be_trained_out_of() -> None:
    root = torch.tensor([-0.5, -0.1], requires_grad=True)
    light = _squared(root)
    light.sum().backward()
    assert root.grad is not None
    assert (light <= -PEDESTAL).all()
    assert (root.grad > 0).all()


def test_models_from_before_there_were_roots_work_with_light(model: Model) -> None:
    recipe = model.recipe.updated({"reconstructor.roots": False})
    settings = recipe.reconstructor.model_dump(mode="json")
    del settings["roots"]
    assert isinstance(model.generator, Variational)
    assert model.generator.roots
    linear = build_variational(
        type(recipe.reconstructor)(**settings), 2, (1, 1), (2, 2)
    )
    assert not linear.roots
