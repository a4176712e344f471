"""The ladder of latent images."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.networks.ladder import Ladder


def moved_weights(ladder: Ladder) -> Ladder:
    """Return it with random weights everywhere: blocks begin by doing nothing."""
    torch.manual_seed(0)
    for weights in ladder.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    return ladder


@pytest.mark.parametrize(
    ("dims", "shape", "pool"),
    [(2, (13, 18), 2), (3, (5, 13, 18), (1, 2, 2)), (3, (9, 8, 12), 2)],
)
def test_any_size_goes_in_and_comes_out(
    dims: int, shape: tuple[int, ...], pool: int | tuple[int, ...]
) -> None:
    ladder = moved_weights(Ladder(dims, 2, 3, base=2, latents=2, pool=pool))
    signal, divergence = ladder(torch.rand(1, 2, *shape))
    assert signal.shape == (1, 3, *shape)
    assert divergence.shape == (2,)
    assert (divergence > 0).all()


@pytest.mark.parametrize("levels", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 2])
def test_nothing_beyond_the_halo_has_an_effect(levels: int, blocks: int) -> None:
    ladder = moved_weights(
        Ladder(2, 1, 1, base=2, levels=levels, blocks=blocks, latents=2)
    )
    halo, stride = ladder.receptive_halo[0], ladder.stride[0]
    side = 2 * stride * (halo // stride + 2)
    image = torch.rand(1, 1, side, side, requires_grad=True)
    reached = 0
    for at in range(side // 2, side // 2 + stride):
        signal, _ = ladder(image)
        (slope,) = torch.autograd.grad(signal[0, 0, at, side // 2], image)
        rows = slope[0, 0].abs().amax(1).nonzero().flatten()
        reached = max(reached, at - int(rows.min()), int(rows.max()) - at)
    assert reached == halo


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    ladder = moved_weights(Ladder(2, 1, 1, base=2, levels=2, latents=3))
    features, encoded = torch.rand(1, 4, 4, 4), torch.rand(1, 4, 4, 4)
    _, found = ladder._drawn(1, features, encoded, None)
    prior, log_p = ladder.priors[0](features).chunk(2, 1)
    both = torch.cat([encoded, features], 1)
    moved, log_ratio = ladder.posteriors[0](both).chunk(2, 1)
    p = torch.distributions.Normal(prior, log_p.exp())
    q = torch.distributions.Normal(prior + moved, (log_p + log_ratio).exp())
    expected = torch.distributions.kl_divergence(q, p).sum()
    torch.testing.assert_close(found, expected)


def test_a_part_is_that_part_of_the_whole() -> None:
    ladder = moved_weights(Ladder(2, 1, 1, base=2, latents=2))
    image = torch.rand(1, 1, 16, 20)
    whole, _ = ladder(image)
    part, _ = ladder(image, None, (slice(3, 9), slice(0, 5)))
    assert torch.equal(part, whole[..., 3:9, 0:5])


@pytest.mark.parametrize(("dims", "channels"), [(2, 1), (2, 3), (3, 1)])
def test_at_first_the_signal_is_the_mean_of_each_pool(dims: int, channels: int) -> None:
    torch.manual_seed(0)
    image = torch.rand(2, channels, *(8,) * dims)
    with torch.no_grad():
        signal, _ = Ladder(dims, channels, channels, base=8)(image)
    pool = (
        torch.nn.functional.avg_pool2d if dims == 2 else torch.nn.functional.avg_pool3d
    )
    means = pool(image, 2)
    for axis in range(2, dims + 2):
        means = means.repeat_interleave(2, axis)
    torch.testing.assert_close(signal, means, rtol=1e-4, atol=1e-4)
