"""Random numbers that are hashes of the image."""

from __future__ import annotations

import torch
from scipy.stats import kstest

from napari_blurgan.reconstructors.dice import image_dice


def noisy(*shape: int) -> torch.Tensor:
    torch.manual_seed(1)
    counts = torch.poisson(torch.full(shape, 20.0))
    return (counts - 20) / 97


def test_they_are_normal_and_independent() -> None:
    dice = image_dice(noisy(1, 1, 256, 256), 0, (2, 2))
    numbers = dice(1, torch.empty(1, 4, 128, 128))
    assert kstest(numbers.flatten().numpy(), "norm").pvalue > 0.01
    columns = [numbers[0, c].flatten() for c in range(4)]
    beside = [numbers[0, 0].roll(step, 1).flatten() for step in (1, 2)]
    other = image_dice(noisy(1, 1, 256, 256), 1, (2, 2))(
        1, torch.empty(1, 4, 128, 128)
    )[0, 0].flatten()
    deeper = dice(2, torch.empty(1, 4, 64, 64))[0, 0].flatten()
    firsts = numbers[0, 0, ::2, ::2].flatten()
    found = torch.corrcoef(torch.stack([*columns, *beside, other]))
    found.fill_diagonal_(0)
    limit = 5 / 128
    assert found.abs().max() < limit
    assert abs(float(torch.corrcoef(torch.stack([deeper, firsts]))[0, 1])) < 2 * limit


def test_a_part_of_an_image_has_the_numbers_of_the_whole() -> None:
    image = noisy(1, 2, 6, 32, 40)
    whole = image_dice(image, 3, (1, 2, 2))(2, torch.empty(1, 2, 6, 8, 10))
    part = image_dice(image[..., 8:24, 4:40], 3, (1, 2, 2))(
        2, torch.empty(1, 2, 6, 4, 9)
    )
    # The first and the last voxels have no neighbours there.
    assert torch.equal(part[:, :, 1:-1, 1:-1, 1:-1], whole[:, :, 1:-1, 3:5, 2:9])


def test_numbers_are_finite_for_every_hash() -> None:
    extremes = torch.tensor([0, 2**32 - 1])
    from napari_blurgan.reconstructors.dice import _normal

    assert torch.isfinite(_normal(extremes)).all()
