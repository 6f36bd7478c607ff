"""What a lint says, and what all lints look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pricing.document import Calendar, Tariff
from pricing.fields import exact
from pricing.quoting import Pricer
from pricing.stays import Stay


@dataclass(frozen=True, slots=True)
class Lint:
    """Something in a valid tariff that is probably not meant, or not allowed.

    Attributes:
        code: a stable word for programs.
        path: where in the document, as `periods[2].tiers[1]`; empty for the whole.
        clause: the clause of the contract that makes it matter, or the control's reference.
        severity: `error` where a rule is broken, `warning`, or `info`.
        zh, en: a sentence.
        money_minor: what is at stake in one stay, smallest units; None where not computable.
    """

    code: str
    path: str
    clause: str
    severity: Literal["error", "warning", "info"]
    zh: str
    en: str
    money_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Limits of a price control, smallest units; None where it sets none.

    Attributes:
        reference: the legal text, as people cite it.
        hour_minor: the most that an hour may cost, by the rate of each tier.
        day_minor: the most that any 24 hours, or one flat, may cost.
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

    __slots__ = ("calendar", "pricer", "tariff", "year")

    def __init__(self, tariff: Tariff, year: int, calendar: Calendar | None) -> None:
        self.tariff = tariff
        self.year = year
        self.calendar = tariff.calendar or calendar
        self.pricer = Pricer(tariff, calendar)

    def fee(self, start: datetime, length_s: int, vehicle: str | None) -> int:
        """The fee of a stay that was granted nothing."""
        stay = Stay(start, start.astimezone(UTC) + timedelta(seconds=length_s), vehicle)
        return self.pricer.quote(stay).total_minor

    def local(self, month: int, day: int, hour: int) -> datetime:
        """A local hour of the year."""
        return datetime(self.year, month, day, hour, tzinfo=ZoneInfo(self.tariff.timezone))


def classes(tariff: Tariff, wanted: str | None = None) -> Sequence[str | None]:
    """The vehicle classes to look at: all of the document's, or the one wanted."""
    if tariff.vehicles is None:
        return (None,)
    return tuple(name for name in tariff.vehicles if wanted in (None, name))


def unit_price(tariff: Tariff, vehicle: str | None, listed: int, *, flat: bool) -> float:
    """A listed price for a class (Charging 7); for comparisons only, hence no exact fraction."""
    if tariff.vehicles is None or vehicle is None:
        return listed
    held = tariff.vehicles[vehicle]
    return float(listed * exact(held.multiplier)) + (0 if flat else held.add_minor_per_unit)


def cap_amount(tariff: Tariff, vehicle: str | None, listed: int) -> float:
    """A listed cap for a class of vehicles."""
    if tariff.vehicles is None or vehicle is None:
        return listed
    return float(listed * exact(tariff.vehicles[vehicle].cap_multiplier))
