"""Lints of a tariff: what is valid, yet probably not meant or not allowed."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import product

from pricing.charging.budget import Budget
from pricing.document import Calendar, Tariff
from pricing.lints.coverage import of_coverage
from pricing.lints.findings import Ceiling, Lint, Look, classes, found
from pricing.lints.prices import of_control, of_prices
from pricing.texts import naming, words

LENGTHS_S = (1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400)
NIGHT_LENGTHS_S = (1800, 3600, 7200, 14_400)
ENTRY_HOURS = (0, 4, 8, 10, 14, 19, 22)
SAMPLE_DAYS = range(8, 15)
DAY_HOUR = 10
NIGHT_HOURS = (22, 1)


def lint(
    tariff: Tariff,
    *,
    year: int,
    calendar: Calendar | None = None,
    ceilings: Sequence[Ceiling] = (),
    on_street: Tariff | None = None,
    public_holidays: Collection[date] = (),
    budget: Budget | None = None,
) -> list[Lint]:
    """Look a tariff over.

    Args:
        tariff: a valid document.
        year: the year whose days are looked at (day types, seasons, holidays).
        calendar: the city's, for a tariff without its own.
        ceilings: of the price control.
        on_street: the on-street tariff of the same zone, where `tariff` is for off-street lots.
        public_holidays: dates that ought to be in the calendar; for CNY those with a fixed date
            are known.
        budget: how much work it may take; by default as much as anybody may ask for.

    Raises:
        TooMuchWorkError: the document is made up to take long.

    Returns:
        What was found, errors first.
    """
    look = Look(tariff, year, calendar, budget)
    lints = [*of_coverage(look, public_holidays), *of_prices(look, ceilings), *_night(look)]
    lints += _unnamed(tariff)
    if on_street is not None:
        lints += _off_street(look, Look(on_street, year, calendar, look.budget))
    return sorted(lints, key=lambda each: ("error", "warning", "info").index(each.severity))


def breaches(
    tariff: Tariff, ceiling: Ceiling, *, year: int, calendar: Calendar | None = None
) -> list[Lint]:
    """Hold a tariff against one price control, and look at nothing else; see `lint`."""
    return list(of_control(Look(tariff, year, calendar), ceiling))


def _unnamed(tariff: Tariff) -> Iterator[Lint]:
    """Classes of vehicles that no reader of a quote or a notice can tell from another."""
    for key, vehicle in (tariff.vehicles or {}).items():
        if vehicle.name is None and key not in naming.VEHICLES:
            yield found(
                "vehicle_without_name",
                f"vehicles.{key}",
                "Fields: vehicles",
                "info",
                vehicle=naming.vehicle(key, vehicle),
            )


def _night(look: Look) -> Iterator[Lint]:
    """Stays from 22:00 or 01:00 that cost more than those of the same length from 10:00.

    Weeks are compared, one of each month, since a single night may run into a dearer day; the money
    is of one stay.
    """
    worst = (0, 0, 0)
    weeks = [[date(look.year, month, day) for day in SAMPLE_DAYS] for month in range(1, 13)]
    for vehicle, week, length in product(classes(look.tariff), weeks, NIGHT_LENGTHS_S):
        by_day = [look.fee(look.local(day, DAY_HOUR * 60), length, vehicle) for day in week]
        for hour in NIGHT_HOURS:
            by_night = [look.fee(look.local(day, hour * 60), length, vehicle) for day in week]
            if sum(by_night) > sum(by_day):
                more = max(night - day for night, day in zip(by_night, by_day, strict=True))
                worst = max(worst, (more, length, hour))
    if worst[0] > 0:
        yield found(
            "night_dearer_than_day",
            "periods",
            "Fields: periods",
            "warning",
            worst[0],
            length=words.duration(worst[1]),
            night=worst[2],
            day=DAY_HOUR,
        )


def _off_street(look: Look, street: Look) -> Iterator[Lint]:
    """Off-street dearer than on-street, over a grid of entries and lengths."""
    if look.tariff.currency != street.tariff.currency:
        return
    worst: tuple[int, int, datetime] | None = None
    times = tried = 0
    days = sorted({*look.dates, *street.dates})
    for vehicle, day, hour, length in product(
        _shared(look.tariff, street.tariff), days, ENTRY_HOURS, LENGTHS_S
    ):
        tried += 1
        entry = look.local(day, hour * 60)
        more = look.fee(entry, length, vehicle) - street.fee(entry, length, vehicle)
        if more > 0:
            times += 1
            worst = max(worst or (0, 0, entry), (more, length, entry))
    if worst is not None:
        yield found(
            "off_street_dearer",
            "periods",
            "Fields: periods",
            "warning",
            worst[0],
            tried=tried,
            times=times,
            length=words.duration(worst[1]),
            at=f"{worst[2]:%m-%d %H:%M}",
        )


def _shared(off: Tariff, street: Tariff) -> Sequence[str | None]:
    """The classes that both price; a document without classes prices every one."""
    if off.vehicles is None:
        return classes(street)
    return [each for each in off.vehicles if street.vehicles is None or each in street.vehicles]
