"""What differs between two versions of a tariff, in words."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pricing.document import read_tariff
from pricing.texts import naming, wording
from pricing.texts.wording import Pair

Json = dict[str, Any]
# What tells the members of a list apart.
_KEYS: Final = ("id", "window", "from_s")
Names = dict[tuple[str, str], Pair]


def changes(before: Json, after: Json) -> list[Json]:
    """List the differences of two documents, in their order, each with a sentence."""
    # A part that is redrawn is called what it was.
    names = _names(after) | _names(before)
    currency = str(after["currency"])
    found = _differences((), before, after)
    return [_change(steps, old, new, currency, names) for steps, old, new in found]


def _names(document: Json) -> Names:
    """What people call the members of a document's lists, by list and key."""
    tariff = read_tariff({key: part for key, part in document.items() if key != "applies_to"})
    vehicles = (tariff.vehicles or {}).items()
    return {
        **{("periods", f"[{each.id}]"): naming.period(each) for each in tariff.periods},
        **{
            ("entitlements", f"[{each.id}]"): naming.entitlement(each)
            for each in tariff.entitlements
        },
        **{("caps", f"[{window}]"): pair for window, pair in naming.WINDOWS.items()},
        **{("vehicles", key): naming.vehicle(key, each) for key, each in vehicles},
    }


def _differences(
    steps: tuple[str, ...], before: Any, after: Any
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
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


def _change(steps: tuple[str, ...], before: Any, after: Any, currency: str, names: Names) -> Json:
    zh_where, en_where = _where(steps, names)
    name = next((step for step in reversed(steps) if not step.startswith("[")), "")
    (zh_old, en_old), (zh_new, en_new) = (
        _worded(name, each, currency, names) for each in (before, after)
    )
    if before is None:
        text = f"新增{zh_where}：{zh_new}", f"{en_where} is new: {en_new}"
    elif after is None:
        text = f"取消{zh_where}：原为{zh_old}", f"{en_where} is gone; it was {en_old}"
    else:
        text = f"{zh_where}由{zh_old}改为{zh_new}", f"{en_where}: {en_old} becomes {en_new}"
    path = ".".join(steps).replace(".[", "[")
    return {
        "path": path,
        "before": before,
        "after": after,
        "text": {"zh": f"{text[0]}。", "en": f"{text[1]}."},
    }


def _where(steps: Sequence[str], names: Names) -> Pair:
    zh, en = [], []
    for place, step in enumerate(steps):
        called = names.get((steps[place - 1], step)) if place else None
        if called:
            pair = f"“{called[0]}”", f"'{called[1]}'"
        elif not step.startswith("["):
            pair = wording.field(step)
        elif place and steps[place - 1] == "tiers":
            pair = wording.value("from_s", int(step[1:-1]), "")
            pair = f"自{pair[0]}起", f"from {pair[1]}"
        else:
            pair = f"“{step[1:-1]}”", f"'{step[1:-1]}'"
        zh.append(pair[0])
        en.append(pair[1])
    return "".join(zh), " ".join(en)


def _worded(name: str, given: Any, currency: str, names: Names) -> Pair:
    if isinstance(given, dict):
        pairs = [
            (*names.get((name, key), wording.field(key)), *_worded(key, each, currency, names))
            for key, each in given.items()
            # For programs; the part's place says what people call it.
            if key != "id"
        ]
        zh = "，".join(f"{key}{each}" for key, _, each, _ in pairs)
        return zh, ", ".join(f"{key} {each}" for _, key, _, each in pairs)
    if isinstance(given, list):
        words = [_worded(name, each, currency, names) for each in given]
        return "；".join(zh for zh, _ in words), "; ".join(en for _, en in words)
    return wording.value(name, given, currency)
