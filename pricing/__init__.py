"""Pure pricing of stays: a tariff document and a stay in, an itemised quote out.

The document and what it charges are fixed by the public contract of tariffs, to whose numbered
clauses the docstrings refer. Amounts are integers in the smallest unit of the currency.
"""

from pricing.document import Calendar, Tariff, faults_of, read_tariff
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
from pricing.findings import Ceiling, Lint
from pricing.hashing import canonical_json, content_hash
from pricing.lines import Adjustment, Line, Quote
from pricing.lints import breaches, lint
from pricing.quoting import Pricer, pricer, quote
from pricing.stays import Stay, Version
from pricing.table import fee_table

__all__ = [
    "Adjustment",
    "Calendar",
    "Ceiling",
    "ExitBeforeEntryError",
    "Fault",
    "Line",
    "Lint",
    "NaiveTimeError",
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
    "content_hash",
    "faults_of",
    "fee_table",
    "lint",
    "pricer",
    "quote",
    "read_tariff",
]
