"""How the command ends where the shell has a say."""

import os
import subprocess
import sys

import pytest

from napari_blurgan.cli import main, recipe


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("recipe", "blind"), ("recipe", "--help")])
def test_a_reader_that_leaves_early_ends_it_quietly(arguments, unbuffered):
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_blurgan", *arguments],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert errors == b""
    # Unbuffered, the argparse of newer Pythons is silent about a help nobody reads.
    quiet = unbuffered and "--help" in arguments
    assert process.wait() in ({0, 141} if quiet else {141})


def test_a_pipe_of_another_kind_that_breaks_is_a_failure_of_ours(monkeypatch, capsys):
    def run(options):
        raise BrokenPipeError(32, "a worker has gone")

    monkeypatch.setattr(recipe, "run", run)
    with pytest.raises(BrokenPipeError, match="a worker"):
        main(["recipe", "blind"])
