"""Every option of every command: its help, its range, its name in full."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from napari_blurgan.cli import COMMANDS, GROUPS, build_parser, main
from napari_blurgan.cli.psf import WayParser
from napari_blurgan.errors import BlurGANError


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of which each takes the arguments of a command."""
    subs = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not subs:
        yield parser
    for sub in subs[0].choices.values() if subs else ():
        if isinstance(sub, WayParser):
            sub.fill(sub)
        yield from leaves(sub)


def commands() -> Iterator[argparse.ArgumentParser]:
    for name in COMMANDS:
        (chosen,) = (
            action.choices[name]
            for action in build_parser(name)._actions
            if isinstance(action, argparse._SubParsersAction)
        )
        yield from leaves(chosen)


LEAVES = {parser.prog: parser for parser in commands()}
OPTIONS = {
    f"{prog} {(action.option_strings or [action.dest])[-1]}": action
    for prog, parser in LEAVES.items()
    for action in parser._actions
}
NUMBERS = {
    name: action
    for name, action in OPTIONS.items()
    if action.type is not None and action.type.__qualname__.endswith(".number")
}


def test_all_commands_are_there() -> None:
    assert len(LEAVES) > 25
    assert len(NUMBERS) > 150
    assert {name for group in GROUPS.values() for name in group} == set(COMMANDS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_help_that_says_its_default(name: str) -> None:
    action = OPTIONS[name]
    assert action.help
    told = action.default not in (None, False, argparse.SUPPRESS, [])
    if told and action.option_strings:
        assert str(action.default) in action.help


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "-1e300", "x", ""])
def test_no_number_is_taken_without_a_range(name: str, value: str) -> None:
    with pytest.raises(BlurGANError, match=r"--[\w-]+ must be .*found"):
        NUMBERS[name].type(value)  # type: ignore[misc]


def test_no_option_takes_a_bare_number_but_the_optics() -> None:
    bare = {name for name, action in OPTIONS.items() if action.type in (int, float)}
    assert {name.split()[-1] for name in bare} == {"--na", "--ni", "--wavelength"}


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("deconvolve rl a.tif --itertions 3 --out o.tif", "--iterations"),
        ("deconvolve rl a.tif --iter 3 --out o.tif", ""),
        ("train blind --blured a.tif", "--blurred"),
        ("restore m.blurgan a.tif --overwrit --out o.tif", "--overwrite"),
        ("psf beads a.tif --voxels 1 1 1 --out o.tif", "--voxel"),
        ("simulate out --shap 8 8 8", "--shape"),
    ],
)
def test_a_misspelt_option_shows_the_usage_and_the_nearest(
    line: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    prog = " ".join(re.findall("[a-z-]+", line)[: 2 if "psf" in line else 1])
    assert said.startswith(f"usage: blurgan {prog}")
    last = said.splitlines()[-1]
    assert last.startswith("blurgan: unknown option --")
    assert last.endswith(f"did you mean {nearest}?") or not nearest


def test_a_misspelt_command_has_a_nearest_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["trian"]) == 2
    assert "did you mean train?" in capsys.readouterr().err
    assert main(["psf", "gausian"]) == 2
    assert "did you mean gaussian?" in capsys.readouterr().err


def test_help_says_what_it_is_with_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "Deconvolve and restore microscopy images" in said
    assert said.count("\n  blurgan ") >= 3
    assert all(f"\n  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train blind --blurred a --sharp b --out m --minutes 0", "--minutes must be"),
        ("train blind --blurred a --sharp b --out m --steps 0", "--steps must be"),
        ("train blind --blurred a --sharp b --out m --seed -1", "--seed must be"),
        ("train blind --blurred a --sharp b --out m --alpha nan", "--alpha must be"),
        ("train blind --blurred a --sharp b --out m --device gpu", "no device 'gpu'"),
        ("train blind --blurred a --sharp b --out x/y.tif/m", "is no folder"),
        ("deconvolve rl a --psf p --out o.tif --iterations 0", "--iterations must be"),
        ("deconvolve rl a --psf p --out o.tif --device gpu", "no device 'gpu'"),
        ("deconvolve rl a --psf p --out o.tif --tile 0", "--tile must be"),
        ("deconvolve rl a --psf p --out o.tif --psf-voxel 1e9 1 1", "--psf-voxel must"),
        ("deconvolve rl a --psf p --out x/y.tif/o.tif", "is no folder"),
        ("deconvolve rl a --psf p --out o.png", "written as .ome.tif"),
        ("deconvolve rl a --out o.tif --na 9 --ni 1 --wavelength 500", "aperture"),
        ("deconvolve rl a --out o.tif --psf-voxel 1 1 1", "voxel size of --psf"),
        ("restore m a --out o.tif --device gpu", "no device 'gpu'"),
        ("restore m a --out o.tif --psf-voxel 1 1 1", "voxel size of --psf"),
        (
            "psf vectorial --na 1 --ni 1.33 --wavelength 500 --voxel .1 .1 .1 "
            "--out p.tif --coverslip 1e9",
            "--coverslip must be",
        ),
        (
            "psf vectorial --na 1 --ni 1.33 --wavelength 500 --voxel 9 9 9 "
            "--out p.tif --shape 9000 9000 9000",
            "too large",
        ),
        (
            "psf gaussian --na 1 --ni 1.33 --wavelength 500 --voxel 9999 .1 .1 "
            "--out p.tif",
            "too coarse",
        ),
        (
            "simulate s --structure beads --shape 1000000 1000000 1000000 "
            "--voxel .1 .1 .1 --na 1 --ni 1.33 --wavelength 500",
            "of memory",
        ),
        ("threshold a --background 1,nan,2 --foreground 1,1,1", "a disc is"),
        ("evaluate a b --data-range 0", "--data-range must be"),
        ("split a --out o --seed -1", "--seed must be"),
        ("demo --minutes -1", "--minutes must be"),
    ],
)
def test_impossible_requests_are_refused_before_any_file_is_read(
    line: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(str(tmp_path))
    from pathlib import Path

    Path("x").mkdir()
    Path("x/y.tif").write_text("a file")
    assert main(line.split()) == 2  # none of the images is there
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert [str(path) for path in Path().iterdir()] == ["x"]


@pytest.mark.parametrize(
    "line", ["restore m a --out |", "restore m a --out=", "restore | a --out o.tif"]
)
def test_an_empty_argument_is_refused(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of ``--out "$FOLDER"`` where the variable is not set."""
    assert main([word.strip("|") for word in line.split()]) == 2
    assert "an argument is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "restore NAME a --out o.tif",
        "restore m NAME --out o.tif",
        "restore m a --out NAME",
        "deconvolve rl a --psf NAME --out o.tif",
        "train blind --blurred NAME --sharp b --out m",
        "info NAME",
        "train NAME --blurred a --out m",
    ],
)
def test_a_name_too_long_for_a_file_is_refused(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.replace("NAME", "x" * 300) for word in line.split()]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 or "invalid choice" in said
