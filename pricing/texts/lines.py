"""The lines of a quote (docs/contract/tariff.md, Charging 11), and the sentence of each."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pricing.fields import exact
from pricing.instants import instant_at
from pricing.texts.words import NOTHING, Words, duration, money


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
    called: Words | None = None

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
    period_called: Words | None = None
    entitlement_called: Words | None = None
    priced_by_called: Words | None = None

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
        """A sentence in Chinese (`zh`) and English (`en`), made when it is read."""
        chinese, english = _sentence(*self[2:6], *self[7:])
        return {"zh": chinese, "en": english}

    def as_dict(self) -> dict[str, Any]:
        """The line in JSON's types; instants in UTC, fields that it has not left out."""
        day = self.window_date
        fields = {
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
        return {name: value for name, value in fields.items() if value is not None}


def _instant_text(at: datetime) -> str:
    return f"{at.isoformat()[:-6]}Z"


_SENTENCES: Final = {
    "unit": Words(
        "时段“{period}”第{tier}档：{units}个计时单位（每{length}{price}）{changes}，计{amount}。",
        'Period "{period}", tier {tier}: {units} of {length} at {price}{changes}: {amount}.',
    ),
    "flat": Words(
        "时段“{period}”按次收费，每次{price}{changes}，计{amount}。",
        'Period "{period}", once at {price}{changes}: {amount}.',
    ),
    "percentage": Words(
        "优惠“{name}”减免{percent}%：{amount}。",
        'Entitlement "{name}", {percent} % off: {amount}.',
    ),
    "rounding": Words(
        "合计{amount}，四舍五入到最小货币单位。",
        "The sum of {amount} is rounded to the smallest unit, halves up.",
    ),
    "free": Words("时段“{period}”免费。", 'Period "{period}" is free.'),
    "gap": Words("此时不收费。", "No period charges at this time."),
    "grace": Words(
        "时段“{period}”：在免费停放时长内，不计费。",
        'Period "{period}": within the grace time, not charged.',
    ),
    "deducted": Words(
        "时段“{period}”：优惠“{name}”减免的时长，不计费。",
        'Period "{period}": time let off by entitlement "{name}", not charged.',
    ),
    "tail": Words(
        "时段“{period}”：离场前的免费时长，不再计新的单位。",
        'Period "{period}": the last minutes before exit start no unit.',
    ),
    "dropped": Words(
        "时段“{period}”：不足一个计时单位，不计费。",
        'Period "{period}": less than a whole unit, not charged.',
    ),
    "paid": Words(
        "时段“{period}”：本时段已按次收费，不再收取。",
        'Period "{period}": already charged once for this window.',
    ),
}
_CHANGES: Final = {
    "vehicle": Words("，{name}", ""),
    "multiplier": Words("乘{multiplier}", " x {multiplier}"),
    "added": Words("每单位加{added}", " + {added}"),
    "named": Words("", " ({name})"),
    "priced_by": Words(
        "，单价依停放期间生效的“{version}”", ', priced by "{version}", in force by then'
    ),
    "cap": Words("，封顶减{taken}", ", less {taken} by a cap"),
}


@lru_cache(maxsize=16_384)
def _sentence(kind: str, amount: int, currency: str, period: str | None, *rest: Any) -> Words:
    """The sentence of a line, from its fields without times: other days' lines say the same."""
    line = Line(0, 0, kind, amount, currency, period, 0, *rest)
    return _SENTENCES[line.kind].filled(
        period=line.period_called or NOTHING,
        name=line.entitlement_called or NOTHING,
        tier=line.tier,
        units=Words(str(line.units), f"{line.units} {'unit' if line.units == 1 else 'units'}"),
        length=duration(line.unit_s or 0),
        price=money(line.unit_price_minor or 0, line.currency),
        changes=_changes(line),
        percent=line.adjustment and line.adjustment.percent_off,
        amount=money(line.exact_minor or line.amount_minor, line.currency),
    )


def _changes(line: Line) -> Words:
    """What vehicle, version and caps changed, each as a clause."""
    by = line.adjustment or Adjustment()
    found = {
        "vehicle": line.adjustment is not None,
        "multiplier": exact(by.multiplier) != 1,
        "added": by.add_minor_per_unit != 0,
        "named": line.adjustment is not None,
        "priced_by": line.priced_by is not None,
        "cap": line.cap_minor_taken != 0,
    }
    return NOTHING.join(_CHANGES[name] for name, holds in found.items() if holds).filled(
        name=by.called or NOTHING,
        multiplier=by.multiplier,
        added=money(by.add_minor_per_unit, line.currency),
        version=line.priced_by_called or NOTHING,
        taken=money(line.cap_minor_taken, line.currency),
    )
