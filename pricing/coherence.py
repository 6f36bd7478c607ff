"""Faults between fields of a document, found even where other fields are wrong.

The checks look at the document as it was sent, since a model that failed does not exist; each
ignores what has not the shape that it needs, because the field's own check reports that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from pricing.fields import MAX_TIERS_IN_ALL, exact, is_number

NEEDED: Final = {"unit": ("unit_s", "rounding", "tiers"), "flat": ("price_minor",), "free": ()}
PRICE_FIELDS: Final = ("unit_s", "rounding", "tiers", "price_minor")

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Incoherence:
    """Fields that do not go together."""

    location: Location
    code: str
    message: str


def incoherences(document: Mapping[str, Any]) -> list[Incoherence]:
    """Everything that contradicts something else in the document."""
    return [
        *_of_periods(document),
        *_of_all_tiers(document),
        *_of_grace(document),
        *_of_vehicles(document),
        *_repeated(document, "periods"),
        *_repeated(document, "entitlements"),
    ]


def combined(
    title: str, error: ValidationError | None, found: list[Incoherence]
) -> ValidationError:
    """One error out of those of the fields and those between them."""
    details = [] if error is None else [_restated(each) for each in error.errors()]
    details += [
        InitErrorDetails(type=_worded(each.code, each.message), loc=each.location, input=None)
        for each in found
    ]
    return ValidationError.from_exception_data(title, details)


def _restated(error: Any) -> InitErrorDetails:
    message = error["msg"].removeprefix("Value error, ")
    return InitErrorDetails(type=_worded(error["type"], message), loc=error["loc"], input=None)


def _worded(code: str, message: str) -> PydanticCustomError:
    # The message is an argument, not the template: it may hold braces of the document.
    return PydanticCustomError(code, "{message}", {"message": message})


def _members(
    document: Mapping[str, Any], field: str
) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    listed = document.get(field)
    if isinstance(listed, list | tuple):
        for place, member in enumerate(listed):
            if isinstance(member, Mapping):
                yield (field, place), member


def _of_periods(document: Mapping[str, Any]) -> Iterator[Incoherence]:
    for location, period in _members(document, "periods"):
        yield from _of_charge(location, period)
        yield from _of_tiers(location, period)
        if period.get("start") == "24:00":
            message = "24:00 as a start leaves the day open to doubt; write 00:00 of the next day"
            yield Incoherence((*location, "start"), "start_at_24", message)


def _of_all_tiers(document: Mapping[str, Any]) -> Iterator[Incoherence]:
    count = sum(1 for _, period in _members(document, "periods") for _ in _members(period, "tiers"))
    if count > MAX_TIERS_IN_ALL:
        message = f"have {count} tiers in all, more than {MAX_TIERS_IN_ALL}"
        yield Incoherence(("periods",), "too_many_tiers", message)


def _of_charge(location: Location, period: Mapping[str, Any]) -> Iterator[Incoherence]:
    charge = period.get("charge")
    if not isinstance(charge, str) or charge not in NEEDED:
        return
    for field in PRICE_FIELDS:
        given = period.get(field) is not None
        if field in NEEDED[charge] and not given:
            message = f"is required where charge is {charge}"
            yield Incoherence((*location, field), "missing", message)
        elif given and field not in NEEDED[charge]:
            message = f"means nothing where charge is {charge}"
            yield Incoherence((*location, field), "contradiction", message)


def _of_tiers(location: Location, period: Mapping[str, Any]) -> Iterator[Incoherence]:
    last: int | None = None
    for inner, tier in _members(period, "tiers"):
        from_s = tier.get("from_s")
        path = (*location, *inner, "from_s")
        if not isinstance(from_s, int) or isinstance(from_s, bool):
            continue
        if inner[-1] == 0 and from_s != 0:
            yield Incoherence(path, "first_tier", "the first tier starts from 0")
        if last is not None and from_s <= last:
            yield Incoherence(path, "tier_order", f"must be greater than {last}, the tier before")
        last = from_s


def _of_grace(document: Mapping[str, Any]) -> Iterator[Incoherence]:
    grace = document.get("grace")
    if not isinstance(grace, Mapping):
        return
    mode = grace.get("mode")
    if mode not in ("none", "threshold", "deduct", "tail"):
        return
    wanted = {"seconds": mode != "none", "basis": mode == "threshold"}
    for field, needed in wanted.items():
        given = grace.get(field) is not None
        if needed and not given:
            yield Incoherence(("grace", field), "missing", f"is required with mode {mode}")
        elif given and not needed:
            yield Incoherence(("grace", field), "contradiction", f"means nothing with mode {mode}")
    if mode == "none" and grace.get("first_stay_of_day") is True:
        path = ("grace", "first_stay_of_day")
        yield Incoherence(path, "contradiction", "there is no grace for it to limit")


def _of_vehicles(document: Mapping[str, Any]) -> Iterator[Incoherence]:
    vehicles = document.get("vehicles")
    if not isinstance(vehicles, Mapping):
        return
    prices = _prices(document)
    least = min(prices, default=None)
    for name, vehicle in vehicles.items():
        added = vehicle.get("add_minor_per_unit", 0) if isinstance(vehicle, Mapping) else 0
        factor = vehicle.get("multiplier", 1) if isinstance(vehicle, Mapping) else 1
        if not isinstance(added, int) or added >= 0 or least is None or not is_number(factor):
            continue
        if least * exact(factor) + added < 0:
            message = "makes the price of a unit negative"
            yield Incoherence(("vehicles", name, "add_minor_per_unit"), "negative_price", message)


def _prices(document: Mapping[str, Any]) -> list[int]:
    tiers = (
        tier for _, period in _members(document, "periods") for _, tier in _members(period, "tiers")
    )
    return [price for tier in tiers if isinstance(price := tier.get("price_minor"), int)]


def _repeated(document: Mapping[str, Any], field: str) -> Iterator[Incoherence]:
    seen: set[str] = set()
    for location, member in _members(document, field):
        name = member.get("id")
        if not isinstance(name, str):
            continue
        if name in seen:
            message = f"{name} is the id of an earlier one too"
            yield Incoherence((*location, "id"), "duplicate_id", message)
        seen.add(name)
