"""Presets for other measurements than blurred images: one loss, another H."""

from __future__ import annotations

from typing import Any

__all__ = ["OTHER_MEASUREMENTS"]

# Isotropic resolution: H is what blurs along z alone. The stack on its side is sharp
# along z, and its planes are what sections of G(y) have to look like.
THREE_WAY: dict[str, Any] = {
    "source": {"kind": "turned"},
    "forward": {"kind": "axial-blur"},
    "reconstructor": {
        "kind": "refining",
        "iterations": 30,
        "depths": 3,
        "momentum": 0.1,
        "average": 0.98,
    },
    "sampling": {"cubic": True},
    "terms": {
        "adversarial_planes": 1.0,
        "cycle_x": 4000.0,
        "cycle_y": 40.0,
    },
    "cycle_power": 2,
    "optimiser": {"generator_rate": 2e-3},
    "steps": 240,
}

# Accelerated MRI: complex slices, whole, because every line of k-space runs through all
# of an image. After each network, the measured lines are put back.
MRI: dict[str, Any] = {
    "dims": 2,
    "values": "complex",
    "forward": {"kind": "k-space-mask"},
    "reconstructor": {
        "kind": "unrolled",
        "turns": 1,
        "base": 16,
        "levels": 4,
        "momentum": 0.1,
        "hidden": "leaky",
        "average": 0.98,
    },
    "discriminator": {"layers": 3, "scales": 1, "history": 0},
    "sampling": {
        "whole": True,
        "patch": 16,
        "batch": 4,
        "foreground": 0.0,
        "quarter_turns": False,
    },
    "optimiser": {"generator_rate": 2e-3, "betas": [0.5, 0.9]},
    # Weights of 10 teach little in 1,000 steps. A generator that keeps what was
    # measured has a cycle through y from the start, so that the other one leads.
    "terms": {"adversarial_x": 1.0, "cycle_y": 20.0, "cycle_x": 200.0},
    "steps": 400,
}

WITHOUT_PHYSICS: dict[str, Any] = {
    "kind": "plain",
    "residual": True,
    "base": 16,
    "levels": 4,
    "momentum": 0.1,
    "hidden": "leaky",
    "average": 0.98,
}

# Sim et al. 2020, appendix D.1. The channels are ours, and so is the weight of both
# cycles, of which they print the ratio only.
MRI_AS_PUBLISHED: dict[str, Any] = MRI | {
    "reconstructor": {
        "kind": "plain",
        "base": 32,
        "levels": 4,
        "norm": "instance",
        "hidden": "leaky",
    },
    "discriminator": {
        "loss": "wgan-gp",
        "steps": 5,
        "base": 64,
        "layers": 3,
        "plain_layers": 1,
        "head_kernel": 4,
        "scales": 1,
        "norm": "instance",
        "history": 0,
    },
    "sampling": MRI["sampling"] | {"batch": 1, "flips": False},
    "optimiser": {
        "generator_rate": 1e-4,
        "discriminator_rate": 1e-4,
        "betas": [0.5, 0.9],
        "constant": 1.0,
    },
    "terms": {"adversarial_x": 1.0, "cycle_y": 50.0, "cycle_x": 50.0},
    "steps": 300_000,
}

OTHER_MEASUREMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "three-way": (
        "isotropic resolution of a stack, learned from the stack itself",
        THREE_WAY,
    ),
    "mri": (
        "reconstruction of undersampled k-space, learned from unpaired images",
        MRI,
    ),
    "mri-half": (
        "the same with only the cycle y -> x -> y, for comparison",
        MRI | {"terms": {"adversarial_x": 1.0, "cycle_y": 20.0}},
    ),
    "mri-cyclegan": (
        "the same with a network in place of the mask, for comparison",
        MRI
        | {
            "forward": {"kind": "network"},
            "reconstructor": WITHOUT_PHYSICS,
            "terms": {
                "adversarial_x": 1.0,
                "adversarial_y": 1.0,
                "cycle_y": 20.0,
                "cycle_x": 200.0,
            },
        },
    ),
    "mri-supervised": (
        "the same from matched pairs, for comparison",
        MRI
        | {
            "source": {"kind": "paired"},
            "terms": {"supervised": 100.0},
        },
    ),
    "mri-as-published": (
        "Sim et al. 2020: W-GAN with a gradient penalty, five steps of the critic",
        MRI_AS_PUBLISHED,
    ),
    "mri-ambient": (
        "the same from undersampled images alone: measured again, G(y) looks like them",
        MRI
        | {
            "source": {"kind": "single"},
            "terms": {"adversarial_remeasured": 1.0, "cycle_y": 20.0},
        },
    ),
    "ssdu": (
        "reconstruction of undersampled k-space from undersampled images alone",
        MRI
        | {
            "source": {"kind": "lines"},
            "terms": {"predicted": 1.0},
            "steps": 800,
        },
    ),
}
