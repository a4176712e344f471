"""Some hundred damaged inputs for every reader; `make fuzz` reads 20,000."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fuzz.campaign import FAULTS, Campaign, silently_other
from tests.fuzz.readers import READERS

COUNT = 80


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")
def test_damaged_inputs_are_read_right_or_refused(name: str, tmp_path: Path) -> None:
    campaign = Campaign(name, tmp_path)
    count = COUNT // 10 if name == "resumed trainings" else COUNT
    outcomes = {number: campaign.outcome(number) for number in range(count)}
    faults = {n: said for n, said in outcomes.items() if said[0] in FAULTS}
    assert not faults
    kinds = {kind for kind, _ in outcomes.values()}
    assert "refused" in kinds or name == "history.csv"


def test_a_reader_at_fault_is_found_out(tmp_path: Path) -> None:
    """The campaign sees a loss that goes unsaid, and an error that is not ours."""
    campaign = Campaign("TIFF images", tmp_path)
    path = campaign.seeds[0]
    whole = campaign.whole[path]
    wrong = type(whole)([*whole.value[:-1], whole.value[-1][:1]])
    assert campaign._read(path, wrong, lost=True)[0] == "wrong, silently"
    noted = type(whole)(whole.value, ["the axis of length 5 is taken as Z"])
    wrong = type(whole)(wrong.value, noted.notes)  # not a note on what is lost
    assert silently_other(wrong, noted)
    path.unlink()
    path.mkdir()
    (path / "zarr.json").mkdir()
    campaign.reader = type(campaign.reader)(
        campaign.reader.seeds,
        campaign.reader.damage,
        lambda path: 1 / 0,  # type: ignore[return-value]
    )
    assert campaign._read(path, whole, lost=False)[0] == "traceback"
