"""The sentences of a notice: what a tariff document says, in official Chinese."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pricing.document import Entitlement, Period, Tariff, Vehicle
from pricing.fields import exact
from pricing.texts import naming
from pricing.texts.words import duration, money

_ROUNDING: Final = {"up": "不足一个计费单位的按一个计费单位计", "down": "不足一个计费单位的不计费"}
_BOUNDARY: Final = {
    "unit_start": "一个计费单位跨越两个时段的，按该单位开始时所在时段的标准计费。",
    "split": "一个计费单位跨越两个时段的，在时段交界处截断，分别计费。",
}
_CLOCK: Final = {
    "window": "阶梯计时在每个时段内分别累计，进入新的时段后重新起算。",
    "session": "阶梯计时按单次停放连续累计。",
}
_VERSION: Final = {
    "at_entry": "停放期间标准调整的，按入场时的标准计费。",
    "at_unit_start": "停放期间标准调整的，每个计费单位按其开始时的标准计费。",
}
_BASIS: Final = {"stay": "停放时间", "chargeable": "收费时段内的停放时间", None: "停放时间"}


def period(tariff: Tariff, given: Period) -> str:
    """Say what one period charges, and when."""
    return f"{_when(given)}：{_charge(tariff, given)}。"


def _when(given: Period) -> str:
    season = ""
    if given.season:
        first, last = naming.month_day(given.season.from_), naming.month_day(given.season.to)
        season = f"每年{first.zh}至{last.zh}，"
    return f"{season}{naming.days(given).zh}{naming.hours(given).zh}"


def _charge(tariff: Tariff, given: Period) -> str:
    if given.charge == "free":
        return "免费"
    if given.charge == "flat":
        said = f"按次收费，每次{_money(tariff, given.price_minor or 0)}"
    else:
        said = f"{_tiers(tariff, given)}，{_ROUNDING[given.rounding or 'up']}"
    if given.cap_minor is not None:
        said += f"；本时段最高收费{_money(tariff, given.cap_minor)}"
    return said


def _tiers(tariff: Tariff, given: Period) -> str:
    unit = duration(given.unit_s or 0).zh
    tiers = given.tiers or ()
    if len(tiers) == 1:
        return f"每{unit}{_money(tariff, tiers[0].price_minor)}"
    ends = [duration(tier.from_s).zh for tier in tiers[1:]]
    whens = [
        f"首{ends[0]}内",
        *(f"{start}至{end}" for start, end in pairwise(ends)),
        f"超过{ends[-1]}后",
    ]
    prices = (f"每{unit}{_money(tariff, tier.price_minor)}" for tier in tiers)
    return "，".join(f"{when}{price}" for when, price in zip(whens, prices, strict=True))


def grace(tariff: Tariff) -> str | None:
    """Say what time is let off; None where there is none."""
    given = tariff.grace
    if given.mode == "none":
        return None
    length = duration(given.seconds or 0).zh
    whom = "当日首次停放的，" if given.first_stay_of_day else ""
    if given.mode == "threshold":
        what = _BASIS[given.basis]
        return f"{whom}{what}不超过{length}（含）的免费；超过的，自入场起计费。"
    if given.mode == "deduct":
        return f"{whom}收费时段内的前{length}免费，其后的时间计费。"
    return f"{whom}离场前的最后{length}内不再起计新的计费单位。"


def caps(tariff: Tariff) -> Iterator[str]:
    """Say what is the most that is charged."""
    for cap in tariff.caps:
        window = naming.WINDOWS[cap.window].zh
        yield f"{window}最高收费{_money(tariff, cap.amount_minor)}。"


def vehicle(tariff: Tariff, name: str, given: Vehicle) -> str:
    """Say what a class of vehicles pays."""
    called = naming.vehicle(name, given).zh
    parts = []
    if exact(given.multiplier) != 1:
        parts.append(f"按上述标准的{given.multiplier}倍收费")
    if given.add_minor_per_unit:
        parts.append(f"每个计费单位加收{_money(tariff, given.add_minor_per_unit)}")
    if exact(given.cap_multiplier) != 1:
        parts.append(f"最高收费为上述标准的{given.cap_multiplier}倍")
    return f"{called}：{'，'.join(parts) or '按上述标准收费'}。"


def entitlement(given: Entitlement) -> str:
    """Say what those who are entitled to it are let off."""
    called = given.name.zh if given.name else "符合优惠条件的"
    parts = []
    if given.deduct_s:
        parts.append(f"减免{duration(given.deduct_s).zh}")
    if exact(given.percent_off):
        parts.append(f"停车费减收{given.percent_off}%")
    if not given.combinable_with_grace:
        parts.append("不与免费停放时间同时享受")
    if given.quota == "first_stay_per_day_per_lot":
        parts.append("限每日在同一停车场首次停放")
    return f"{called}：{'，'.join(parts)}。"


def rules(tariff: Tariff) -> list[str]:
    """Say how units, tiers and changes of version are dealt with."""
    tiered = any(len(each.tiers or ()) > 1 for each in tariff.periods)
    charged = [each for each in tariff.periods if each.charge == "unit"]
    said = [_BOUNDARY[tariff.boundary]] if charged and len(tariff.periods) > 1 else []
    said += [_CLOCK[tariff.tier_clock]] if tiered else []
    return [*said, _VERSION[tariff.version_policy]]


def _money(tariff: Tariff, minor: int) -> str:
    return money(minor, tariff.currency).zh
