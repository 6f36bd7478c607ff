"""A lint, a price control's limits, and the tariff that lints look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pricing.charging.budget import Budget, steps_a_day
from pricing.charging.periods import Segment
from pricing.charging.quoting import Pricer
from pricing.charging.stays import Stay
from pricing.charging.timeline import Timeline
from pricing.document import Calendar, Tariff
from pricing.fields import exact
from pricing.instants import DAY, SECOND, instant_us
from pricing.texts.lints import LINTS

WEEK: Final = 7 * DAY


Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Lint:
    """Something in a valid tariff that is probably not meant, or not allowed.

    Attributes:
        code: a stable word for programs.
        path: where in the document, as `periods[2].tiers[1]`; empty for the whole.
        clause: the contract's clause that makes it matter, or the control's reference.
        severity: `error` where a rule is broken, `warning`, or `info`.
        zh, en: a sentence.
        money_minor: what is at stake in one stay, smallest units; None where not computable.
    """

    code: str
    path: str
    clause: str
    severity: Severity
    zh: str
    en: str
    money_minor: int | None = None


def found(
    code: str,
    path: str,
    clause: str,
    severity: Severity,
    money: int | None = None,
    **values: object,
) -> Lint:
    """A lint, in the words for its code with the `values` filled in."""
    zh, en = LINTS[code].filled(**values)
    return Lint(code, path, clause, severity, zh, en, money)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Limits of a price control, smallest units; None where it sets none.

    Attributes:
        reference: the legal text, as people cite it.
        hour_minor: the most that an hour may cost, by the rate of each tier.
        day_minor: the most that 24 hours from midnight or the opening of a period, or one flat,
            may cost.
        floor_hour_minor: the least that an hour may cost, by the rate of each tier.
        vehicle: the class that it holds for; None for every class.
    """

    reference: str
    hour_minor: int | None = None
    day_minor: int | None = None
    floor_hour_minor: int | None = None
    vehicle: str | None = None


class Look:
    """A tariff and the year it is looked at in."""

    def __init__(
        self,
        tariff: Tariff,
        year: int,
        calendar: Calendar | None,
        budget: Budget | None = None,
    ) -> None:
        self.tariff = tariff
        self.budget = budget or Budget()
        self._steps_a_day = steps_a_day(tariff)
        # To lay out some days.
        self.budget.spend(5 * len(tariff.periods))
        self.year = year
        self.calendar = tariff.calendar or calendar
        self.pricer = Pricer(tariff, calendar)
        # In UTC every day has 24 hours, so that no clock change looks like a gap.
        self.plain_timeline = Timeline(tariff.model_copy(update={"timezone": "UTC"}), self.calendar)

    @cached_property
    def segments(self) -> list[Segment]:
        """What governs from a week before the year to a week after it, laid out in UTC."""
        start, end = self.bounds
        return self.plain_timeline.between(start - WEEK, end + WEEK)

    @property
    def bounds(self) -> tuple[int, int]:
        """The year's first instant and the next one's, as if in UTC."""
        start, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (self.year, self.year + 1))
        return instant_us(start), instant_us(end)

    @cached_property
    def dates(self) -> tuple[date, ...]:
        """One date for each pattern of windows on a date, the one before and the one after it.

        So every day type and season, and every change from one to another, is among them.
        """
        first = date(self.year, 1, 1).toordinal()
        last = date(self.year, 12, 31).toordinal()
        started = {
            day: tuple(window.place for window in self.plain_timeline.starting(day))
            for day in range(first - 1, last + 2)
        }
        found: dict[tuple[tuple[int, ...], ...], date] = {}
        for day in range(first, last + 1):
            pattern = started[day - 1], started[day], started[day + 1]
            found.setdefault(pattern, date.fromordinal(day))
        return tuple(found.values())

    def fee(self, start: datetime, length_s: int, vehicle: str | None) -> int:
        """The fee of a stay that was granted nothing.

        Raises:
            TooMuchWorkError: the look's budget is spent.
        """
        self.budget.spend(5 + self._steps_a_day * length_s * SECOND // DAY)
        stay = Stay(start, start.astimezone(UTC) + timedelta(seconds=length_s), vehicle)
        return self.pricer.fee(stay)

    def difference(self, start: datetime, length_s: int, update: Mapping[str, Any]) -> int:
        """How much a stay of the first class would differ, were these fields of the tariff others.

        Raises:
            TooMuchWorkError: the look's budget is spent.
        """
        changed = self.tariff.model_copy(update=update)
        other = Look(changed, self.year, self.calendar, self.budget)
        vehicle = classes(self.tariff)[0]
        return abs(self.fee(start, length_s, vehicle) - other.fee(start, length_s, vehicle))

    def local(self, day: date, minutes: int) -> datetime:
        """The local time so many minutes after midnight."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.tariff.timezone))
        return midnight + timedelta(minutes=minutes)


def classes(tariff: Tariff, wanted: str | None = None) -> Sequence[str | None]:
    """The vehicle classes to look at: all of the document's, or the one wanted."""
    if tariff.vehicles is None:
        return (None,)
    return tuple(name for name in tariff.vehicles if wanted in (None, name))


def unit_price(tariff: Tariff, vehicle: str | None, listed: int, *, flat: bool) -> float:
    """A listed price for a class (Charging 7); for comparisons only, hence no exact fraction."""
    if tariff.vehicles is None or vehicle is None:
        return listed
    given = tariff.vehicles[vehicle]
    return float(listed * exact(given.multiplier)) + (0 if flat else given.add_minor_per_unit)


def cap_amount(tariff: Tariff, vehicle: str | None, listed: int) -> float:
    """A listed cap for a class of vehicles."""
    if tariff.vehicles is None or vehicle is None:
        return listed
    return float(listed * exact(tariff.vehicles[vehicle].cap_multiplier))
