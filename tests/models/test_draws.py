"""What many draws of one image have in common."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.errors import DataError
from napari_blurgan.models.draws import Draws, mode_of


def test_the_mode_of_one_bell_is_its_mean() -> None:
    torch.manual_seed(0)
    samples = torch.randn(200, 1, 1, 6, 6)
    assert mode_of(samples).abs().max() < 0.5


@pytest.mark.parametrize("dims", [2, 3])
def test_of_two_answers_the_mode_is_the_more_frequent_one(dims: int) -> None:
    """The mean is between them, where no draw is."""
    torch.manual_seed(0)
    shape = (1, 1, *(8,) * dims)
    first = torch.zeros(60, *shape) + 0.05 * torch.randn(60, *shape)
    second = torch.ones(40, *shape) + 0.05 * torch.randn(40, *shape)
    samples = torch.cat([first, second])
    assert abs(float(samples.mean()) - 0.4) < 0.02
    assert mode_of(samples).abs().max() < 0.1


def test_equal_draws_are_their_own_mode() -> None:
    image = torch.rand(1, 1, 5, 7)
    assert torch.equal(mode_of(image.expand(4, *image.shape)), image)


def test_names_are_those_of_the_outputs_in_order() -> None:
    draws = Draws(2, ("sd", "samples"))
    assert draws.names == ("sd", "sample 1", "sample 2")
    assert draws.kept
    assert not Draws(2, ("mean", "sd")).kept


@pytest.mark.parametrize(
    ("samples", "outputs", "said"),
    [
        (10, ("median",), "mean, sd, mode, samples, found 'median'"),
        (10, (), "found none"),
        (10, ("sd", "sd"), "asked for twice"),
        (1, ("sd",), "1 is not 2 to 10000"),
    ],
)
def test_requests_without_sense_are_refused(
    samples: int, outputs: tuple[str, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Draws(samples, outputs)
