"""The age that a report gives its lot, and from when it counts in history."""

from collections.abc import Callable
from datetime import datetime

import pytest

from ingest_mqtt.messages import AnyReport, SnapshotReport, SpacesReport
from ingest_mqtt.transition import advance
from tests.ingest_mqtt.builders import AT, BAYS, at


def spaces(observed_at: datetime) -> SpacesReport:
    return SpacesReport(epoch=1, seq=2, observed_at=observed_at, free=(1,))


def snapshot(observed_at: datetime) -> SnapshotReport:
    return SnapshotReport(
        epoch=1, seq=2, observed_at=observed_at, capacity=12, occupied_bits="AAA="
    )


BEFORE = advance(BAYS, None, snapshot(AT), AT)


def test_a_clock_that_runs_ahead_makes_no_state_younger_than_its_receipt() -> None:
    state = advance(BAYS, None, snapshot(at(250)), AT)
    assert (state.observed_at, state.history_at) == (AT, AT)


def test_single_bays_make_no_state_older_and_a_whole_picture_does() -> None:
    late = spaces(at(-3600)), snapshot(at(-3600))
    after = [advance(BAYS, BEFORE, report, at(60)) for report in late]
    assert [state.observed_at for state in after] == [AT, at(-3600)]
    assert [state.history_at for state in after] == [AT, AT]


def test_one_bay_makes_none_of_the_others_young() -> None:
    """A picture of long ago, then a single bay of now: nothing is known of the others."""
    old = advance(BAYS, None, snapshot(at(-86_400)), AT)
    now = advance(BAYS, old, spaces(AT), AT)
    assert (now.free_spaces, now.unknown_spaces, now.observed_at) == (1, 11, AT)
    # An outbox that comes late: each report followed the one before it closely.
    later = advance(BAYS, old, spaces(at(-86_000)), AT)
    assert (later.free_spaces, later.unknown_spaces) == (12, 0)


def test_a_message_of_days_ago_is_old_when_it_comes() -> None:
    state = advance(BAYS, None, spaces(at(-86_400 * 3)), AT)
    assert state.observed_at == at(-86_400 * 3)


@pytest.mark.parametrize("kind", [spaces, snapshot])
def test_our_own_clock_put_back_makes_nothing_true_before_it_came(
    kind: Callable[[datetime], AnyReport],
) -> None:
    state = advance(BAYS, BEFORE, kind(at(-100)), at(-100))
    assert state.observed_at <= state.received_at
    assert state.history_at == AT
