"""The charging clock: from entry to exit, what is charged when (Charging 3 to 6, 10).

Runs of equal units are taken in one step: a unit may start as long as neither the governing window,
the tier, the version, a cap's block nor the tail changes, and where it ends follows by arithmetic.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from pricing.charging.budget import MAX_PIECES, TOO_MUCH
from pricing.charging.periods import FLAT, FREE, NEVER, UNIT, PeriodPlan, Segment
from pricing.charging.rates import Rates
from pricing.errors import TooMuchWorkError
from pricing.instants import DAY

GAP: Final = "gap"
GRACE: Final = "grace"
DEDUCTED: Final = "deducted"
TAIL: Final = "tail"
DROPPED: Final = "dropped"
PAID: Final = "paid"


class Piece(NamedTuple):
    """A stretch of the stay and what was charged for it.

    Attributes:
        start, end: half-open, microseconds since 1970 UTC; the last unit's ends at exit.
        kind: UNIT or FLAT where charged, else one of FREE, GAP, GRACE, DEDUCTED, TAIL, DROPPED
            (a partial unit with rounding `down`), PAID (a flat window entered again).
        key, day: of the window, as in `Segment`.
        units: units that start in it.
        gross: the price of them all, before caps, over the vehicle's denominator.
        block: of 24 hours since the first charge; 0 unless the tariff has such a cap.
    """

    start: int
    end: int
    kind: str
    period: PeriodPlan | None = None
    key: int = -1
    day: int = 0
    tier: int = 0
    units: int = 0
    gross: int = 0
    rates: Rates | None = None
    block: int = 0
    entitlement: str | None = None


class Schedule(NamedTuple):
    """Later versions: from `starts[i]` on (microseconds) the prices are `rates[i]`."""

    starts: tuple[int, ...]
    rates: tuple[tuple[Rates, ...], ...]


class Rules(NamedTuple):
    """The choices of a tariff that steer the clock."""

    split: bool
    session_clock: bool
    rolling: bool


class Clock:
    """The charging clock of one stay; `pieces` grows as it runs."""

    __slots__ = (
        "_by_period", "_clocks", "_exit", "_flats", "_origin", "_rules", "_schedule", "_segments",
        "_tail_from", "pieces",
    )  # fmt: skip

    def __init__(
        self,
        segments: Sequence[Segment],
        by_period: tuple[Rates, ...],
        rules: Rules,
        tail_from: int,
        schedule: Schedule | None,
    ) -> None:
        self.pieces: list[Piece] = []
        self._segments = segments
        self._by_period = by_period
        self._rules = rules
        self._exit = segments[-1].end
        self._tail_from = tail_from
        self._schedule = schedule
        self._clocks: dict[int, int] = {}
        self._flats: set[int] = set()
        self._origin: int | None = None

    def let_off(self) -> list[Piece]:
        """A stay within its threshold of grace: nothing is charged (Charging 3)."""
        for segment in self._segments:
            self._uncharged(segment, segment.start, GRACE)
        return self.pieces

    def run(self, deductions: Sequence[tuple[str | None, int]]) -> list[Piece]:
        """Charge the stay after `deductions`, each (entitlement or None for grace, length).

        Raises:
            TooMuchWorkError: it has more than `MAX_PIECES`.
        """
        at = self._deduct(deductions) if deductions else self._segments[0].start
        for segment in self._segments:
            if at >= segment[1]:
                continue
            if len(self.pieces) > MAX_PIECES:
                raise TooMuchWorkError(TOO_MUCH)
            period = segment[2]
            if period is None or period.kind == FREE:
                self._uncharged(segment, at, FREE)
                at = segment[1]
            elif period.kind == FLAT:
                self._flat(segment, at, period)
                at = segment[1]
            else:
                at = self._units(segment, at, period)
        return self.pieces

    def _uncharged(self, segment: Segment, start: int, chargeable_kind: str) -> None:
        _, end, period, key, day = segment
        if period is None:
            self.pieces.append(Piece(start, end, GAP))
        else:
            kind = FREE if period.kind == FREE else chargeable_kind
            self.pieces.append(Piece(start, end, kind, period, key, day))

    def _deduct(self, deductions: Sequence[tuple[str | None, int]]) -> int:
        """Take the deductions off the first chargeable time; where charging starts."""
        at = self._segments[0].start
        left = list(deductions)
        for segment in self._segments:
            period = segment.period
            if period is None or period.kind == FREE:
                self._uncharged(segment, at, FREE)
                at = segment.end
                continue
            while left and at < segment.end:
                name, length = left.pop(0)
                end = min(segment.end, at + length)
                if length > end - at:
                    left.insert(0, (name, length - (end - at)))
                kind = DEDUCTED if name else GRACE
                piece = Piece(at, end, kind, period, segment.key, segment.day, entitlement=name)
                self.pieces.append(piece)
                at = end
            if not left:
                return at
        return at

    def _flat(self, segment: Segment, at: int, period: PeriodPlan) -> None:
        """Charge a flat once for its window; then the clock moves on (Charging 6)."""
        _, end, _, key, day = segment
        if key in self._flats:
            self.pieces.append(Piece(at, end, PAID, period, key, day))
            return
        self._flats.add(key)
        rates, _ = self._rates(period, at)
        block = self._block(at)[0] if self._rules.rolling else 0
        if self._origin is None:
            self._origin = at
        price = rates.prices[0]
        self.pieces.append(Piece(at, end, FLAT, period, key, day, 0, 1, price, rates, block))

    def _units(self, segment: Segment, at: int, period: PeriodPlan) -> int:
        """Charge units from `at` to the end of the segment; where the last of them ends."""
        _, end, _, key, day = segment
        split, session_clock, rolling = self._rules
        bound = end if split else self._exit
        clock_key = -1 if session_clock else key
        clock = self._clocks.get(clock_key, 0)
        unit_us = period.unit_us
        tail_from = self._tail_from
        last_start = min(end, tail_from)
        block = 0
        while at < end:
            if at >= tail_from:
                self.pieces.append(Piece(at, end, TAIL, period, key, day))
                return end
            rates, limit = self._rates(period, at)
            tier = bisect_right(rates.froms, clock) - 1 if clock else 0
            limit = min(limit, last_start, at + rates.untils[tier] - clock)
            if rolling:
                block, block_end = self._block(at)
                limit = min(limit, block_end)
            units = (limit - at + unit_us - 1) // unit_us
            stop = at + units * unit_us
            cut = stop > bound
            if cut and period.down:
                units -= 1
                stop -= unit_us
            elif cut:
                stop = bound
            if units:
                gross = units * rates.prices[tier]
                self.pieces.append(
                    Piece(at, stop, UNIT, period, key, day, tier, units, gross, rates, block)
                )
                if self._origin is None:
                    self._origin = at
            clock += stop - at
            at = stop
            if cut and at < bound:
                self.pieces.append(Piece(at, bound, DROPPED, period, key, day))
                at = bound
        self._clocks[clock_key] = clock
        return at

    def _rates(self, period: PeriodPlan, at: int) -> tuple[Rates, int]:
        """The rates in force for a period, and until when they are."""
        schedule = self._schedule
        if schedule is None:
            return self._by_period[period.index], NEVER
        place = bisect_right(schedule.starts, at)
        by_period = schedule.rates[place - 1] if place else self._by_period
        until = schedule.starts[place] if place < len(schedule.starts) else NEVER
        return by_period[period.index], until

    def _block(self, at: int) -> tuple[int, int]:
        """The 24 hours since the first charge that an instant falls in, and their end."""
        origin = at if self._origin is None else self._origin
        block = (at - origin) // DAY
        return block, origin + (block + 1) * DAY
