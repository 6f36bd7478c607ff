"""Two versions side by side: what differs, in words, and what it does to fees."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.models import Name
from parking_api.quotes.prices import ORDINARY
from parking_api.tariffs.models import BureauVersion, Change, Comparison, FeeChange
from pricing.texts import changes

LENGTHS_S: Final = (900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400)
# Local entries, both seasons, a workday and a weekend: month, day, hour.
ENTRIES: Final = ((1, 14, 8), (1, 14, 19), (1, 17, 10), (7, 15, 8), (7, 15, 19), (7, 18, 10))


def fees(
    before: pricing.Tariff, after: pricing.Tariff, year: int, calendar: pricing.Calendar
) -> list[FeeChange]:
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
            FeeChange(entry=entry, duration_s=length, before_minor=old, after_minor=new)
            for (length, old), (_, new) in zip(*tables, strict=True)
            if old != new
        ]
    return found


def _knows(tariff: pricing.Tariff, vehicle: str) -> bool:
    return tariff.vehicles is None or vehicle in tariff.vehicles


def comparison(
    before: BureauVersion, after: BureauVersion, now: datetime, calendar: pricing.Calendar
) -> Comparison:
    """Compare two versions of a tariff.

    Args:
        before: A version.
        after: Another.
        now: Its year is that of the fees.
        calendar: The city's.
    """
    found = [Change.model_validate(each) for each in changes(_content(before), _content(after))]
    return Comparison(
        tariff_id=after.tariff_id,
        before=before.version,
        after=after.version,
        changes=found,
        fees=fees(before.tariff, after.tariff, now.astimezone(UTC).year, calendar),
        text=Name(
            zh="\n".join(each.text.zh for each in found) or "两个版本内容相同。",
            en="\n".join(each.text.en for each in found) or "The versions say the same.",
        ),
    )


def _content(version: BureauVersion) -> dict[str, Any]:
    """The document, with what it applies to."""
    return {"applies_to": version.applies_to.model_dump(), **version.document}
