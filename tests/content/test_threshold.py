"""The soft threshold between background and content."""

from __future__ import annotations

import torch

from napari_blurgan.content.threshold import Threshold


def test_it_is_one_on_content_and_zero_on_background() -> None:
    image = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 3)
    found = Threshold(0.5, 200.0)(image).flatten()
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 1.0]))


def test_a_bright_background_is_the_complement() -> None:
    image = torch.rand(2, 1, 8, generator=torch.Generator().manual_seed(0))
    dark, bright = Threshold(0.4, 30.0), Threshold(0.4, 30.0, bright_background=True)
    torch.testing.assert_close(dark(image) + bright(image), torch.ones(2, 1, 8))


def test_of_several_channels_the_mean_is_thresholded() -> None:
    image = torch.tensor([[0.0], [1.0]]).reshape(1, 2, 1)
    found = Threshold(0.5, 10.0)(image)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.5]))
