"""Pure pricing of stays: a tariff document and a stay in, an itemised quote out.

`docs/contract/tariff.md` fixes the document and what it charges; docstrings refer to its numbered
clauses. Amounts are integers in the smallest unit of the currency.

Other packages import from here, from `pricing.mechanism` and from `pricing.texts`.
"""

from pricing.charging.budget import steps_a_day
from pricing.charging.quoting import Pricer, Quote, fee_table, pricer, quote
from pricing.charging.stays import Stay, Version
from pricing.document import (
    Calendar,
    Period,
    Tariff,
    canonical_json,
    content_hash,
    faults_of,
    read_tariff,
)
from pricing.errors import (
    ExitBeforeEntryError,
    Fault,
    NaiveTimeError,
    PricingError,
    StayTooLongError,
    TariffFaultsError,
    TimeOutOfRangeError,
    TooMuchWorkError,
    UnknownEntitlementError,
    UnknownVehicleError,
)
from pricing.fields import DAY_KINDS
from pricing.lints.findings import Ceiling, Lint
from pricing.lints.linting import breaches, lint
from pricing.reading import cleaned, parsed
from pricing.texts.lines import Adjustment, Line

__all__ = [
    "DAY_KINDS",
    "Adjustment",
    "Calendar",
    "Ceiling",
    "ExitBeforeEntryError",
    "Fault",
    "Line",
    "Lint",
    "NaiveTimeError",
    "Period",
    "Pricer",
    "PricingError",
    "Quote",
    "Stay",
    "StayTooLongError",
    "Tariff",
    "TariffFaultsError",
    "TimeOutOfRangeError",
    "TooMuchWorkError",
    "UnknownEntitlementError",
    "UnknownVehicleError",
    "Version",
    "breaches",
    "canonical_json",
    "cleaned",
    "content_hash",
    "faults_of",
    "fee_table",
    "lint",
    "parsed",
    "pricer",
    "quote",
    "read_tariff",
    "steps_a_day",
]
