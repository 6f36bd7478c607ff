"""A stay, and the versions of a tariff that may price it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pricing.document import Entitlement, Tariff
from pricing.errors import (
    ExitBeforeEntryError,
    NaiveTimeError,
    StayTooLongError,
    TimeOutOfRangeError,
    UnknownEntitlementError,
    UnknownVehicleError,
)
from pricing.instants import DAY, instant_us

MAX_STAY_DAYS: Final = 366
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9990
FIRST_STAY: Final = "first_stay"


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay to price.

    Attributes:
        entry, exit: aware instants, any offset; half-open.
        vehicle: a class of the document's `vehicles`; ignored where it has none.
        granted: ids of entitlements, and `first_stay` for the first stay of the day at the lot.
    """

    entry: datetime
    exit: datetime
    vehicle: str | None = None
    granted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a tariff and the aware instant from which it is in force."""

    effective_at: datetime
    tariff: Tariff


def bounds(stay: Stay) -> tuple[int, int]:
    """Entry and exit in microseconds since 1970 UTC.

    Raises:
        PricingError: the subclass that says why they make no stay.
    """
    entry, leave = stay.entry, stay.exit
    if entry.tzinfo is None or leave.tzinfo is None:
        raise NaiveTimeError("entry and exit need an offset from UTC")
    if not (FIRST_YEAR <= entry.year <= LAST_YEAR and FIRST_YEAR <= leave.year <= LAST_YEAR):
        raise TimeOutOfRangeError(f"entry and exit must lie in {FIRST_YEAR} to {LAST_YEAR}")
    start, end = instant_us(entry), instant_us(leave)
    if end < start:
        raise ExitBeforeEntryError("the stay ends before it begins")
    if end - start > MAX_STAY_DAYS * DAY:
        raise StayTooLongError(f"the stay is longer than {MAX_STAY_DAYS} days")
    return start, end


def check_vehicle(tariff: Tariff, vehicle: str | None) -> None:
    """Raise UnknownVehicleError where `vehicles` does not name the class (Charging 7)."""
    if tariff.vehicles is not None and vehicle not in tariff.vehicles:
        raise UnknownVehicleError(f"vehicle {vehicle!r} is none of {', '.join(tariff.vehicles)}")


def entitlements_of(tariff: Tariff, granted: Sequence[str]) -> list[Entitlement]:
    """The entitlements granted, each once, in the document's order (Charging 4).

    Raises:
        UnknownEntitlementError: an id is neither the document's nor `first_stay`.
    """
    known = {each.id for each in tariff.entitlements}
    for name in granted:
        if name not in known and name != FIRST_STAY:
            raise UnknownEntitlementError(f"entitlement {name!r} is not one of this tariff")
    return [each for each in tariff.entitlements if each.id in granted]


def effective_us(version: Version) -> int:
    """When a version comes into force, in microseconds since 1970 UTC."""
    if version.effective_at.tzinfo is None:
        raise NaiveTimeError("effective_at needs an offset from UTC")
    return instant_us(version.effective_at)
