"""What can be wrong with a document or a stay; each message is written for the caller."""

from dataclasses import dataclass
from typing import Final, NamedTuple

Location = tuple[int | str, ...]

# How validation says that a name, not what stands under it, is at fault.
KEY_ITSELF: Final = "[key]"


class PricingError(ValueError):
    """The base of everything that the pricer refuses."""


class NaiveTimeError(PricingError):
    """An instant without an offset: it does not say when."""


class ExitBeforeEntryError(PricingError):
    """The stay ends before it begins (docs/contract/tariff.md, Charging 1)."""


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


class Found(NamedTuple):
    """A fault whose place is not yet written as a path."""

    location: Location
    code: str
    message: str

    @property
    def fault(self) -> Fault:
        """The fault with its path: ("periods", 2, "id") is `periods[2].id`."""
        path = "".join(map(_step_text, self.location)).removeprefix(".")
        return Fault(path, self.code, self.message)


class TariffFaultsError(PricingError):
    """A document cannot be a tariff; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        listed = "; ".join(f"{fault.path or 'document'}: {fault.message}" for fault in faults)
        super().__init__(listed)


def _step_text(step: int | str) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step == KEY_ITSELF:
        return ""
    return f".{step}" if step.strip() else f'["{step}"]'
