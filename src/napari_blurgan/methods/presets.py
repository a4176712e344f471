"""The named recipes: each method of the papers in a few lines of data."""

from __future__ import annotations

from typing import Any

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.other_measurements import OTHER_MEASUREMENTS
from napari_blurgan.methods.recipe import Recipe

__all__ = ["PRESETS", "preset", "presets"]

# As Lim et al. 2020 print it (sections IV and V C), for comparison. Ours are the
# numbers that they do not print, listed in docs/papers.md: the channels, the ranges of
# the augmentations, the weights.
AS_PUBLISHED: dict[str, Any] = {
    "reconstructor": {
        "kind": "plain",
        "norm": "instance",
        "output": "sigmoid",
        "levels": 4,
    },
    "discriminator": {"norm": "instance"},
    "sampling": {
        "patch": 64,
        "foreground": 0.0,
        "rotation": 180.0,
        "translation": 8.0,
        "scale": 0.1,
    },
    "terms": {"adversarial_x": 1.0, "cycle_y": 10.0, "cycle_x": 10.0},
    "optimiser": {
        "generator_rate": 1e-4,
        "discriminator_rate": 1e-4,
        "kernel_rate": 1e-4,
        "constant": 0.2,
        "final": 0.0,
    },
}

# Without an estimate to refine, |x - G(y)| of a volume that is dark nearly everywhere
# draws a linear output to zero (26.8 dB after 1,000 supervised steps against 32.5).
SPARSE: dict[str, Any] = {"kind": "plain", "output": "sigmoid"}

# A generator that refines Richardson-Lucy: three estimates, after all iterations, half
# of them and a quarter. Their number follows the light, because any fixed number is too
# small in bright light. The running statistics must follow within some dozens of steps.
# Squared errors lead to the mean of what is possible, absolute errors to the median,
# which is zero where light is faint. The cycle through y compares with noise that no
# generator should fit, and weighs little (docs/decisions/0002-refining-generator.md).
REFINING: dict[str, float] = {
    "adversarial_x": 1.0,
    "cycle_x": 4000.0,
    "cycle_y": 40.0,
}
REFINED: dict[str, Any] = {
    "kind": "refining",
    "iterations": "auto",
    "depths": 3,
    "momentum": 0.1,
    "average": 0.98,
}
GUIDED: dict[str, Any] = {
    "forward": {"kind": "kernel"},
    "reconstructor": REFINED,
    "terms": REFINING,
    "cycle_power": 2,
    "optimiser": {"generator_rate": 2e-3},
}

TRANSFORMING: dict[str, float] = {
    "adversarial_x": 1.0,
    "adversarial_y": 1.0,
    "cycle_y": 10.0,
    "cycle_x": 10.0,
}
UTOM: dict[str, Any] = {
    "dims": 2,
    "reconstructor": {
        "kind": "plain",
        "network": "resnet",
        "base": 16,
        "blocks": 3,
        "first_kernel": 7,
        "output": "sigmoid",
    },
    "forward": {"kind": "network"},
    "discriminator": {"base": 32, "layers": 3, "scales": 1},
    "sampling": {"patch": 64, "foreground": 0.0, "held_out": 0.1},
    "optimiser": {"generator_rate": 2e-4},
    # A constraint that decays to nothing, as published, loses the content again
    # (docs/decisions/0003-saliency-schedule.md).
    "terms": TRANSFORMING
    | {"saliency": {"weight": 50.0, "half_life": 200, "floor": 0.2}},
}

# Li et al. 2021: the generator of Zhu et al. (2017), with trainable strided
# convolutions down and up, on tiles of 128 pixels; from their released code, the least
# squares and that the weight falls by e in an epoch, here of 1,000 tiles.
UTOM_AS_PUBLISHED: dict[str, Any] = {
    "dims": 2,
    "reconstructor": {
        "kind": "plain",
        "network": "resnet",
        "base": 64,
        "blocks": 9,
        "first_kernel": 7,
        "upsampling": "transposed",
        "norm": "instance",
        "output": "sigmoid",
    },
    "forward": {"kind": "network"},
    "discriminator": {
        "base": 64,
        "layers": 3,
        "plain_layers": 1,
        "head_kernel": 4,
        "scales": 1,
        "norm": "instance",
    },
    "sampling": {"patch": 128, "foreground": 0.0, "held_out": 0.1},
    "optimiser": {"generator_rate": 2e-4, "discriminator_rate": 2e-4, "final": 0.0},
    "terms": TRANSFORMING
    | {"saliency": {"weight": 50.0, "half_life": 693, "floor": 0.0}},
    "steps": 50_000,
}

# Denoising: planes, also those of a volume; squared errors, whose minimum is the mean.
# Without a norm: the running statistics of batch norm cost a decibel of noisy planes.
DENOISING: dict[str, Any] = {
    "dims": 2,
    "forward": {"kind": "none"},
    "reconstructor": {"kind": "plain", "base": 16, "norm": "none"},
    "cycle_power": 2,
    "sampling": {"patch": 64, "batch": 4, "foreground": 0.0},
    "optimiser": {"generator_rate": 2e-3, "betas": [0.9, 0.99]},
}

# The evidence lower bound, in nats, from the first step: latent images that cost
# nothing at first fill with noise, and take thousands of steps to get rid of it.
DIVERSE: dict[str, Any] = DENOISING | {
    "source": {"kind": "single"},
    "reconstructor": {
        "kind": "variational",
        "base": 16,
        "blocks": 2,
        "average": 0.99,
        "roots": True,
    },
    "terms": {
        "likelihood": 1.0,
        "divergence": 1.0,
    },
}

# Half of the photons, restored, predict the other half; others again, which are never
# trained on, choose between the networks on the way and Richardson-Lucy, from which
# training starts. The optics are as somebody typed them. Without sharp images, a grain
# tells detail from noise before the first step; with them, the network learns it, and
# the iterations that a grain needs double the time (docs/decisions/0008-grain.md).
SELF_SUPERVISED: dict[str, Any] = {
    "source": {"kind": "split"},
    "forward": {"kind": "kernel", "tolerance": 0.2, "thickness": "auto"},
    "reconstructor": REFINED | {"grain": "auto"},
    "terms": {"remeasured": 1.0},
    "optimiser": {"generator_rate": 2e-3},
    "sampling": {"patch": 48, "foreground": 0.0},
    "steps": 600,
}

# In little light the gradients are mostly noise of the hidden photons, and G soon fits
# them. Pairs of estimates and their simulated measurements have none
# (docs/decisions/0009-bootstrap.md).
BOOTSTRAPPED: dict[str, Any] = SELF_SUPERVISED | {
    "source": {"kind": "split", "resampled": True},
    "terms": {"remeasured": 1.0, "bootstrap": 2.0},
    "cycle_power": 2,
    "steps": 500,
}

PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "blind": (
        "deconvolution with a learned blur kernel",
        GUIDED
        | {
            "forward": {"kind": "kernel", "learned": True},
            "terms": REFINING | {"spectral": 300.0},
        },
    ),
    "blind-two-discriminators": (
        "a learned kernel with exactly the papers' loss: plain network, two "
        "discriminators",
        {
            "reconstructor": SPARSE,
            "forward": {"kind": "kernel", "learned": True},
            "terms": {
                "adversarial_x": 1.0,
                "adversarial_y": 1.0,
                "cycle_y": 100.0,
                "cycle_x": 100.0,
            },
        },
    ),
    "nonblind": (
        "deconvolution with a known blur kernel",
        GUIDED,
    ),
    "half": (
        "a known kernel and only the cycle y -> x -> y",
        GUIDED | {"terms": {"adversarial_x": 1.0, "cycle_y": 400.0}},
    ),
    # Two networks that both invert the contrast have cycles as good as two that do not;
    # identity losses of half the weight, as Zhu et al. (2017) have them, say which.
    "cyclegan": (
        "the conventional cycleGAN: two deep generators",
        {
            "reconstructor": SPARSE,
            "forward": {"kind": "network"},
            "terms": {
                "adversarial_x": 1.0,
                "adversarial_y": 1.0,
                "cycle_y": 100.0,
                "cycle_x": 100.0,
                "identity": 50.0,
                "identity_y": 50.0,
            },
        },
    ),
    "axial-subsampling": (
        "interpolate between planes, learned from a set with all planes",
        {
            "forward": {"kind": "axial-subsampling"},
            "reconstructor": SPARSE,
            "terms": {"adversarial_x": 1.0, "cycle_y": 100.0, "cycle_x": 100.0},
        },
    ),
    "supervised": (
        "matched pairs, for comparison",
        {
            "source": {"kind": "paired"},
            "reconstructor": SPARSE,
            "forward": {"kind": "none"},
            "terms": {"supervised": 100.0},
        },
    ),
    "self-supervised": (
        "deconvolution with a known blur kernel and no sharp images",
        BOOTSTRAPPED,
    ),
    "ambient": (
        "deconvolution without sharp images: blurred again, G(y) looks like the images",
        SELF_SUPERVISED | {"terms": {"adversarial_remeasured": 1.0, "cycle_y": 40.0}},
    ),
    "auto": (
        "without sharp images: a network if it predicts held-out photons better than "
        "Richardson-Lucy, which is used otherwise",
        BOOTSTRAPPED,
    ),
    "noise2noise": (
        "denoising by a second measurement: exposures, frames or half of the photons",
        DENOISING | {"source": {"kind": "repeated"}, "terms": {"supervised": 1.0}},
    ),
    "noise2self": (
        "denoising of single images: pixels on a grid are predicted from the others",
        DENOISING | {"source": {"kind": "single"}, "terms": {"masked": 1.0}},
    ),
    "noise2void": (
        "denoising of single images: some pixels are predicted from the others",
        DENOISING
        | {
            "source": {"kind": "single"},
            "terms": {"masked": {"weight": 1.0, "pixels": "random", "fill": "median"}},
        },
    ),
    "divnoising": (
        "denoising of single images, with many possible answers instead of one",
        DIVERSE,
    ),
    "utom": (
        "transformation between modalities that preserves the content",
        UTOM,
    ),
    # What is added to a section is learned: before any step it is interpolated, with
    # the brightness of the planes.
    "isotropic": (
        "sections of a volume along z learn to look like its planes",
        UTOM
        | {
            "reconstructor": UTOM["reconstructor"]
            | {"residual": True, "output": "linear"},
            "sampling": UTOM["sampling"] | {"views": ["xz", "yz"]},
        },
    ),
    **OTHER_MEASUREMENTS,
    "utom-as-published": (
        "Li et al. 2021: large networks, 70 x 70 PatchGAN, the constraint decays to 0",
        UTOM_AS_PUBLISHED,
    ),
    "blind-as-published": (
        "Lim et al. 2020 as published: plain U-Net, free kernel, l1 penalty",
        AS_PUBLISHED
        | {
            "forward": {
                "kind": "kernel",
                "learned": True,
                "parametrisation": "free",
                "start": "random",
                "frozen_steps": 0,
                "noise": False,
            },
            "terms": TRANSFORMING | {"kernel_l1": 0.01},
        },
    ),
    "nonblind-as-published": (
        "Lim et al. 2020 with a known kernel",
        AS_PUBLISHED | {"forward": {"kind": "kernel", "noise": False}},
    ),
}


def presets() -> dict[str, str]:
    """Return the names of the presets, and what each is for."""
    return {name: summary for name, (summary, _) in PRESETS.items()}


def preset(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises
    ------
    RecipeError
        If there is no such preset; the message lists those there are.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise RecipeError(f"no preset {name!r}: choose from {', '.join(PRESETS)}")
    return Recipe.parse({"name": name} | PRESETS[name][1])
