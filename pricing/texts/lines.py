"""The lines of a quote (contract, Charging 11), and the sentence of each."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pricing.fields import exact
from pricing.instants import instant_at
from pricing.texts.words import Sentence, duration, money


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


@lru_cache(maxsize=16_384)
def _sentence(kind: str, amount: int, currency: str, period: str | None, *rest: Any) -> Sentence:
    return of_line(Line(0, 0, kind, amount, currency, period, 0, *rest))


def _instant_text(at: datetime) -> str:
    return f"{at.isoformat()[:-6]}Z"


def of_line(line: Line) -> Sentence:
    """The sentence of a line, in Chinese and English."""
    return WORDED[line.kind](line)


def _unit(line: Line) -> Sentence:
    zh_price, en_price = money(line.unit_price_minor or 0, line.currency)
    zh_length, en_length = duration(line.unit_s or 0)
    zh_amount, en_amount = _amount(line)
    zh_more, en_more = _changes(line)
    zh_period, en_period = _called(line.period_called)
    units = "unit" if line.units == 1 else "units"
    chinese = (
        f"时段“{zh_period}”第{line.tier}档：{line.units}个计时单位"
        f"（每{zh_length}{zh_price}）{zh_more}，计{zh_amount}。"
    )
    english = (
        f'Period "{en_period}", tier {line.tier}: {line.units} {units} of {en_length} at '
        f"{en_price}{en_more}: {en_amount}."
    )
    return chinese, english


def _flat(line: Line) -> Sentence:
    zh_price, en_price = money(line.unit_price_minor or 0, line.currency)
    zh_amount, en_amount = _amount(line)
    zh_more, en_more = _changes(line)
    zh_period, en_period = _called(line.period_called)
    return (
        f"时段“{zh_period}”按次收费，每次{zh_price}{zh_more}，计{zh_amount}。",
        f'Period "{en_period}", once at {en_price}{en_more}: {en_amount}.',
    )


def _called(name: Sentence | None) -> Sentence:
    """What people call a part of the tariff; nothing where a line has no such part."""
    return name or ("", "")


def _amount(line: Line) -> Sentence:
    return money(line.exact_minor or line.amount_minor, line.currency)


def _changes(line: Line) -> Sentence:
    """What vehicle, version and caps changed, each as a clause."""
    chinese, english = [], []
    adjustment = line.adjustment
    if adjustment is not None:
        zh_vehicle, en_vehicle = _called(adjustment.called)
        chinese.append(f"，{zh_vehicle}")
        if exact(adjustment.multiplier) != 1:
            chinese.append(f"乘{adjustment.multiplier}")
            english.append(f" x {adjustment.multiplier}")
        if adjustment.add_minor_per_unit:
            zh_added, en_added = money(adjustment.add_minor_per_unit, line.currency)
            chinese.append(f"每单位加{zh_added}")
            english.append(f" + {en_added}")
        english.append(f" ({en_vehicle})")
    if line.priced_by is not None:
        zh_version, en_version = _called(line.priced_by_called)
        chinese.append(f"，单价依停放期间生效的“{zh_version}”")
        english.append(f', priced by "{en_version}", in force by then')
    if line.cap_minor_taken:
        zh_taken, en_taken = money(line.cap_minor_taken, line.currency)
        chinese.append(f"，封顶减{zh_taken}")
        english.append(f", less {en_taken} by a cap")
    return "".join(chinese), "".join(english)


def _percentage(line: Line) -> Sentence:
    percent = line.adjustment.percent_off if line.adjustment else None
    zh_amount, en_amount = _amount(line)
    zh_name, en_name = _called(line.entitlement_called)
    return (
        f"优惠“{zh_name}”减免{percent}%：{zh_amount}。",
        f'Entitlement "{en_name}", {percent} % off: {en_amount}.',
    )


def _rounding(line: Line) -> Sentence:
    zh_total, en_total = money(line.exact_minor or 0, line.currency)
    return (
        f"合计{zh_total}，四舍五入到最小货币单位。",
        f"The sum of {en_total} is rounded to the smallest unit, halves up.",
    )


def _of_period(chinese: str, english: str) -> Callable[[Line], Sentence]:
    def worded(line: Line) -> Sentence:
        zh_period, en_period = _called(line.period_called)
        zh_name, en_name = _called(line.entitlement_called)
        return (
            chinese.format(period=zh_period, name=zh_name),
            english.format(period=en_period, name=en_name),
        )

    return worded


WORDED: Final[dict[str, Callable[[Line], Sentence]]] = {
    "unit": _unit,
    "flat": _flat,
    "percentage": _percentage,
    "rounding": _rounding,
    "free": _of_period("时段“{period}”免费。", 'Period "{period}" is free.'),
    "gap": _of_period("此时不收费。", "No period charges at this time."),
    "grace": _of_period(
        "时段“{period}”：在免费停放时长内，不计费。",
        'Period "{period}": within the grace time, not charged.',
    ),
    "deducted": _of_period(
        "时段“{period}”：优惠“{name}”减免的时长，不计费。",
        'Period "{period}": time let off by entitlement "{name}", not charged.',
    ),
    "tail": _of_period(
        "时段“{period}”：离场前的免费时长，不再计新的单位。",
        'Period "{period}": the last minutes before exit start no unit.',
    ),
    "dropped": _of_period(
        "时段“{period}”：不足一个计时单位，不计费。",
        'Period "{period}": less than a whole unit, not charged.',
    ),
    "paid": _of_period(
        "时段“{period}”：本时段已按次收费，不再收取。",
        'Period "{period}": already charged once for this window.',
    ),
}
