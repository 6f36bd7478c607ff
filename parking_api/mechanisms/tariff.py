"""The tariff that prices what a price mechanism moves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pricing
from parking_api.audit import Connection
from parking_api.errors import ParameterFault
from parking_api.mechanisms.errors import MechanismUnfitError
from parking_api.models import Json, Row
from parking_api.price_controls import service as price_controls
from parking_api.quotes.prices import ORDINARY
from parking_api.tariffs.models import AppliesTo
from parking_api.tariffs.queries import Key
from pricing.mechanism import BandPeriod, Mechanism, PriceState, fit, price_states
from pricing.mechanism import MechanismUnfitError as Unfit
from sql.named import named


@dataclass(frozen=True)
class Standing:
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
    document: Json
    periods: tuple[BandPeriod, ...]
    states: tuple[PriceState, ...]


def target_of(mechanism: Mechanism) -> AppliesTo:
    """What a mechanism moves the prices of."""
    return AppliesTo(zones=(mechanism.zone_id,), lot_types=tuple(sorted(set(mechanism.lot_types))))


async def standing(connection: Connection, mechanism: Mechanism, at: datetime) -> Standing:
    """Read what is in force at `at`.

    Raises:
        MechanismUnfitError: There is no tariff, or not one for all and for nothing else, or its
            periods are not the mechanism's time bands.
    """
    target = target_of(mechanism)
    rows = await connection.fetch(
        named("mechanism_tariffs"), mechanism.zone_id, list(target.lot_types), at
    )
    now = _one_version([row for row in rows if row["in_force"]], target)
    # Of all lot types alike, or they would not share a version; before that the first one's.
    history = [
        (row["starts_at"], pricing.read_tariff(row["document_text"]))
        for row in rows
        if row["lot_type"] == target.lot_types[0]
    ]
    tariff = history[-1][1]
    try:
        periods = fit(mechanism, tariff)
    except Unfit as error:
        raise MechanismUnfitError(
            [
                ParameterFault(parameter=f"mechanism.{f.path}", message=f.message)
                for f in error.faults
            ]
        ) from error
    return Standing(
        Key(now["tariff_id"], now["version"]),
        tariff,
        json.loads(now["document_text"]),
        periods,
        price_states(mechanism, history),
    )


def _one_version(rows: Sequence[Row], target: AppliesTo) -> Row:
    priced = {row["lot_type"] for row in rows}
    versions = {(row["tariff_id"], row["version"]) for row in rows}
    if missing := sorted(set(target.lot_types) - priced):
        raise _unfit(f"no tariff of zone {target.zones[0]} is in force for {', '.join(missing)}")
    if len(versions) > 1:
        named_ones = ", ".join(f"version {number} of {name}" for name, number in sorted(versions))
        raise _unfit(f"they are priced by several tariffs, each of which moves alone: {named_ones}")
    row = rows[0]
    if (list(row["zones"]), sorted(row["lot_types"])) != (
        list(target.zones),
        list(target.lot_types),
    ):
        raise _unfit(
            f"version {row['version']} of {row['tariff_id']} prices others too, whose prices "
            "would move as well: give this zone and these lot types a tariff of their own"
        )
    return row


def _unfit(message: str) -> MechanismUnfitError:
    return MechanismUnfitError([ParameterFault(parameter="mechanism.lot_types", message=message)])


async def check_limits(connection: Connection, mechanism: Mechanism, at: datetime) -> None:
    """Hold a draft's limits against the price control, where there is a tariff to move yet.

    Raises:
        MechanismUnfitError: Its ceiling lies above, or its floor below, what the law allows.
    """
    target = target_of(mechanism)
    rows = await connection.fetch(
        named("mechanism_tariffs"), mechanism.zone_id, list(target.lot_types), at
    )
    documents = (json.loads(row["document_text"]) for row in rows if row["in_force"])
    for currency in sorted({each["currency"] for each in documents}):
        await check_control(connection, mechanism, currency, at)


async def check_control(
    connection: Connection, mechanism: Mechanism, currency: str, at: datetime
) -> None:
    """Hold a mechanism's limits against the price controls in force and to come.

    Raises:
        MechanismUnfitError: Its ceiling lies above, or its floor below, what the law allows.
    """
    faults = []
    for row in await price_controls.applying(connection, target_of(mechanism), at, None):
        if row["currency"] != currency or row["vehicle"] not in (None, ORDINARY):
            continue
        low, high = price_controls.limits(row)
        law = f"{row['legal_reference_zh']} {price_controls.which(row)}"
        if high is not None and mechanism.ceiling_minor > high:
            faults.append(("ceiling_minor", f"at most {high} an hour: {law}"))
        if low is not None and mechanism.floor_minor < low:
            faults.append(("floor_minor", f"at least {low} an hour: {law}"))
    if faults:
        raise MechanismUnfitError(
            [ParameterFault(parameter=f"mechanism.{name}", message=said) for name, said in faults]
        )
