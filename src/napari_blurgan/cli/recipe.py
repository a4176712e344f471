"""``blurgan recipe PRESET > my.yaml``."""

from __future__ import annotations

import argparse

import yaml

from napari_blurgan.cli._output import add_json, answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "preset", metavar="PRESET", nargs="?", help="leave out to list them"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Print a preset as YAML."""
    from napari_blurgan.methods.presets import PRESETS, preset

    if options.preset is None:
        summaries = {name: summary for name, (summary, _) in PRESETS.items()}
        lines = (f"{name:22} {summary}" for name, summary in summaries.items())
        answer(options, summaries, "\n".join(lines))
    else:
        text = preset(options.preset).to_yaml()
        answer(options, yaml.safe_load(text), text.rstrip("\n"))
