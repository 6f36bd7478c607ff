"""The quick table (速算表): fee by length of stay."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pricing.charging.quoting import pricer
from pricing.charging.stays import Stay, Version
from pricing.document import Calendar, Tariff


def fee_table(
    tariff: Tariff,
    lengths_s: Sequence[int],
    entry: datetime,
    *,
    vehicle: str | None = None,
    granted: tuple[str, ...] = (),
    calendar: Calendar | None = None,
    versions: Sequence[Version] = (),
) -> tuple[tuple[int, int], ...]:
    """Fees of stays from one aware instant on.

    Args:
        tariff: the version in force at entry.
        lengths_s: elapsed seconds of each stay.
        entry: where every stay starts, an aware instant.
        vehicle: a class of the document's `vehicles`.
        granted: ids of entitlements, and `first_stay`.
        calendar: the city's, for a tariff without its own.
        versions: as in `quote`.

    Returns:
        (length in seconds, fee in the smallest unit) in the order of `lengths_s`.

    Raises:
        PricingError: a length is negative or over 366 days, or the class is unknown.
    """
    ready = pricer(tariff, calendar)
    # Elapsed time is added to an instant in UTC: on a local clock it would skip or repeat an hour.
    start = entry if entry.tzinfo is None else entry.astimezone(UTC)
    stays = (
        Stay(entry, start + timedelta(seconds=length), vehicle, granted) for length in lengths_s
    )
    fees = [ready.quote(stay, versions).total_minor for stay in stays]
    return tuple(zip(lengths_s, fees, strict=True))
