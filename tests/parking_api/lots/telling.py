"""A city whose changes a test tells, on a clock of the test's own."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec

from ingest_mqtt.wire import StateMessage
from parking_api.city.following import FollowedCity
from parking_api.city.states import micros
from parking_api.lots.stream_models import StreamAsk
from parking_api.lots.streaming import Changes
from tests.parking_api.builders import Builder
from tests.parking_api.city.messages import state
from tests.parking_api.lots.events import Event, events

BOX = StreamAsk(bbox="120.3,36.0,120.5,36.1")


class Told:
    """A city of a test, its changes, and its clock."""

    def __init__(self, city: FollowedCity, built: Builder) -> None:
        self.city = city
        self.built = built
        self.now = built.now
        self.readers: list[int] = []
        self.changes = Changes(city, lambda: self.now, 2, 1, self.readers.append)

    def read(self, ask: StreamAsk = BOX) -> AsyncIterator[Event]:
        return events(self.changes.events(ask))

    def report(self, lot_id: str, free_spaces: int) -> None:
        """Have the broker tell a state; time enough passes that somebody looks."""
        self.built.version += 1
        message = state(lot_id, self.built.version, free_spaces, self.built)
        assert self.city.apply(msgspec.json.decode(message, type=StateMessage))
        self.now += timedelta(seconds=1)

    def lot_at(self, lot_id: str) -> Any:
        return self.city.table.at(self.city.table.by_id[lot_id], micros(self.now))
