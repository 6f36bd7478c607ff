"""Two versions side by side: what differs, in words, and what it does to fees."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.models import Json, Row
from parking_api.quotes.prices import ORDINARY
from parking_api.tariffs.queries import document_of, tariff_of
from pricing.texts import changes

LENGTHS_S: Final = (900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400)
# Local entries, both seasons, a workday and a weekend: month, day, hour.
ENTRIES: Final = ((1, 14, 8), (1, 14, 19), (1, 17, 10), (7, 15, 8), (7, 15, 19), (7, 18, 10))


def fees(
    before: pricing.Tariff, after: pricing.Tariff, year: int, calendar: pricing.Calendar
) -> list[Json]:
    """List the stays, of a grid over seasons and lengths, whose fees differ.

    They are of the class that most people drive, else of the first that both versions know; where
    they share none, no stay can be compared.
    """
    names = {*(before.vehicles or {}), *(after.vehicles or {})}
    known = [
        each for each in (ORDINARY, *sorted(names)) if _knows(before, each) and _knows(after, each)
    ]
    if not known:
        return []
    zone = ZoneInfo(after.timezone)
    found = []
    for month, day, hour in ENTRIES:
        entry = datetime(year, month, day, hour, tzinfo=zone)
        tables = [
            pricing.fee_table(each, LENGTHS_S, entry, vehicle=known[0], calendar=calendar)
            for each in (before, after)
        ]
        found += [
            {"entry": entry, "duration_s": length, "before_minor": old, "after_minor": new}
            for (length, old), (_, new) in zip(*tables, strict=True)
            if old != new
        ]
    return found


def _knows(tariff: pricing.Tariff, vehicle: str) -> bool:
    return tariff.vehicles is None or vehicle in tariff.vehicles


def comparison(before: Row, after: Row, now: datetime, calendar: pricing.Calendar) -> Json:
    """Make the answer that compares two versions of a tariff.

    Args:
        before: A row of `tariff_versions.sql`.
        after: Another.
        now: Its year is that of the fees.
        calendar: The city's.
    """
    found = changes(_whole(before), _whole(after))
    tariffs = tariff_of(before), tariff_of(after)
    return {
        "tariff_id": after["tariff_id"],
        "before": before["version"],
        "after": after["version"],
        "changes": found,
        "fees": fees(*tariffs, now.astimezone(UTC).year, calendar),
        "text": {
            language: "\n".join(each["text"][language] for each in found)
            or ("两个版本内容相同。" if language == "zh" else "The versions say the same.")
            for language in ("zh", "en")
        },
    }


def _whole(row: Row) -> Json:
    """The document, with what it applies to."""
    target = {name: row[name] for name in ("zones", "lot_types", "lots")}
    return {"applies_to": target, **document_of(row)}
