"""Rows made for COPY are those that the database then holds."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest_mqtt.copying import space_rows
from ingest_mqtt.effects import Outcome
from sql.kinds import SPACE_STATES
from tests.ingest_mqtt.builders import AT, space_events


@given(
    states=st.lists(st.sampled_from(SPACE_STATES), max_size=2000),
    observed_at=st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    lot_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_each_bay_has_a_row_with_its_state(
    states: list[str], observed_at: datetime, lot_id: str
) -> None:
    changes = [
        (state, sum(1 << index for index, each in enumerate(states) if each == state))
        for state in SPACE_STATES
    ]
    rows = space_rows(lot_id, changes, observed_at, AT)
    outcome = Outcome(space_events=[rows], changed_bays=len(states))
    assert sorted(space_events(outcome)) == [
        (lot_id, number, state, observed_at, AT) for number, state in enumerate(states, 1)
    ]
