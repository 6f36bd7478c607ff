"""Writes answers of `/v1/nearest` from prepared pieces.

A lot's part of an answer is cut into pieces at the values that are new each time:

| piece | kept until |
|---|---|
| up to `distance_m` | the lot's next state, or a change of what it is worth or of its opening |
| from there to `age_s` | the same |
| from there to `quote` | the same |
| `quote` and `closes_at` | another stay is asked for, or tariffs or lots are read again |

They are cut out of what `lots.service` makes, so that its shape stands once.
"""

from datetime import datetime
from typing import Annotated, Final, NamedTuple

import numpy as np
import orjson
from fastapi import Depends, Request

from parking_api.city.memory import City
from parking_api.city.search import Found, Near, Wanted, nearest_lots
from parking_api.city.states import micros
from parking_api.city.table import Lot, Table
from parking_api.lots.models import NearestLotsAsk
from parking_api.lots.service import closing, nearest_lot, stay_answer
from parking_api.models import AGE_STEPS, DISTANCE_STEPS, written_numbers
from parking_api.quotes.models import Stay
from parking_api.quotes.prices import SUSPENDED, Prices
from parking_api.resources import Deps
from sql.kinds import SPACE_CLASSES, LotType, SpaceClass

# Most questions are about an hour from now on: a stay a minute.
_MOST_STAYS: Final = 64
_MICROS_A_SECOND: Final = 1_000_000
_MICROS_A_MINUTE: Final = 60 * _MICROS_A_SECOND
_NOT_DEGRADED: Final = b',"degraded":false}'
_DEGRADED: Final = b',"degraded":true}'


class _Priced(NamedTuple):
    stay: Stay
    # As it stands in an answer, after the lots.
    text: bytes
    # Of each lot, by its index; None where nobody has asked yet.
    quotes: list[bytes | None]


class Writer:
    """Writes answers; keeps what the next ones can use."""

    def __init__(self, city: City, prices: Prices) -> None:
        self._city = city
        self._prices = prices
        self._stays: dict[tuple[object, ...], _Priced] = {}
        self._made_from: tuple[Table, int] | None = None

    def nearest(
        self,
        ask: NearestLotsAsk,
        now: datetime,
        *,
        degraded: bool,
        lot_type: LotType | None = None,
    ) -> bytes:
        """Return the body of an answer of `/v1/nearest`.

        Args:
            ask: What was asked for.
            now: What time it is.
            degraded: Whether the database is away.
            lot_type: Of the lots; None for any.
        """
        table, at = self._city.table, micros(now)
        priced = self._priced(ask, now, at)
        stay = priced.stay
        near = Near(ask.lon, ask.lat, ask.radius_m, ask.limit)
        through = (stay.arrival, stay.end) if ask.open_throughout else None
        wanted = Wanted(ask.min_free, ask.space_class, ask.height_m, through, lot_type)
        found = nearest_lots(table, near, wanted, at)
        parts = self._lots(table, found, priced, at, ask.space_class)
        as_of = orjson.dumps(self._city.as_of)
        ending = _DEGRADED if degraded else _NOT_DEGRADED
        return b"".join((b'{"lots":[', *parts, priced.text, b',"as_of":', as_of, ending))

    def _lots(
        self, table: Table, found: Found, priced: _Priced, now: int, space_class: SpaceClass | None
    ) -> list[bytes]:
        """Return the pieces of all lots."""
        table.look_at_clock(now)
        lots, quotes, is_open = table.lots, priced.quotes, table.open_hours
        indices = found.indices.tolist()
        ages_s = np.maximum(now - table.observed[found.indices], 0) / _MICROS_A_SECOND
        parts: list[bytes] = []
        for index, distance, age in zip(
            indices,
            written_numbers(found.distances_m, DISTANCE_STEPS),
            written_numbers(ages_s, AGE_STEPS),
            strict=False,
        ):
            lot = lots[index]
            kind = 2 * table.data_state(lot, now) + is_open[lot.hours]
            head, counts, tail = lot.pieces.get(kind) or self._pieces(lot, kind, now)
            quote = quotes[index] or self._quote(lot, priced)
            if space_class is not None:
                by_class = lot.state.free_by_class if lot.state else None
                number = by_class[SPACE_CLASSES.index(space_class)] if by_class else None
                quote += b',"free_of_class":' + orjson.dumps(number)
            parts += head, distance, counts, age if lot.state else b"null", tail, quote, b"},"
        if parts:
            parts[-1] = b"}"
        return parts

    def _priced(self, ask: NearestLotsAsk, now: datetime, at: int) -> _Priced:
        """Return the stay that is asked for, with what has been written of each lot's quote."""
        table, generation = self._city.table, self._prices.generation
        if self._made_from != (table, generation):
            self._stays.clear()
            self._made_from = table, generation
        key = ask.at, ask.duration_min, ask.vehicle, at // _MICROS_A_MINUTE
        found = self._stays.get(key)
        if found is None:
            if len(self._stays) >= _MOST_STAYS:
                del self._stays[next(iter(self._stays))]
            stay = ask.stay(now)
            text = b'],"stay":' + orjson.dumps(stay_answer(stay))
            found = self._stays[key] = _Priced(stay, text, [None] * len(table.lots))
        return found

    def _quote(self, lot: Lot, priced: _Priced) -> bytes:
        text = orjson.dumps(self._prices.glance(lot.facts.lot_id, priced.stay))
        closes = closing(lot.facts, priced.stay)
        if closes:
            text += b',"closes_at":' + orjson.dumps(closes["closes_at"])
        if self._prices.is_suspended(lot.facts.lot_id, priced.stay):
            text += b',"quote_reason":' + orjson.dumps(SUSPENDED)
        priced.quotes[lot.index] = text
        return text

    def _pieces(self, lot: Lot, kind: int, now: int) -> tuple[bytes, ...]:
        row = self._city.table.at(lot, now)
        text = orjson.dumps(nearest_lot(row, None) | {"age_s": None})
        head, rest = text.split(b'"distance_m":null', 1)
        counts, rest = rest.split(b'"age_s":null', 1)
        tail = rest.removesuffix(b"null}")
        pieces = lot.pieces[kind] = head + b'"distance_m":', counts + b'"age_s":', tail
        return pieces


async def _answers(request: Request, _: Deps) -> Writer:
    writer: Writer = request.app.state.answers
    return writer


Answers = Annotated[Writer, Depends(_answers)]
