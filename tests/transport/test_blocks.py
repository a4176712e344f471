from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.blocks import (
    Blocks,
    Measured,
    Simulated,
    blocks_of,
)
from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.width import fwhm
from napari_blurgan.optimisation.prepared import prepare
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.site import Known

UNIT = Normalization(0.0, 1.0)


@pytest.fixture
def blur() -> BlurKernel:
    return BlurKernel(FixedKernel(gaussian_kernel((5, 5, 5), (3, 2, 2))), gain=2.0)


@pytest.fixture
def stack() -> Stack:
    rng = np.random.default_rng(0)
    return Stack(rng.random((12, 20, 20)).astype(np.float32), "ZYX", name="a")


def test_blocks_cover_a_domain_or_sample_it_evenly() -> None:
    large = Stack(np.zeros((2, 130, 300, 40), np.uint8), "TZYX")
    blocks = list(blocks_of([large], 3))
    assert [block.shape for *_, block in blocks] == [(1, 43, 150, 40)] * 12
    assert {(time, corner) for _, time, corner, _ in blocks} == {
        (t, (z, y, 0)) for t in (0, 1) for z in (0, 43, 86) for y in (0, 150)
    }
    assert {time for _, time, *_ in blocks_of([large], 3, time=1)} == {1}
    assert len(list(blocks_of([large], 3, most=5))) == 5
    wide = Stack(np.zeros((2, 5, 900, 40), np.uint8), "TZYX")
    planes = list(blocks_of([wide], 2, most=1000))
    assert len(planes) == 2 * 5 * 2
    assert planes[0][3].shape == (1, 450, 40)


def test_a_measured_block_carries_its_estimate(blur: BlurKernel, stack: Stack) -> None:
    estimator = Estimator(10, pedestal=0.01)
    blocks = Blocks([stack], Normalization(0, 2), 3, Measured(estimator))
    blocks.renew_next(blur)
    (block,) = blocks.stacks
    y = torch.from_numpy(np.asarray(stack.data) / 2)[None, None]
    np.testing.assert_allclose(block.data[0], y[0, 0], rtol=1e-6)
    np.testing.assert_allclose(block.data[1], estimator(y, blur)[0, 0], rtol=1e-5)


def test_an_estimate_blurred_again_explains_the_measurement(blur: BlurKernel) -> None:
    x = torch.zeros(1, 1, 16, 24, 24)
    x[..., 8, 12, 12] = 1
    y = blur(x, "reflect")
    again = blur(Estimator(40, pedestal=1e-6)(y, blur), "reflect")
    assert float((again - y).abs().max()) < 0.02 * float(y.max())


def test_a_simulated_block_is_blurred_and_noisy(blur: BlurKernel, stack: Stack) -> None:
    noise = NoiseModel(slope=0.0, intercept=0.04)
    blocks = Blocks(
        [stack], Normalization(0, 1), 3, Simulated(Estimator(2, 0.1), noise)
    )
    torch.manual_seed(0)
    met = set()
    for _ in range(6):
        blocks.renew_next(blur)
        x, y, _ = (torch.from_numpy(c)[None, None] for c in blocks.stacks[0].data)
        rests = {beyond: y - blur(x, beyond) for beyond in ("zero", "reflect")}
        beyond, rest = min(rests.items(), key=lambda item: float(item[1].std()))
        assert float(rest.std()) == pytest.approx(0.2, rel=0.05)
        assert abs(float(rest.mean())) < 0.02
        met.add(beyond)
    assert met == {"zero", "reflect"}


def test_a_simulated_block_may_be_blurred_more_than_its_estimate_undoes() -> None:
    kernel = gaussian_kernel((15, 15, 15), (3, 3, 3))
    blur = BlurKernel(FixedKernel(kernel))
    point = torch.zeros(1, 1, 15, 15, 15)
    point[..., 7, 7, 7] = 1
    enrich = Simulated(Estimator(2, 0.1), NoiseModel(0.0, 0.0), widen=1.0)
    torch.manual_seed(0)
    widths = []
    for _ in range(5):
        _, y, estimate = enrich(point, blur)[0]
        widths.append(fwhm(y.numpy())[0])
        alone = Estimator(2, 0.1)(y[None, None], blur)[0, 0]
        torch.testing.assert_close(estimate, alone)
    assert 3 <= min(widths) < max(widths) <= 6.1
    assert max(widths) > 1.2 * min(widths)


def test_the_recipe_says_how_much_wider(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack], psf: Psf
) -> None:
    for widen in (0.0, 0.2):
        recipe = tiny("nonblind", forward__widen=widen)
        _, simulated = prepare(recipe, measured, unpaired, Known(psf)).source.blocks
        assert isinstance(simulated.enrich, Simulated)
        assert simulated.enrich.widen == widen


@pytest.mark.parametrize(("noisy", "expected"), [(False, 2), (True, 3)])
def test_an_estimate_is_made_anew_where_the_kernel_or_the_noise_has_changed(
    noisy: bool, expected: int, blur: BlurKernel, stack: Stack
) -> None:
    made = []

    class Counted(Estimator):
        def __call__(self, y: torch.Tensor, blur: BlurKernel) -> torch.Tensor:
            made.append(y)
            return super().__call__(y, blur)

    estimator = Counted(1, 0.1)
    enrich = (
        Simulated(estimator, NoiseModel(0.1, 0.01)) if noisy else Measured(estimator)
    )
    blocks = Blocks([stack], UNIT, 3, enrich)
    wider = BlurKernel(FixedKernel(gaussian_kernel((5, 5, 5), (4, 3, 3))), gain=2.0)
    for kernel in (blur, blur, wider):
        blocks.renew_next(kernel)
    assert len(made) == expected


def test_a_large_block_is_made_anew_less_often(
    blur: BlurKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_blurgan.estimates.blocks.TYPICAL", 8 * 8 * 8)
    enrich = Simulated(Estimator(1, 0.1), NoiseModel(0.1, 0.01))
    changes = {}
    for planes in (8, 24):
        stack = Stack(np.zeros((planes, 8, 8), np.float32), "ZYX")
        blocks = Blocks([stack], UNIT, 3, enrich)
        seen = []
        for _ in range(6):
            blocks.renew_in_time(blur)
            seen.append(blocks.images("simulated")[0].copy())
        before = [np.zeros_like(seen[0]), *seen]
        pairs = zip(before, seen, strict=False)
        changes[planes] = [bool((one != other).any()) for one, other in pairs]
    assert changes == {8: [True] * 6, 24: [False, False, True] * 2}


def test_the_state_makes_the_same_blocks_again(blur: BlurKernel, stack: Stack) -> None:
    def make() -> Blocks:
        enrich = Simulated(Estimator(3, 0.1), NoiseModel(0.1, 0.01))
        return Blocks([stack, stack.with_data(stack.data[:] / 2)], UNIT, 3, enrich)

    one, other = make(), make()
    torch.manual_seed(7)
    one.renew_next(blur)
    one.renew_next(blur)
    one.renew_next(blur)
    state = one.state_dict()
    outside = torch.get_rng_state()
    other.load_state_dict(state, blur)
    assert torch.equal(torch.get_rng_state(), outside)
    for a, b in zip(one.stacks, other.stacks, strict=True):
        assert np.array_equal(a.data, b.data)
