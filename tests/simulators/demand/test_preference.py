"""Preference: levels near the street first, then numbers; special classes are set back."""

from pathlib import Path

import numpy as np
import pytest

from simulators.demand.preference import read_ranks
from simulators.registry import RegistryError
from tests.simulators.demand.cities import lot

LOTS = [lot("a", 4, "mall"), lot("b", 3, "mall")]


def write(path: Path, *rows: str) -> Path:
    path.write_text("lot_id,number,level,space_class,longitude,latitude\n" + "\n".join(rows) + "\n")
    return path


def test_ranks(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bays.csv",
        "a,1,-1,accessible,1,1",
        "a,2,-1,standard,1,1",
        "a,3,-1,standard,1,1",
        "a,4,-2,standard,1,1",
        "b,1,0,ev,1,1",
        "b,2,0,standard,1,1",
        "c,1,0,standard,1,1",
        "b,9,0,standard,1,1",
    )
    ranks = read_ranks(path, LOTS)
    assert np.argsort(ranks[:4]).tolist() == [1, 2, 0, 3]
    # Bay 3 of lot b is not in the file: last.
    assert np.argsort(ranks[4:]).tolist() == [1, 0, 2]


@pytest.mark.parametrize("row", ["a,one,0,standard,1,1", "a,1"])
def test_bad_bays_are_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(RegistryError, match=r"bays\.csv"):
        read_ranks(write(tmp_path / "bays.csv", row), LOTS)
