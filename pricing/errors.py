"""What can be wrong with a question put to the pricer; each message says it to the asker."""

from dataclasses import dataclass


class PricingError(ValueError):
    """The base of everything that the pricer refuses."""


class NaiveTimeError(PricingError):
    """An instant without an offset: it does not say when."""


class ExitBeforeEntryError(PricingError):
    """The stay ends before it begins (contract, Charging 1)."""


class StayTooLongError(PricingError):
    """The stay is longer than 366 days of 24 hours."""


class TooMuchWorkError(PricingError):
    """The answer would take more steps of work than anybody may ask for."""


class TimeOutOfRangeError(PricingError):
    """The stay lies outside the years 1900 to 9990, for which days can be laid out."""


class UnknownVehicleError(PricingError):
    """The document has `vehicles`, and this class is not among them (Charging 7)."""


class UnknownEntitlementError(PricingError):
    """An entitlement was granted that the document does not know (Charging 4)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document.

    Attributes:
        path: where, as `periods[2].tiers[0].from_s`; empty for the document as a whole.
        code: a stable word for programs.
        message: a sentence for people.
    """

    path: str
    code: str
    message: str


class TariffFaultsError(PricingError):
    """A document cannot be a tariff; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        listed = "; ".join(f"{fault.path or 'document'}: {fault.message}" for fault in faults)
        super().__init__(listed)
