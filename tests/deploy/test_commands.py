"""`python -m deploy`: what the command line takes."""

from pathlib import Path

import pytest

from deploy.__main__ import main


@pytest.mark.parametrize(
    ("given", "says"),
    [
        *((["--lots", text], "not a whole number from 1 up") for text in ("abc", "0", "-3", "1.5")),
        *((["--speed", text], "not a number above 0") for text in ("inf", "nan", "0", "-1", "x")),
        *((["--start", text], "not a time from 2000 to 2099") for text in ("x", "1999-01-01")),
    ],
)
def test_a_number_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str], given: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["demo", f"{given[0]}={given[1]}"])

    assert end.value.code == 2
    told = capsys.readouterr().err
    assert f"argument {given[0]}: {given[1]!r} is {says}" in told


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_cannot_hold_the_demo(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_text("mine")

    assert main(["demo", "--var", str(tmp_path / "file" / below)]) == 2

    assert "cannot be the demo's directory: Not a directory" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
