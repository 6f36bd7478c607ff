"""Writes answers of `/v1/spaces/nearest` from prepared pieces.

A bay's part of an answer is cut at its distance: what stands before never changes, what stands
after is the same for all bays of a lot until its next state, or until that is worth less. Both are
cut out of what `spaces.service` makes, so that its shape stands once.
"""

from datetime import datetime
from typing import Annotated, Final

import orjson
from fastapi import Depends, Request

from parking_api.city.memory import City
from parking_api.city.search import Near, Wanted, nearest_bays
from parking_api.city.states import micros
from parking_api.city.table import DATA_STATES, Lot, Table
from parking_api.models import DISTANCE_STEPS, written_numbers
from parking_api.resources import Deps
from parking_api.spaces.models import NearestSpacesAsk
from parking_api.spaces.queries import NearestSpace
from parking_api.spaces.service import nearest_space, place

# Some 10 MB; where more are asked for, they are made anew.
_MOST_HEADS: Final = 50_000


class Writer:
    """Writes answers; keeps what the next ones can use."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._table = city.table
        self._heads: dict[int, bytes] = {}

    def nearest(self, ask: NearestSpacesAsk, now: datetime, *, degraded: bool) -> bytes:
        """Return the body of an answer of `/v1/spaces/nearest`.

        Args:
            ask: What was asked for.
            now: What time it is.
            degraded: Whether the database is away.
        """
        table, at = self._city.table, micros(now)
        if table is not self._table or len(self._heads) > _MOST_HEADS:
            self._table, self._heads = table, {}
        near = Near(ask.lon, ask.lat, ask.radius_m, ask.limit)
        wanted = Wanted(space_class=ask.space_class, height_m=ask.height_m)
        found = nearest_bays(table, near, wanted, at)
        parts: list[bytes] = []
        for bay, index, distance in zip(
            found.indices.tolist(),
            table.bays.lots_of(found.indices).tolist(),
            written_numbers(found.distances_m, DISTANCE_STEPS),
            strict=False,
        ):
            lot = table.lots[index]
            worth = table.data_state(lot, at)
            head, tail = self._heads.get(bay), lot.bay_tails.get(worth)
            if head is None or tail is None:
                head, tail = self._pieces(table, lot, bay, worth)
            parts += head, distance, tail, b","
        end = orjson.dumps({"as_of": self._city.as_of, "degraded": degraded})[1:]
        return b"".join((b'{"spaces":[', *parts[:-1], b"],", end))

    def _pieces(self, table: Table, lot: Lot, bay: int, worth: int) -> tuple[bytes, bytes]:
        if lot.state is None:
            raise ValueError("a lot without a state has no free bays")
        row = NearestSpace(
            lot_id=lot.facts.lot_id,
            distance_m=0.0,
            data_state=DATA_STATES[worth],
            observed_at=lot.state.observed_at,
            timezone=lot.facts.timezone,
            **place(table.bays, bay),
        )
        mark = b'"distance_m":'
        head, tail = orjson.dumps(nearest_space(row)).split(mark + b"0.0", 1)
        head += mark
        self._heads[bay] = head
        lot.bay_tails[worth] = tail
        return head, tail


async def _bay_answers(request: Request, _: Deps) -> Writer:
    writer: Writer = request.app.state.bay_answers
    return writer


BayAnswers = Annotated[Writer, Depends(_bay_answers)]
