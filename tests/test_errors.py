"""All errors of the program are of one kind, with a name of their own."""

from __future__ import annotations

import inspect

from napari_blurgan import errors


def test_every_error_is_a_blurgan_error() -> None:
    kinds = [k for _, k in inspect.getmembers(errors, inspect.isclass)]
    assert len(kinds) > 5
    for kind in kinds:
        assert issubclass(kind, errors.BlurGANError)
        assert kind.__doc__


def test_running_out_of_memory_is_no_error_of_the_data() -> None:
    assert not issubclass(errors.OutOfMemoryError, errors.DataError)
