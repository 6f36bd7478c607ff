"""A tariff and a stay in, a quote out (docs/contract/tariff.md, Charging)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from pricing.charging.caps import capped
from pricing.charging.clock import Clock, Piece, Rules, Schedule
from pricing.charging.itemising import exact_lines, reduced, rounded, whole_lines
from pricing.charging.periods import FREE, NEVER, Segment
from pricing.charging.rates import VehicleRates
from pricing.charging.stays import (
    FIRST_STAY,
    Stay,
    Version,
    bounds,
    check_vehicle,
    effective_us,
    entitlements_of,
)
from pricing.charging.timeline import Timeline
from pricing.document import Calendar, Entitlement, Tariff
from pricing.fields import exact
from pricing.instants import SECOND
from pricing.texts.lines import Line


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a stay: smallest units of the currency, and how they came about."""

    total_minor: int
    currency: str
    tariff_id: str
    lines: tuple[Line, ...]

    def as_dict(self) -> dict[str, Any]:
        """The quote in JSON's types, with the sentence of each line."""
        return {
            "total_minor": self.total_minor,
            "currency": self.currency,
            "tariff_id": self.tariff_id,
            "lines": [line.as_dict() for line in self.lines],
        }


class Pricer:
    """A tariff made ready for many quotes, under one calendar for days.

    It keeps the layout of days and the rates of vehicles that it has met. Safe to share between
    threads: what two of them derive at once is equal.
    """

    __slots__ = ("_graced", "_rates", "_rules", "calendar", "tariff", "timeline")

    def __init__(self, tariff: Tariff, calendar: Calendar | None = None) -> None:
        self.tariff = tariff
        self.calendar = calendar
        self.timeline = Timeline(tariff, tariff.calendar or calendar)
        self._rules = Rules(
            split=tariff.boundary == "split",
            session_clock=tariff.tier_clock == "session",
            rolling=any(cap.window == "rolling_24h" for cap in tariff.caps),
        )
        self._graced = tariff.grace.mode != "none"
        self._rates: dict[str | None, VehicleRates] = {}

    def quote(self, stay: Stay, versions: Sequence[Version] = ()) -> Quote:
        """The quote of a stay; see `quote`."""
        pieces, amounts, rates, granted = self._charged(stay, versions)
        currency = self.tariff.currency
        percentages = [each for each in granted if exact(each.percent_off)]
        if (rates.denominator == 1 and not percentages) or not pieces:
            lines = whole_lines(pieces, amounts, rates, currency)
            return Quote(sum(amounts), currency, self.tariff.id, lines)
        lines = exact_lines(pieces, amounts, rates, currency, percentages)
        return Quote(sum(line.amount_minor for line in lines), currency, self.tariff.id, lines)

    def fee(self, stay: Stay, versions: Sequence[Version] = ()) -> int:
        """The quote's total alone, sooner: no lines are made."""
        _, amounts, rates, granted = self._charged(stay, versions)
        if rates.denominator == 1 and not granted:
            return sum(amounts)
        return rounded(reduced(Fraction(sum(amounts), rates.denominator), granted))

    def _charged(
        self, stay: Stay, versions: Sequence[Version]
    ) -> tuple[Sequence[Piece], Sequence[int], VehicleRates, Sequence[Entitlement]]:
        """The pieces of a stay, what each charges at which rates, and what the stay was granted."""
        start, end = bounds(stay)
        rates = self._rates_of(stay.vehicle)
        granted = entitlements_of(self.tariff, stay.granted) if stay.granted else []
        if start == end:
            return (), (), rates, granted
        segments = self.timeline.between(start, end)
        schedule = None
        if versions and self.tariff.version_policy == "at_unit_start":
            schedule = _schedule(versions, start, end, rates)
        deductions: list[tuple[str | None, int]] = []
        tail_from = NEVER
        let_off = False
        if self._graced and self._has_grace(stay, granted):
            grace = self.tariff.grace
            length = (grace.seconds or 0) * SECOND
            if grace.mode == "tail":
                tail_from = end - length
            elif grace.mode == "deduct":
                deductions.append((None, length))
            else:
                let_off = _measured(segments, all_time=grace.basis == "stay") <= length
        deductions += [(each.id, each.deduct_s * SECOND) for each in granted]
        clock = Clock(segments, rates.by_period, self._rules, tail_from, schedule)
        pieces = clock.let_off() if let_off else clock.run([each for each in deductions if each[1]])
        return pieces, capped(pieces, rates), rates, granted

    def _rates_of(self, vehicle: str | None) -> VehicleRates:
        if self.tariff.vehicles is None:
            vehicle = None
        rates = self._rates.get(vehicle)
        if rates is None:
            check_vehicle(self.tariff, vehicle)
            rates = VehicleRates(self.tariff, vehicle, self.timeline.periods)
            self._rates[vehicle] = rates
        return rates

    def _has_grace(self, stay: Stay, granted: Sequence[Entitlement]) -> bool:
        if self.tariff.grace.first_stay_of_day and FIRST_STAY not in stay.granted:
            return False
        return all(each.combinable_with_grace for each in granted)


def quote(
    tariff: Tariff,
    stay: Stay,
    *,
    calendar: Calendar | None = None,
    versions: Sequence[Version] | None = None,
) -> Quote:
    """Price a stay.

    Args:
        tariff: the version in force at entry.
        stay: entry, exit, vehicle and what the stay was granted.
        calendar: the city's, for a tariff without its own. With neither there are no holidays.
        versions: other versions and when each comes into force, in any order; those in force
            before or at entry are ignored, since `tariff` is the one at entry. They matter only
            with `version_policy` `at_unit_start`.

    Raises:
        PricingError: the subclass that says what is wrong with the stay.
    """
    return pricer(tariff, calendar).quote(stay, versions or ())


def pricer(tariff: Tariff, calendar: Calendar | None = None) -> Pricer:
    """The pricer of a tariff, kept with the document as long as the calendar is equal."""
    kept: Pricer | None = tariff.memo.get("pricer")
    if (
        kept is None
        or kept.tariff is not tariff
        or not (kept.calendar is calendar or kept.calendar == calendar)
    ):
        # A copy of a document shares its memo, hence the look at whose pricer it is.
        kept = Pricer(tariff, calendar)
        tariff.memo["pricer"] = kept
    return kept


def fee_table(
    tariff: Tariff,
    lengths_s: Sequence[int],
    entry: datetime,
    *,
    vehicle: str | None = None,
    calendar: Calendar | None = None,
) -> tuple[tuple[int, int], ...]:
    """Fees of stays from one aware instant on.

    Args:
        tariff: the version in force at entry.
        lengths_s: elapsed seconds of each stay.
        entry: where every stay starts, an aware instant.
        vehicle: a class of the document's `vehicles`.
        calendar: the city's, for a tariff without its own.

    Returns:
        (length in seconds, fee in the smallest unit) in the order of `lengths_s`.

    Raises:
        PricingError: a length is negative or over 366 days, or the class is unknown.
    """
    # Elapsed time is added to an instant in UTC: on a local clock it would skip or repeat an hour.
    start = entry if entry.tzinfo is None else entry.astimezone(UTC)
    stays = [Stay(entry, start + timedelta(seconds=length), vehicle) for length in lengths_s]
    fees = [pricer(tariff, calendar).quote(stay).total_minor for stay in stays]
    return tuple(zip(lengths_s, fees, strict=True))


def _measured(segments: Sequence[Segment], *, all_time: bool) -> int:
    if all_time:
        return segments[-1].end - segments[0].start
    return sum(
        each.end - each.start for each in segments if each.period and each.period.kind != FREE
    )


def _schedule(
    versions: Sequence[Version], start: int, end: int, rates: VehicleRates
) -> Schedule | None:
    """The versions that come into force within the stay."""
    timed = sorted(((effective_us(each), each) for each in versions), key=lambda pair: pair[0])
    later = [(at, each) for at, each in timed if start < at < end]
    if not later:
        return None
    return Schedule(
        tuple(at for at, _ in later),
        tuple(rates.of_version(each.tariff) for _, each in later),
    )
