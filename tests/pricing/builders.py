"""Small tariffs for tests: each says only what it is about."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pricing import Calendar, Quote, Stay, Tariff, Version, quote, read_tariff

Document = dict[str, Any]


def unit_period(
    name: str = "all",
    start: str = "00:00",
    end: str = "24:00",
    *,
    price: int = 100,
    **more: Any,
) -> Document:
    """A period by the unit with one tier."""
    made: Document = {"id": name, "days": "all", "start": start, "end": end, "charge": "unit"}
    made |= {"unit_s": 3600, "rounding": "up"}
    return made | {"tiers": [{"from_s": 0, "price_minor": price}]} | more


def flat_period(name: str, start: str, end: str, price: int, **more: Any) -> Document:
    """A period charged once a window."""
    made: Document = {"id": name, "days": "all", "start": start, "end": end, "charge": "flat"}
    return made | {"price_minor": price} | more


def free_period(name: str, start: str, end: str, **more: Any) -> Document:
    """A free period."""
    made: Document = {"id": name, "days": "all", "start": start, "end": end, "charge": "free"}
    return made | more


def document(*periods: Document, **more: Any) -> Document:
    """A tariff with the plainest of every choice, but for what is given."""
    return {
        "id": "test",
        "name": {"zh": "试", "en": "Test"},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": list(periods),
        "tier_clock": "window",
        "boundary": "unit_start",
        "grace": {"mode": "none"},
        "version_policy": "at_entry",
    } | more


def tariff(*periods: Document, **more: Any) -> Tariff:
    """The same, read."""
    return read_tariff(document(*periods, **more))


def stay_in(
    priced: Tariff,
    entry: str,
    leave: str,
    *granted: str,
    vehicle: str | None = None,
) -> Stay:
    """A stay by local wall clock; an offset in the text says which pass of a repeated hour."""
    zone = ZoneInfo(priced.timezone)
    times = [datetime.fromisoformat(text) for text in (entry, leave)]
    first, last = (at if at.tzinfo else at.replace(tzinfo=zone) for at in times)
    return Stay(first, last, vehicle, granted)


def priced(
    held: Tariff,
    entry: str,
    leave: str,
    *granted: str,
    vehicle: str | None = None,
    calendar: Calendar | None = None,
    versions: tuple[Version, ...] = (),
) -> Quote:
    """The quote of such a stay."""
    stay = stay_in(held, entry, leave, *granted, vehicle=vehicle)
    return quote(held, stay, calendar=calendar, versions=versions)


def fee(held: Tariff, entry: str, leave: str, *granted: str, **more: Any) -> int:
    """Its total."""
    return priced(held, entry, leave, *granted, **more).total_minor
