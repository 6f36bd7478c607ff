"""A quote and its lines (contract, Charging 11)."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from pricing.charging.periods import instant_at
from pricing.texts import sentences
from pricing.texts.sentences import Sentence


class Adjustment(NamedTuple):
    """What changed a price: a class of vehicles, or a percentage of an entitlement.

    Attributes:
        multiplier, percent_off: as the document writes them.
        add_minor_per_unit: smallest units of the currency.
        called: what people call the class.
    """

    vehicle: str | None = None
    multiplier: str = "1"
    add_minor_per_unit: int = 0
    percent_off: str | None = None
    called: Sentence | None = None

    def as_dict(self) -> dict[str, Any]:
        """The adjustment in JSON's types."""
        if self.percent_off is not None:
            return {"percent_off": self.percent_off}
        return {
            "vehicle": self.vehicle,
            "multiplier": self.multiplier,
            "add_minor_per_unit": self.add_minor_per_unit,
        }


class Line(NamedTuple):
    """A stretch of a stay and its charge.

    Lines run from entry to exit without gap or overlap; after them come lines of no length at exit,
    one for each percentage and one for the rounding. `amount_minor` of all add up to the total.

    Attributes:
        start_us, end_us: half-open, microseconds since 1970 UTC.
        kind: `unit` and `flat` where charged; `free` (a free period), `gap` (no period), `grace`,
            `deducted` (by an entitlement), `tail`, `dropped` (a partial unit, rounding `down`),
            `paid` (a flat window entered again); `percentage`, `rounding`.
        amount_minor: the charge after vehicle and caps. Where exact amounts are fractions, lines
            take whole smallest units in turn, so that each sum from the first is rounded down.
        day: ordinal of the local date on which the window started; 0 without window.
        tier: from 1, in the order of the document's `tiers`.
        unit_price_minor: as the document lists it, before `adjustment`; a flat's price too.
        cap_minor_taken: what caps took off, rounded down where it is a fraction.
        exact_minor: the exact amount in decimals, where it is no whole smallest unit.
        priced_by: id of the version that set the price, where it is not the one at entry.
        period_called, entitlement_called, priced_by_called: what people call them.
    """

    start_us: int
    end_us: int
    kind: str
    amount_minor: int
    currency: str
    period_id: str | None = None
    day: int = 0
    tier: int | None = None
    units: int = 0
    unit_s: int | None = None
    unit_price_minor: int | None = None
    adjustment: Adjustment | None = None
    cap_minor_taken: int = 0
    entitlement: str | None = None
    exact_minor: str | None = None
    priced_by: str | None = None
    period_called: Sentence | None = None
    entitlement_called: Sentence | None = None
    priced_by_called: Sentence | None = None

    @property
    def start(self) -> datetime:
        """The first instant, UTC."""
        return instant_at(self.start_us)

    @property
    def end(self) -> datetime:
        """The instant after the last, UTC."""
        return instant_at(self.end_us)

    @property
    def window_date(self) -> date | None:
        """The local date on which the line's window started."""
        return date.fromordinal(self.day) if self.day else None

    @property
    def text(self) -> dict[str, str]:
        """A sentence in Chinese (`zh`) and English (`en`), made when asked for."""
        # It speaks of no time: lines of other days that charge the same say the same.
        chinese, english = _sentence(*self[2:6], *self[7:])
        return {"zh": chinese, "en": english}

    def as_dict(self) -> dict[str, Any]:
        """The line in JSON's types; instants in UTC, fields that it has not left out."""
        day = self.window_date
        whole = {
            "start": _instant_text(self.start),
            "end": _instant_text(self.end),
            "kind": self.kind,
            "amount_minor": self.amount_minor,
            "period_id": self.period_id,
            "window_date": None if day is None else day.isoformat(),
            "tier": self.tier,
            "units": self.units or None,
            "unit_s": self.unit_s,
            "unit_price_minor": self.unit_price_minor,
            "adjustment": None if self.adjustment is None else self.adjustment.as_dict(),
            "cap_minor_taken": self.cap_minor_taken or None,
            "entitlement": self.entitlement,
            "exact_minor": self.exact_minor,
            "priced_by": self.priced_by,
            "text": self.text,
        }
        return {name: value for name, value in whole.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a stay: smallest units of the currency, and how they came about."""

    total_minor: int
    currency: str
    tariff_id: str
    lines: tuple[Line, ...]

    def as_dict(self) -> dict[str, Any]:
        """The quote in JSON's types, with the sentence of each line."""
        return {
            "total_minor": self.total_minor,
            "currency": self.currency,
            "tariff_id": self.tariff_id,
            "lines": [line.as_dict() for line in self.lines],
        }


@lru_cache(maxsize=16_384)
def _sentence(kind: str, amount: int, currency: str, period: str | None, *rest: Any) -> Sentence:
    return sentences.of_line(Line(0, 0, kind, amount, currency, period, 0, *rest))


def decimal_text(amount: Fraction) -> str:
    """The amount in decimals; they end, since multipliers and percentages are decimals."""
    if amount.denominator == 1:
        return str(amount.numerator)
    places = 1
    while 10**places % amount.denominator:
        places += 1
    scaled = abs(amount) * 10**places
    digits = str(scaled.numerator).rjust(places + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _instant_text(at: datetime) -> str:
    return f"{at.isoformat()[:-6]}Z"
