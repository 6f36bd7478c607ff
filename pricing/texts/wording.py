"""Words for the fields and values of a tariff document, in Chinese and English."""

from typing import Any, Final

from pricing.texts.naming import DAYS
from pricing.texts.words import Sentence, duration, money

Pair = Sentence

LOT_TYPES: Final[dict[str, Pair]] = {
    "on_street": ("道路泊位", "on-street berths"),
    "surface": ("地面停车场", "surface lots"),
    "underground": ("地下停车库", "underground garages"),
    "multi_storey": ("停车楼", "multi-storey garages"),
}
FIELDS: Final[dict[str, Pair]] = {
    "applies_to": ("适用的", "applies to"),
    "amount_minor": ("封顶金额", "amount of the cap"),
    "add_minor_per_unit": ("每单位加价", "addition per unit"),
    "basis": ("免费时长的计量", "basis of the grace"),
    "boundary": ("跨时段计费方式", "boundary"),
    "calendar": ("日历", "calendar"),
    "cap_minor": ("时段封顶", "cap of a window"),
    "cap_multiplier": ("封顶倍数", "multiplier of caps"),
    "caps": ("封顶", "caps"),
    "charge": ("计费方式", "charge"),
    "combinable_with_grace": ("可与免费时长叠加", "combinable with grace"),
    "currency": ("币种", "currency"),
    "days": ("适用日", "days"),
    "deduct_s": ("减免时长", "time deducted"),
    "end": ("结束时间", "end"),
    "entitlements": ("优惠", "entitlements"),
    "first_stay_of_day": ("限当日首次停放", "for the day's first stay"),
    "from": ("起始日", "from"),
    "from_s": ("起始时长", "from"),
    "grace": ("免费时长", "grace"),
    "holidays": ("节假日", "holidays"),
    "lot_types": ("停车场类型", "lot types"),
    "lots": ("停车场", "lots"),
    "makeup_workdays": ("调休工作日", "make-up workdays"),
    "mode": ("方式", "mode"),
    "multiplier": ("价格倍数", "multiplier"),
    "name": ("名称", "name"),
    "percent_off": ("折扣（%）", "percent off"),
    "periods": ("时段", "periods"),
    "price_minor": ("价格", "price"),
    "quota": ("限额", "quota"),
    "rounding": ("不足一个计费单位", "rounding"),
    "season": ("季节", "season"),
    "seconds": ("时长", "length"),
    "start": ("开始时间", "start"),
    "tier_clock": ("阶梯计时", "tier clock"),
    "tiers": ("阶梯", "tiers"),
    "timezone": ("时区", "time zone"),
    "to": ("截止日", "to"),
    "unit_s": ("计费单位", "unit"),
    "vehicles": ("车型", "vehicles"),
    "version_policy": ("跨版本停放", "version policy"),
    "zones": ("区域", "zones"),
}


def field(name: str) -> Pair:
    """Name a field of the document."""
    return FIELDS.get(name, (name, name))


def value(name: str, given: Any, currency: str) -> Pair:
    """Word a value by what its field holds: money, a length of time, or what is written."""
    if given is None:
        return "无", "none"
    if name.endswith("_minor") or name == "add_minor_per_unit":
        return money(given, currency)
    if name in ("unit_s", "from_s", "deduct_s", "seconds"):
        return duration(given)
    if isinstance(given, bool):
        return ("是", "yes") if given else ("否", "no")
    words = {"lot_types": LOT_TYPES, "days": DAYS}.get(name, {})
    return words.get(given, (str(given), str(given)))
