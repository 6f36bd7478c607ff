"""The sentence of a line in Chinese and English."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pricing.currencies import EXPONENTS
from pricing.fields import exact

if TYPE_CHECKING:
    from pricing.charging.lines import Line

Sentence = tuple[str, str]


def of_line(line: "Line") -> Sentence:
    """The sentence of a line, in Chinese and English."""
    return WORDED[line.kind](line)


def money(minor: int | str, currency: str) -> Sentence:
    """An amount of smallest units in words: (6.00元, CNY 6.00)."""
    places = EXPONENTS.get(currency, 2)
    amount = Decimal(minor).scaleb(-places)
    shown = f"{amount:.{places}f}" if isinstance(minor, int) else f"{amount:f}"
    return (f"{shown}元" if currency == "CNY" else f"{currency} {shown}", f"{currency} {shown}")


def duration(seconds: int) -> Sentence:
    """A length of time in words: (1小时30分钟, 1 h 30 min)."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "小时", "h"), (minutes, "分钟", "min"), (left, "秒", "s")]
    said = [part for part in parts if part[0]] or [(0, "分钟", "min")]
    return "".join(f"{n}{zh}" for n, zh, _ in said), " ".join(f"{n} {en}" for n, _, en in said)


def _unit(line: "Line") -> Sentence:
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


def _flat(line: "Line") -> Sentence:
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


def _amount(line: "Line") -> Sentence:
    return money(line.exact_minor or line.amount_minor, line.currency)


def _changes(line: "Line") -> Sentence:
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


def _percentage(line: "Line") -> Sentence:
    percent = line.adjustment.percent_off if line.adjustment else None
    zh_amount, en_amount = _amount(line)
    zh_name, en_name = _called(line.entitlement_called)
    return (
        f"优惠“{zh_name}”减免{percent}%：{zh_amount}。",
        f'Entitlement "{en_name}", {percent} % off: {en_amount}.',
    )


def _rounding(line: "Line") -> Sentence:
    zh_total, en_total = money(line.exact_minor or 0, line.currency)
    return (
        f"合计{zh_total}，四舍五入到最小货币单位。",
        f"The sum of {en_total} is rounded to the smallest unit, halves up.",
    )


def _of_period(chinese: str, english: str) -> Callable[["Line"], Sentence]:
    def worded(line: "Line") -> Sentence:
        zh_period, en_period = _called(line.period_called)
        zh_name, en_name = _called(line.entitlement_called)
        return (
            chinese.format(period=zh_period, name=zh_name),
            english.format(period=en_period, name=en_name),
        )

    return worded


WORDED: Final[dict[str, Callable[["Line"], Sentence]]] = {
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
