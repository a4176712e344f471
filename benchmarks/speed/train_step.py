"""Milliseconds a training step: this engine against a plain reading of the paper.

The plain reading: float32, instance norm, a sigmoid, and the blur as a direct 3D
convolution with a learned kernel. Both run in the same process, one after the other,
and the ratio is what counts.

    python -m benchmarks.speed.train_step [--device D] [--write]  # in docs/training.md
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.helpers.tables import write_table
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.methods.presets import preset
from napari_blurgan.networks.patchgan import MultiScaleDiscriminator
from napari_blurgan.networks.unet import UNet
from napari_blurgan.objective.adversarial import Adversarial
from napari_blurgan.objective.adversarial_losses import ADVERSARIAL_LOSSES
from napari_blurgan.objective.term import build_terms
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import SoftmaxKernel, gaussian_kernel
from napari_blurgan.optimisation.precision import choose_precision
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.assembly import assemble
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported

HEADER = (
    "| patch | base | precision | ours, ms | samples/s | convolutions, GFLOP/s "
    "| plain, ms | ratio |"
)
TAPS = 15


class DirectBlur(nn.Module):
    """One convolution layer, as the paper writes it."""

    def __init__(self) -> None:
        super().__init__()
        start = gaussian_kernel((TAPS,) * 3, (5, 3, 3))
        self.weight = nn.Parameter(torch.tensor(start)[None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv3d(x, self.weight, padding=TAPS // 2)


def plain_step(patch: int, base: int, device: torch.device):
    """Return one step of the plain reading: all four terms, no tricks."""
    g = UNet(3, 1, 1, base, norm="instance", activation="sigmoid").to(device)
    h = DirectBlur().to(device)
    phi, psi = (MultiScaleDiscriminator(3, 1).to(device) for _ in range(2))
    of_generators = torch.optim.Adam([*g.parameters(), *h.parameters()], 1e-4)
    of_potentials = torch.optim.Adam([*phi.parameters(), *psi.parameters()], 1e-4)
    game = ADVERSARIAL_LOSSES["lsgan"]
    y, x = (torch.rand(1, 1, *[patch] * 3, device=device) for _ in range(2))

    def step() -> None:
        x_hat, y_hat = g(y), h(x)
        cycle = F.l1_loss(h(x_hat), y) + F.l1_loss(g(y_hat), x)
        fool = game.generator_loss(phi(x_hat)) + game.generator_loss(psi(y_hat))
        of_generators.zero_grad()
        (10 * cycle + fool).backward()
        of_generators.step()
        loss = game.discriminator_loss(phi(x), phi(x_hat.detach()))
        loss = loss + game.discriminator_loss(psi(y), psi(y_hat.detach()))
        of_potentials.zero_grad()
        loss.backward()
        of_potentials.step()

    return step


def our_step(patch: int, base: int, device: torch.device):
    """Return one step with the engine's own parts: the same four terms."""
    recipe = preset("blind-two-discriminators").updated(
        {
            "reconstructor.base": base,
            "sampling.patch": patch,
            "forward.size": [TAPS] * 3,
        }
    )
    kernel = SoftmaxKernel(gaussian_kernel((TAPS,) * 3, (5, 3, 3)))
    noise, volume = NoiseModel(0.0, 0.0), np.zeros((patch,) * 3, np.float32)
    unit = Normalization(0.0, 1.0)
    stacks = [Stack(volume, "ZYX")]
    levels = Calibration(unit, unit, 1.0, noise, unit)
    blur = BlurKernel(kernel)
    site = Site(recipe, stacks, stacks, (None,) * 3, levels, forward=blur)
    transport = assemble(site).to(device)
    terms = build_terms(site).to(device)
    generator = transport.generator
    blank = generator.blank((patch,) * 3, 1)
    precision = choose_precision("auto", generator, blank)
    generator.set_precision(precision)
    wide = patch + 2 * (TAPS // 2)
    y = torch.rand(1, 1, *[patch] * 3, device=device)
    x = torch.rand(1, 1, *[wide] * 3, device=device)
    of_generators = torch.optim.Adam(transport.parameters(), 1e-4)
    of_discriminators = torch.optim.Adam(terms.parameters(), 1e-4)
    weights = recipe.weights_at(0)

    def step() -> None:
        batch = Transported(transport, Draw(y, x), (patch,) * 3)
        of_generators.zero_grad()
        torch.stack([w * terms[n](batch) for n, w in weights.items()]).sum().backward()
        of_generators.step()
        games = [term for term in terms.values() if isinstance(term, Adversarial)]
        of_discriminators.zero_grad()
        torch.stack(
            [game.discriminator_losses(batch)[game.name] for game in games]
        ).sum().backward()
        of_discriminators.step()

    return step, str(precision).removeprefix("torch.")


def milliseconds(step, device: torch.device, repeats: int) -> float:
    """Return the median CPU time of the process, or time on the device."""
    step()
    times = []
    for _ in range(repeats):
        cpu = device.type == "cpu"
        clock = time.process_time if cpu else time.perf_counter
        start = clock()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(1000 * (clock() - start))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--patches", type=int, nargs="+", default=[32, 48, 64])
    parser.add_argument("--bases", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="into the documents")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    rows = []
    for patch in options.patches:
        for base in options.bases:
            rows.append(row(patch, base, device, options.repeats))
            print(*rows[-1], sep=" | ", flush=True)
    for precision in ("float32", "bfloat16"):
        print(f"matrix product, {precision}: {floor(device, precision):.0f} GFLOP/s")
    if options.write:
        write_table("training.md", "steps", HEADER, rows)


def row(patch: int, base: int, device: torch.device, repeats: int) -> list[str]:
    """Measure both, one after the other."""
    step, precision = our_step(patch, base, device)
    with FlopCounterMode(display=False) as counter:
        step()
    ours = milliseconds(step, device, repeats)
    speed = counter.get_total_flops() / ours / 1e6
    plain = milliseconds(plain_step(patch, base, device), device, repeats)
    cells = [f"{patch}³", str(base), precision, f"{ours:.0f}", f"{1000 / ours:.1f}"]
    return [*cells, f"{speed:.0f}", f"{plain:.0f}", f"{plain / ours:.1f}×"]


def floor(device: torch.device, precision: str) -> float:
    """Return what a large matrix product reaches in this precision, in GFLOP/s."""
    n = 2048
    factors = torch.rand(2, n, n, device=device).to(getattr(torch, precision))
    return 2 * n**3 / milliseconds(lambda: factors[0] @ factors[1], device, 5) / 1e6


if __name__ == "__main__":
    main()
