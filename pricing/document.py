"""The tariff document (docs/contract/tariff.md, Fields) as a frozen model, and its hash.

Unknown fields are refused although the public format may grow: a misspelt `cap_minor` would change
fees in silence. What only describes (`name`, `note`, `description`, `source`) may stand anywhere.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    StrictBool,
    ValidationError,
    model_validator,
)

from pricing.coherence import combined, found_by_fields, incoherences
from pricing.errors import Fault, TariffFaultsError
from pricing.fields import (
    MAX_CAPS,
    MAX_DATES,
    MAX_ENTITLEMENTS,
    MAX_PERIODS,
    MAX_TIERS,
    MAX_VEHICLES,
    ClockTime,
    Currency,
    Days,
    Filled,
    IsoDate,
    Minor,
    NotEmpty,
    Number,
    Percentage,
    SeasonDay,
    Seconds,
    SignedMinor,
    SomeSeconds,
    Text,
    ZoneName,
)
from pricing.reading import cleaned, parsed


class Part(BaseModel, frozen=True, extra="forbid"):
    """Any part of a document: frozen, and without fields that it does not know."""


class Names(Part):
    """A name in Chinese and English."""

    zh: Text
    en: Text


class Described(Part):
    """A part that may carry descriptions, none of which changes a fee."""

    name: Names | None = None
    note: JsonValue = None
    description: JsonValue = None
    source: JsonValue = None


class Season(Part):
    """Days of the year, both ends included; `from` after `to` wraps the year."""

    from_: SeasonDay = Field(alias="from")
    to: SeasonDay


class Tier(Described):
    """The price of a unit from a reading of the tier clock on (seconds; minor units)."""

    from_s: Seconds
    price_minor: Minor


class Period(Described):
    """A charging period: when it governs, and what it charges (minor units, seconds)."""

    id: Text
    days: Days
    season: Season | None = None
    start: ClockTime
    end: ClockTime
    charge: Literal["unit", "flat", "free"]
    unit_s: SomeSeconds | None = None
    rounding: Literal["up", "down"] | None = None
    tiers: Annotated[tuple[Tier, ...], Field(max_length=MAX_TIERS), NotEmpty, Filled()] | None = (
        None
    )
    price_minor: Minor | None = None
    cap_minor: Minor | None = None


class Grace(Described):
    """Time that is let off (Charging 3)."""

    mode: Literal["none", "threshold", "deduct", "tail"]
    seconds: Seconds | None = None
    basis: Literal["stay", "chargeable"] | None = None
    first_stay_of_day: StrictBool = False


class Cap(Described):
    """The most that a group of units and flats charges (Charging 8)."""

    window: Literal["calendar_day", "rolling_24h", "session"]
    amount_minor: Minor


class Vehicle(Described):
    """What a class of vehicle changes (Charging 7)."""

    multiplier: Number = 1
    add_minor_per_unit: SignedMinor = 0
    cap_multiplier: Number = 1


class Entitlement(Described):
    """What a stay may be granted (Charging 4, 9). `quota` is the caller's to establish."""

    id: Text
    deduct_s: Seconds = 0
    percent_off: Percentage = 0
    combinable_with_grace: StrictBool = True
    quota: JsonValue = None


Dates = Annotated[tuple[IsoDate, ...], Field(max_length=MAX_DATES)]


class Calendar(Part):
    """Public holidays, and weekend days that are worked in lieu (调休)."""

    holidays: Dates = ()
    makeup_workdays: Dates = ()


class Tariff(Described):
    """One version of a tariff; every choice that changes a fee is required."""

    id: Text
    name: Names
    currency: Currency
    timezone: ZoneName
    periods: Annotated[tuple[Period, ...], Field(max_length=MAX_PERIODS), NotEmpty, Filled()]
    tier_clock: Literal["window", "session"]
    boundary: Literal["unit_start", "split"]
    grace: Grace
    version_policy: Literal["at_entry", "at_unit_start"]
    caps: Annotated[tuple[Cap, ...], Field(max_length=MAX_CAPS)] = ()
    vehicles: (
        Annotated[dict[Text, Vehicle], Field(max_length=MAX_VEHICLES), NotEmpty, Filled()] | None
    ) = None
    entitlements: Annotated[tuple[Entitlement, ...], Field(max_length=MAX_ENTITLEMENTS)] = ()
    calendar: Calendar | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Gather the faults of single fields and of fields together into one error."""
        found = incoherences(data) if isinstance(data, Mapping) else []
        try:
            tariff = handler(data)
        except ValidationError as error:
            raise combined(cls.__name__, found_by_fields(error) + found) from None
        if found:
            raise combined(cls.__name__, found)
        return tariff

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Where the pricer keeps what it derives from this document; no part of it."""
        return {}

    def document(self) -> dict[str, Any]:
        """The document as it was written: the fields that were given, in JSON's types."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Every fault of a failed validation, with its path in the document."""
    return tuple(each.fault for each in found_by_fields(error))


def read_tariff(document: Mapping[str, Any] | str | bytes) -> Tariff:
    """Read a tariff from JSON text or from parsed JSON.

    Raises:
        TariffFaultsError: with every fault of the document at once.
    """
    kept, faults = cleaned(parsed(document) if isinstance(document, str | bytes) else document)
    try:
        tariff = Tariff.model_validate(kept)
        if not faults:
            return tariff
    except ValidationError as error:
        known = {fault.path for fault in faults}
        faults += [fault for fault in faults_of(error) if fault.path not in known]
    raise TariffFaultsError(tuple(faults))


def canonical_json(document: Mapping[str, Any] | Tariff) -> bytes:
    """The document's canonical bytes: UTF-8, keys sorted, no spaces, no NaN."""
    plain = document if isinstance(document, Mapping) else document.document()
    return json.dumps(
        plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def content_hash(document: Mapping[str, Any] | Tariff) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(document)).hexdigest()
