"""Faults between fields of a document, found even where other fields are wrong.

The checks look at the document as it was sent, since a model that failed does not exist; each
ignores what has not the shape that it needs, because the field's own check reports that.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from pricing.errors import Found, Location
from pricing.fields import MAX_TIERS_IN_ALL, exact, is_number

NEEDED: Final = {"unit": ("unit_s", "rounding", "tiers"), "flat": ("price_minor",), "free": ()}
PRICE_FIELDS: Final = ("unit_s", "rounding", "tiers", "price_minor")


def incoherences(document: Mapping[str, Any]) -> list[Found]:
    """Everything that contradicts something else in the document."""
    return [
        *_of_periods(document),
        *_of_all_tiers(document),
        *_of_grace(document),
        *_of_vehicles(document),
        *_repeated(document, "periods"),
        *_repeated(document, "entitlements"),
    ]


def found_by_fields(error: ValidationError) -> list[Found]:
    """What pydantic found wrong with single fields."""
    return [
        Found(each["loc"], each["type"], each["msg"].removeprefix("Value error, "))
        for each in error.errors(include_url=False)
    ]


def combined(title: str, found: list[Found]) -> ValidationError:
    """One error that holds all that was found."""
    # The message is an argument, not the template: it may hold braces of the document.
    return ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                type=PydanticCustomError(each.code, "{message}", {"message": each.message}),
                loc=each.location,
                input=None,
            )
            for each in found
        ],
    )


def _members(
    document: Mapping[str, Any], field: str
) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    listed = document.get(field)
    if isinstance(listed, list | tuple):
        for place, member in enumerate(listed):
            if isinstance(member, Mapping):
                yield (field, place), member


def _of_periods(document: Mapping[str, Any]) -> Iterator[Found]:
    for location, period in _members(document, "periods"):
        yield from _of_charge(location, period)
        yield from _of_tiers(location, period)
        if period.get("start") == "24:00":
            yield Found(
                (*location, "start"),
                "start_at_24",
                "24:00 as a start leaves the day open to doubt; write 00:00 of the next day",
            )


def _of_all_tiers(document: Mapping[str, Any]) -> Iterator[Found]:
    count = sum(1 for _, period in _members(document, "periods") for _ in _members(period, "tiers"))
    if count > MAX_TIERS_IN_ALL:
        yield Found(
            ("periods",),
            "too_many_tiers",
            f"have {count} tiers in all, more than {MAX_TIERS_IN_ALL}",
        )


def _of_charge(location: Location, period: Mapping[str, Any]) -> Iterator[Found]:
    charge = period.get("charge")
    if isinstance(charge, str) and charge in NEEDED:
        needed = {field: field in NEEDED[charge] for field in PRICE_FIELDS}
        yield from _of_fields(location, period, needed, f"where charge is {charge}")


def _of_fields(
    location: Location, part: Mapping[str, Any], needed: Mapping[str, bool], when: str
) -> Iterator[Found]:
    """Fields that are needed and missing, or given and not needed."""
    for field, is_needed in needed.items():
        given = part.get(field) is not None
        if is_needed and not given:
            yield Found((*location, field), "missing", f"is required {when}")
        elif given and not is_needed:
            yield Found((*location, field), "contradiction", f"means nothing {when}")


def _of_tiers(location: Location, period: Mapping[str, Any]) -> Iterator[Found]:
    last: int | None = None
    for inner, tier in _members(period, "tiers"):
        from_s = tier.get("from_s")
        path = (*location, *inner, "from_s")
        if not isinstance(from_s, int) or isinstance(from_s, bool):
            continue
        if inner[-1] == 0 and from_s != 0:
            yield Found(path, "first_tier", "the first tier starts from 0")
        if last is not None and from_s <= last:
            yield Found(path, "tier_order", f"must be greater than {last}, the tier before")
        last = from_s


def _of_grace(document: Mapping[str, Any]) -> Iterator[Found]:
    grace = document.get("grace")
    if not isinstance(grace, Mapping):
        return
    mode = grace.get("mode")
    if mode in ("none", "threshold", "deduct", "tail"):
        needed = {"seconds": mode != "none", "basis": mode == "threshold"}
        yield from _of_fields(("grace",), grace, needed, f"with mode {mode}")
    if mode == "none" and grace.get("first_stay_of_day") is True:
        path = ("grace", "first_stay_of_day")
        yield Found(path, "contradiction", "there is no grace for it to limit")


def _of_vehicles(document: Mapping[str, Any]) -> Iterator[Found]:
    vehicles = document.get("vehicles")
    least = min(_prices(document), default=None)
    if least is None or not isinstance(vehicles, Mapping):
        return
    for name, vehicle in vehicles.items():
        given = vehicle if isinstance(vehicle, Mapping) else {}
        added, factor = given.get("add_minor_per_unit", 0), given.get("multiplier", 1)
        if not isinstance(added, int) or added >= 0 or not is_number(factor):
            continue
        if least * exact(factor) + added < 0:
            path = ("vehicles", name, "add_minor_per_unit")
            yield Found(path, "negative_price", "makes the price of a unit negative")


def _prices(document: Mapping[str, Any]) -> list[int]:
    return [
        price
        for _, period in _members(document, "periods")
        for _, tier in _members(period, "tiers")
        if isinstance(price := tier.get("price_minor"), int)
    ]


def _repeated(document: Mapping[str, Any], field: str) -> Iterator[Found]:
    seen: set[str] = set()
    for location, member in _members(document, field):
        name = member.get("id")
        if isinstance(name, str):
            if name in seen:
                message = f"{name} is the id of an earlier one too"
                yield Found((*location, "id"), "duplicate_id", message)
            seen.add(name)
