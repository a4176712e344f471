"""``blurgan recipe PRESET > my.yaml``."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "preset", metavar="PRESET", nargs="?", help="leave out to list them"
    )


def run(options: argparse.Namespace) -> None:
    """Print a preset as YAML."""
    from napari_blurgan.methods.presets import PRESETS, preset

    if options.preset is None:
        for name, (summary, _) in PRESETS.items():
            print(f"{name:22} {summary}")
    else:
        print(preset(options.preset).to_yaml(), end="")
