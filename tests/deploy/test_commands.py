"""`python -m deploy`: what the command line takes."""

import pytest

from deploy.__main__ import main


@pytest.mark.parametrize(
    ("given", "says"),
    [
        *((["--lots", text], "not a whole number from 1 up") for text in ("abc", "0", "-3", "1.5")),
        *((["--speed", text], "not a number above 0") for text in ("inf", "nan", "0", "-1", "x")),
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
