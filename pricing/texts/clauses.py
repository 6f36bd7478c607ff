"""The sentences of a notice: what a tariff document says, in official Chinese and in English."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pricing.document import Entitlement, Period, Tariff, Vehicle
from pricing.fields import exact
from pricing.texts import naming
from pricing.texts.words import NOTHING, Words, money, spelled, started

_ROUNDING: Final = {
    "up": Words(
        "不足一个计费单位的按一个计费单位计", "a part of a unit is charged as a whole unit"
    ),
    "down": Words("不足一个计费单位的不计费", "a part of a unit is not charged"),
}
_BOUNDARY: Final = {
    "unit_start": Words(
        "一个计费单位跨越两个时段的，按该单位开始时所在时段的标准计费。",
        "A unit that runs over two periods is charged at the rate of the period in which it "
        "starts.",
    ),
    "split": Words(
        "一个计费单位跨越两个时段的，在时段交界处截断，分别计费。",
        "A unit that runs over two periods is cut where they meet, and each part is charged by "
        "itself.",
    ),
}
_CLOCK: Final = {
    "window": Words(
        "阶梯计时在每个时段内分别累计，进入新的时段后重新起算。",
        "The hours by which rates change are counted within each period, and anew in the next.",
    ),
    "session": Words(
        "阶梯计时按单次停放连续累计。",
        "The hours by which rates change are counted through the whole stay.",
    ),
}
_VERSION: Final = {
    "at_entry": Words(
        "停放期间标准调整的，按入场时的标准计费。",
        "If the rates change during a stay, those in force at entry apply to all of it.",
    ),
    "at_unit_start": Words(
        "停放期间标准调整的，每个计费单位按其开始时的标准计费。",
        "If the rates change during a stay, each unit is charged at the rate in force when it "
        "starts.",
    ),
}
_WINDOWS: Final = {
    "calendar_day": Words("每个自然日", "for each calendar day"),
    "rolling_24h": Words(
        "每连续24小时", "for any 24 hours in a row, counted from the first charge"
    ),
    "session": Words("单次停放", "for one stay"),
}
_GRACE: Final = {
    ("threshold", "stay"): Words(
        "停放时间不超过{length}（含）的免费；超过的，自入场起计费。",
        "a stay of at most {length} is free of charge; a longer one is charged from entry.",
    ),
    ("threshold", "chargeable"): Words(
        "收费时段内的停放时间不超过{length}（含）的免费；超过的，自入场起计费。",
        "a stay with at most {length} in charged periods is free of charge; one with more is "
        "charged from entry.",
    ),
    ("deduct", "stay"): Words(
        "收费时段内的前{length}免费，其后的时间计费。",
        "no charge for the first {unit} in charged periods; the time after is charged.",
    ),
    ("tail", "stay"): Words(
        "离场前的最后{length}内不再起计新的计费单位。",
        "no new unit starts in the last {unit} before exit.",
    ),
}
_COMMA: Final = Words("，", ", ")
_SEMICOLON: Final = Words("，", "; ")


def period(tariff: Tariff, given: Period) -> Words:
    """Say what one period charges, and when."""
    return started(
        Words("{when}：{charge}。", "{when}: {charge}.").filled(
            when=_when(given), charge=_charge(tariff, given)
        )
    )


def _when(given: Period) -> Words:
    season = NOTHING
    if given.season:
        season = Words("每年{first}至{last}，", "from {first} to {last} each year, ").filled(
            first=naming.month_day(given.season.from_), last=naming.month_day(given.season.to)
        )
    return NOTHING.join([season, _days(given), _hours(given)])


def _days(given: Period) -> Words:
    chinese = naming.days(given).zh
    if given.days == "all":
        return Words(chinese, "every day")
    names = [naming.DAYS[day].en for day in given.days]
    return Words(chinese, f"on {_and(names)}")


def _hours(given: Period) -> Words:
    start, end = given.start, given.end
    chinese = naming.hours(given).zh
    if start == "00:00" and end in ("00:00", "24:00"):
        return Words(chinese, ", around the clock")
    if start == end:
        return Words(chinese, f", for 24 hours from {start}")
    next_day = " of the next day" if end < start else ""
    return Words(chinese, f" from {start} to {end}{next_day}")


def lot_types(given: Sequence[str]) -> Words:
    """Name types of lots: (道路泊位、停车楼, on-street berths and multi-storey garages)."""
    chinese = naming.listed(given, naming.LOT_TYPES).zh
    return Words(chinese, _and([naming.LOT_TYPES[each].en for each in given]))


def _and(names: Sequence[str]) -> str:
    """Put English names in a row: A, B and C."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def _charge(tariff: Tariff, given: Period) -> Words:
    if given.charge == "free":
        return Words("免费", "free of charge")
    if given.charge == "flat":
        text = Words("按次收费，每次{price}", "a flat charge of {price} each time").filled(
            price=money(given.price_minor or 0, tariff.currency)
        )
    else:
        text = Words("{tiers}，{rounding}", "{tiers}; {rounding}").filled(
            tiers=_tiers(tariff, given), rounding=_ROUNDING[given.rounding or "up"]
        )
    if given.cap_minor is None:
        return text
    return Words("{text}；本时段最高收费{most}", "{text}; at most {most} in this period").filled(
        text=text, most=money(given.cap_minor, tariff.currency)
    )


def _tiers(tariff: Tariff, given: Period) -> Words:
    tiers = given.tiers or ()
    prices = [
        Words("每{unit}{price}", "{price} for each {unit}").filled(
            unit=_unit(given.unit_s or 0), price=money(tier.price_minor, tariff.currency)
        )
        for tier in tiers
    ]
    if len(tiers) == 1:
        return prices[0]
    ends = [tier.from_s for tier in tiers[1:]]
    whens = [
        Words("首{end}内", "in the first {end}").filled(end=_unit(ends[0])),
        *(
            Words("{start}至{end}", "from {start} to {end}").filled(
                start=spelled(start), end=spelled(end)
            )
            for start, end in pairwise(ends)
        ),
        Words("超过{end}后", "after that").filled(end=spelled(ends[-1])),
    ]
    return _COMMA.join(
        Words("{when}{price}", "{price} {when}").filled(when=when, price=price)
        for when, price in zip(whens, prices, strict=True)
    )


def _unit(seconds: int) -> Words:
    """A length of time after "each" or "first": (30分钟, 30 minutes), (1小时, hour)."""
    length = spelled(seconds)
    one, _, name = length.en.partition(" ")
    return Words(length.zh, name) if one == "1" and " " not in name else length


def grace(tariff: Tariff) -> Words | None:
    """Say what time is let off; None where there is none."""
    given = tariff.grace
    if given.mode == "none":
        return None
    whom = Words("当日首次停放的，", "for the first stay of the day, ")
    basis = given.basis if given.mode == "threshold" and given.basis else "stay"
    said = _GRACE[given.mode, basis].filled(
        length=spelled(given.seconds or 0), unit=_unit(given.seconds or 0)
    )
    return started(NOTHING.join([whom if given.first_stay_of_day else NOTHING, said]))


def caps(tariff: Tariff) -> Iterator[Words]:
    """Say what is the most that is charged."""
    for cap in tariff.caps:
        yield Words("{window}最高收费{most}。", "At most {most} {window}.").filled(
            window=_WINDOWS[cap.window], most=money(cap.amount_minor, tariff.currency)
        )


def vehicle(tariff: Tariff, name: str, given: Vehicle) -> Words:
    """Say what a class of vehicles pays."""
    parts = []
    if exact(given.multiplier) != 1:
        times = given.multiplier
        parts.append(
            Words(f"按上述标准的{times}倍收费", f"charged at {times} times the rates above")
        )
    if given.add_minor_per_unit:
        parts.append(
            Words("每个计费单位加收{added}", "{added} more for each unit").filled(
                added=money(given.add_minor_per_unit, tariff.currency)
            )
        )
    if exact(given.cap_multiplier) != 1:
        times = given.cap_multiplier
        parts.append(
            Words(f"最高收费为上述标准的{times}倍", f"at most {times} times the maximum above")
        )
    said = _SEMICOLON.join(parts or [Words("按上述标准收费", "charged at the rates above")])
    return _named(naming.vehicle(name, given), said)


def entitlement(given: Entitlement) -> Words:
    """Say what those who are entitled to it are let off."""
    called = (
        naming.entitlement(given)
        if given.name
        else Words("符合优惠条件的", "those who are entitled to it")
    )
    parts = []
    if given.deduct_s:
        parts.append(
            Words("减免{length}", "{length} not charged").filled(length=spelled(given.deduct_s))
        )
    if exact(given.percent_off):
        percent = given.percent_off
        parts.append(Words(f"停车费减收{percent}%", f"{percent}% off the charge"))
    if not given.combinable_with_grace:
        parts.append(Words("不与免费停放时间同时享受", "not together with free parking time"))
    if given.quota == "first_stay_per_day_per_lot":
        parts.append(
            Words("限每日在同一停车场首次停放", "for the first stay of a day at each lot only")
        )
    return _named(called, _SEMICOLON.join(parts))


def _named(called: Words, said: Words) -> Words:
    return started(
        Words("{called}：{said}。", "{called}: {said}.").filled(called=called, said=said)
    )


def rules(tariff: Tariff) -> list[Words]:
    """Say how units, tiers and changes of version are dealt with."""
    tiered = any(len(each.tiers or ()) > 1 for each in tariff.periods)
    charged = [each for each in tariff.periods if each.charge == "unit"]
    sentences = [_BOUNDARY[tariff.boundary]] if charged and len(tariff.periods) > 1 else []
    sentences += [_CLOCK[tariff.tier_clock]] if tiered else []
    return [*sentences, _VERSION[tariff.version_policy]]
