"""The rows of the tables of the papers are trained, whatever their recipes offer."""

from __future__ import annotations

import pytest

from benchmarks.helpers.papers_data import Scale, Setting, experiment
from benchmarks.helpers.papers_rows import TRAINED, train

SMALL = Setting(Scale((40, 48, 48), 1))


@pytest.mark.parametrize("name", ["supervised", "cyclegan", "nonblind"])
def test_rows_without_a_learned_kernel_report_none(name: str) -> None:
    found = train(TRAINED[name], experiment(SMALL, 0), 1, 0, "cpu", looks=1)
    assert found.model.provenance["steps"] == 1
    assert found.kernels == []
