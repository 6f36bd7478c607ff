"""What a look over a tariff finds, with what it is meant for."""

from datetime import date, datetime

import pricing
from parking_api.audit import Connection
from parking_api.price_controls import service as price_controls
from parking_api.price_controls.service import looked_over
from parking_api.quotes.prices import Prices
from parking_api.tariffs.models import AppliesTo

ON_STREET = "on_street"


async def findings(
    connection: Connection,
    prices: Prices,
    tariff: pricing.Tariff,
    target: AppliesTo | None,
    now: datetime,
) -> list[pricing.Lint]:
    """Look a tariff over, errors first.

    Args:
        connection: To the database.
        prices: The published tariffs: one for off-street lots is held against its zones' on-street
            one.
        tariff: The document.
        target: What it is meant for; the price control of that holds.
        now: Its year is looked at.
    """
    ceilings = []
    on_street = None
    if target is not None:
        ceilings = await price_controls.ceilings_of(connection, tariff, target, now)
        if ON_STREET not in target.lot_types:
            on_street = prices.tariff_of_zones(target.zones, ON_STREET, now)
    return await looked_over(
        pricing.lint,
        tariff,
        year=now.year,
        calendar=prices.calendar,
        ceilings=ceilings,
        on_street=on_street,
        # What a tariff's own calendar forgets, of the moon's holidays too.
        public_holidays=_holidays(prices.calendar, now.year),
    )


def _holidays(calendar: pricing.Calendar, year: int) -> list[date]:
    days = map(date.fromisoformat, calendar.holidays)
    return [day for day in days if day.year == year]
