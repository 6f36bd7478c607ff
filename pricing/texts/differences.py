"""What differs between two versions of a tariff, in words."""

from collections.abc import Iterator
from typing import Any, Final

from pricing.document import read_tariff
from pricing.texts import naming
from pricing.texts.words import Words, duration, money

Json = dict[str, Any]
Steps = tuple[str, ...]
Called = dict[tuple[str, str], Words]

# What tells the members of a list apart.
_KEYS: Final = ("id", "window", "from_s")
_LENGTHS: Final = frozenset({"unit_s", "from_s", "deduct_s", "seconds"})
_NEW: Final = Words("新增{where}：{after}。", "{where} is new: {after}.")
_GONE: Final = Words("取消{where}：原为{before}。", "{where} is gone; it was {before}.")
_CHANGED: Final = Words("{where}由{before}改为{after}。", "{where}: {before} becomes {after}.")
_FIELDS: Final = {
    "applies_to": Words("适用的", "applies to"),
    "amount_minor": Words("封顶金额", "amount of the cap"),
    "add_minor_per_unit": Words("每单位加价", "addition per unit"),
    "basis": Words("免费时长的计量", "basis of the grace"),
    "boundary": Words("跨时段计费方式", "boundary"),
    "calendar": Words("日历", "calendar"),
    "cap_minor": Words("时段封顶", "cap of a window"),
    "cap_multiplier": Words("封顶倍数", "multiplier of caps"),
    "caps": Words("封顶", "caps"),
    "charge": Words("计费方式", "charge"),
    "combinable_with_grace": Words("可与免费时长叠加", "combinable with grace"),
    "currency": Words("币种", "currency"),
    "days": Words("适用日", "days"),
    "deduct_s": Words("减免时长", "time deducted"),
    "end": Words("结束时间", "end"),
    "entitlements": Words("优惠", "entitlements"),
    "first_stay_of_day": Words("限当日首次停放", "for the day's first stay"),
    "from": Words("起始日", "from"),
    "from_s": Words("起始时长", "from"),
    "grace": Words("免费时长", "grace"),
    "holidays": Words("节假日", "holidays"),
    "lot_types": Words("停车场类型", "lot types"),
    "lots": Words("停车场", "lots"),
    "makeup_workdays": Words("调休工作日", "make-up workdays"),
    "mode": Words("方式", "mode"),
    "multiplier": Words("价格倍数", "multiplier"),
    "name": Words("名称", "name"),
    "percent_off": Words("折扣（%）", "percent off"),
    "periods": Words("时段", "periods"),
    "price_minor": Words("价格", "price"),
    "quota": Words("限额", "quota"),
    "rounding": Words("不足一个计费单位", "rounding"),
    "season": Words("季节", "season"),
    "seconds": Words("时长", "length"),
    "start": Words("开始时间", "start"),
    "tier_clock": Words("阶梯计时", "tier clock"),
    "tiers": Words("阶梯", "tiers"),
    "timezone": Words("时区", "time zone"),
    "to": Words("截止日", "to"),
    "unit_s": Words("计费单位", "unit"),
    "vehicles": Words("车型", "vehicles"),
    "version_policy": Words("跨版本停放", "version policy"),
    "zones": Words("区域", "zones"),
}


def changes(before: Json, after: Json) -> list[Json]:
    """The differences of two documents, in their order, each with a sentence."""
    # A part whose name changed is called by the old one.
    called = _names(after) | _names(before)
    currency = str(after["currency"])
    return [
        {
            "path": ".".join(steps).replace(".[", "["),
            "before": old,
            "after": new,
            "text": _sentence(steps, old, new, currency, called)._asdict(),
        }
        for steps, old, new in _differences((), before, after)
    ]


def _names(document: Json) -> Called:
    """What people call the members of a document's lists, by list and key."""
    tariff = read_tariff({key: part for key, part in document.items() if key != "applies_to"})
    return {
        **{("periods", f"[{each.id}]"): naming.period(each) for each in tariff.periods},
        **{
            ("entitlements", f"[{each.id}]"): naming.entitlement(each)
            for each in tariff.entitlements
        },
        **{("caps", f"[{window}]"): words for window, words in naming.WINDOWS.items()},
        **{
            ("vehicles", key): naming.vehicle(key, each)
            for key, each in (tariff.vehicles or {}).items()
        },
    }


def _differences(steps: Steps, before: Any, after: Any) -> Iterator[tuple[Steps, Any, Any]]:
    if before == after:
        return
    old, new = _members(before), _members(after)
    if old is None or new is None:
        yield steps, before, after
        return
    for name in dict.fromkeys((*old, *new)):
        yield from _differences((*steps, name), old.get(name), new.get(name))


def _members(part: Any) -> dict[str, Any] | None:
    """The members by name; of a list by what tells them apart; None for a plain value."""
    if isinstance(part, dict):
        return part
    if isinstance(part, list) and all(isinstance(each, dict) for each in part):
        key = next((key for key in _KEYS if all(key in each for each in part)), None)
        if key:
            return {f"[{each[key]}]": each for each in part}
    return None


def _sentence(steps: Steps, before: Any, after: Any, currency: str, called: Called) -> Words:
    name = next((step for step in reversed(steps) if not step.startswith("[")), "")
    template = _NEW if before is None else _GONE if after is None else _CHANGED
    return template.filled(
        # (时段“高峰”价格, periods 'Peak' price)
        where=Words("", " ").join(
            _step(before, step, called) for before, step in zip(("", *steps), steps, strict=False)
        ),
        before=_value(name, before, currency, called),
        after=_value(name, after, currency, called),
    )


def _step(before: str, step: str, called: Called) -> Words:
    if not step.startswith("[") and (before, step) not in called:
        return _field(step)
    if before == "tiers":
        return Words("自{length}起", "from {length}").filled(length=duration(int(step[1:-1])))
    member = called.get((before, step), Words(step[1:-1], step[1:-1]))
    return Words("“{member}”", "'{member}'").filled(member=member)


def _field(name: str) -> Words:
    return _FIELDS.get(name, Words(name, name))


def _value(name: str, given: Any, currency: str, called: Called) -> Words:
    """A field's value in words, member by member."""
    if isinstance(given, dict):
        # An id is for programs; the part's place says what people call it.
        return Words("，", ", ").join(
            Words("{name}{value}", "{name} {value}").filled(
                name=called.get((name, key)) or _field(key),
                value=_value(key, each, currency, called),
            )
            for key, each in given.items()
            if key != "id"
        )
    if isinstance(given, list):
        return Words("；", "; ").join(_value(name, each, currency, called) for each in given)
    return _plain_value(name, given, currency)


def _plain_value(name: str, given: Any, currency: str) -> Words:
    """A value in words by what its field holds: money, a length of time, or what is written."""
    if given is None:
        return Words("无", "none")
    if name.endswith("_minor") or name == "add_minor_per_unit":
        return money(given, currency)
    if name in _LENGTHS:
        return duration(given)
    if isinstance(given, bool):
        return Words("是", "yes") if given else Words("否", "no")
    words = {"lot_types": naming.LOT_TYPES, "days": naming.DAYS}.get(name, {})
    return words.get(given, Words(str(given), str(given)))
