from datetime import datetime
from typing import Any

import pytest

from load_tests.freshness import Mark, WrongChangeError
from tests.load_tests import builders
from tests.load_tests.builders import BAYS, OBSERVED_AT

# The same moment as OBSERVED_AT, on another clock.
MARK = Mark(BAYS, 2, "occupied", 3, datetime.fromisoformat("2026-11-22T01:30:00Z"))
EARLIER = "2026-11-22T09:29:59.999+08:00"


def spaces(state: str, observed_at: str = OBSERVED_AT) -> dict[str, Any]:
    body = builders.lot_spaces() | {"observed_at": observed_at}
    body["items"][1]["state"] = state
    return body


def lots(free_spaces: int, observed_at: str = OBSERVED_AT) -> dict[str, Any]:
    lot = builders.near(BAYS) | {"free_spaces": free_spaces, "observed_at": observed_at}
    return {"lots": [lot]}


def test_a_change_is_shown_when_mark_and_state_are_there() -> None:
    assert MARK.shown_by_spaces(spaces("occupied"))
    assert MARK.shown_by_nearest(lots(3))


def test_an_earlier_change_is_not_taken_for_it() -> None:
    assert not MARK.shown_by_spaces(spaces("occupied", EARLIER))
    assert not MARK.shown_by_nearest(lots(3, EARLIER))
    assert not MARK.shown_by_nearest({"lots": []})


def test_the_mark_without_the_change_is_wrong() -> None:
    with pytest.raises(WrongChangeError):
        MARK.shown_by_spaces(spaces("free"))
    with pytest.raises(WrongChangeError):
        MARK.shown_by_nearest(lots(4))
