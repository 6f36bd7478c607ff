"""The tariff that prices what a price mechanism moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pricing
from parking_api.mechanisms import queries
from parking_api.mechanisms.errors import MechanismUnfitError
from parking_api.mechanisms.queries import PricedType
from parking_api.price_controls import service as price_controls
from parking_api.quotes.prices import ORDINARY
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import AppliesTo
from pricing.mechanism import BandPeriod, Mechanism, PriceState, fit, price_states
from pricing.mechanism import MechanismUnfitError as Unfit
from sql.engine import Db


@dataclass(frozen=True)
class InForce:
    """What is in force for a mechanism's zone and lot types.

    Attributes:
        key: The tariff version.
        tariff: What it says.
        document: The same, as it was drafted.
        periods: Which of its periods is which time band.
        states: The price of each time band, and when and which way it changed last.
    """

    key: Key
    tariff: pricing.Tariff
    document: dict[str, Any]
    periods: tuple[BandPeriod, ...]
    states: tuple[PriceState, ...]


def target_of(mechanism: Mechanism) -> AppliesTo:
    """What a mechanism moves the prices of."""
    return AppliesTo(zones=(mechanism.zone_id,), lot_types=tuple(sorted(set(mechanism.lot_types))))


async def in_force(db: Db, mechanism: Mechanism, at: datetime) -> InForce:
    """Read what is in force at `at`.

    Raises:
        MechanismUnfitError: There is no tariff, or not one for all and for nothing else, or its
            periods are not the mechanism's time bands.
    """
    target = target_of(mechanism)
    priced = await queries.tariffs(db, mechanism.zone_id, target.lot_types, at)
    now = _one_version([each for each in priced if each.in_force], target)
    # Of all lot types alike, or they would not share a version; before that the first one's.
    history = [
        (each.starts_at, each.tariff) for each in priced if each.lot_type == target.lot_types[0]
    ]
    tariff = history[-1][1]
    try:
        periods = fit(mechanism, tariff)
    except Unfit as error:
        raise MechanismUnfitError(*((each.path, each.message) for each in error.faults)) from error
    states = price_states(mechanism, history)
    return InForce(Key(now.tariff_id, now.version), tariff, now.document, periods, states)


def _one_version(priced: Sequence[PricedType], target: AppliesTo) -> PricedType:
    versions = {(each.tariff_id, each.version) for each in priced}
    if missing := sorted(set(target.lot_types) - {each.lot_type for each in priced}):
        raise _unfit(f"no tariff of zone {target.zones[0]} is in force for {', '.join(missing)}")
    if len(versions) > 1:
        each_one = ", ".join(f"version {number} of {name}" for name, number in sorted(versions))
        raise _unfit(f"they are priced by several tariffs, each of which moves alone: {each_one}")
    now = priced[0]
    if (now.zones, sorted(now.lot_types)) != (list(target.zones), list(target.lot_types)):
        raise _unfit(
            f"version {now.version} of {now.tariff_id} prices others too, whose prices "
            "would move as well: give this zone and these lot types a tariff of their own"
        )
    return now


def _unfit(message: str) -> MechanismUnfitError:
    return MechanismUnfitError(("lot_types", message))


async def check_limits(db: Db, mechanism: Mechanism, at: datetime) -> None:
    """Hold a draft's limits against the price control, where there is a tariff to move yet.

    Raises:
        MechanismUnfitError: Its ceiling lies above, or its floor below, what the law allows.
    """
    lot_types = target_of(mechanism).lot_types
    priced = await queries.tariffs(db, mechanism.zone_id, lot_types, at)
    for currency in sorted({each.document["currency"] for each in priced if each.in_force}):
        await check_control(db, mechanism, currency, at)


async def check_control(db: Db, mechanism: Mechanism, currency: str, at: datetime) -> None:
    """Hold a mechanism's limits against the price controls in force and to come.

    Raises:
        MechanismUnfitError: Its ceiling lies above, or its floor below, what the law allows.
    """
    faults = []
    for row in await price_controls.applying(db, target_of(mechanism), at, None):
        if row.currency != currency or row.vehicle not in (None, ORDINARY):
            continue
        low, high = row.least_minor, row.most_minor
        law = f"{row.legal_reference.zh} {row.citation}"
        if high is not None and mechanism.ceiling_minor > high:
            faults.append(("ceiling_minor", f"at most {high} an hour: {law}"))
        if low is not None and mechanism.floor_minor < low:
            faults.append(("floor_minor", f"at least {low} an hour: {law}"))
    if faults:
        raise MechanismUnfitError(*faults)
