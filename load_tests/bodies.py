"""Checks of the answers' bodies: an error names what is wrong, whatever the status code is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pyproj import Geod

from load_tests.catalogue import Lot

_WGS_84: Final = Geod(ellps="WGS84")
# The bound of docs/contract/http.md on distances, and the half millimetre that rounding may take.
_RELATIVE: Final = 0.005
_ROUNDING_M: Final = 0.001
# Coordinates of a lot are the same in every answer.
_SAME_DEG: Final = 1e-7
# No bay is further from its lot's point.
_LOT_EXTENT_M: Final = 3000.0
_DATA_STATES: Final = frozenset({"live", "stale", "estimated", "unknown"})
_STATES: Final = frozenset({"free", "occupied", "unknown"})
_CLASSES: Final = frozenset({"standard", "accessible", "ev", "large"})
_COUNTED: Final = ("lots", "capacity", "free_spaces", "unknown_spaces")
_SUMMED: Final = (*_COUNTED, "live", "stale", "estimated", "unknown")
# Occupancy has four digits.
_SAME_RATIO: Final = 1e-4

Body = Mapping[str, Any]


class WrongBodyError(Exception):
    """An answer is wrong; the message names the check, without values that vary."""


@dataclass(frozen=True, slots=True)
class NearestAsk:
    """The parameters of `/v1/nearest` or `/v1/spaces/nearest`; degrees, metres."""

    longitude: float
    latitude: float
    limit: int = 10
    radius_m: float = 2000.0
    min_free: int = 1
    space_class: str | None = None


def require(holds: object, name: str) -> None:
    """Raise an error with the check's name if it fails.

    Raises:
        WrongBodyError: `holds` is false.
    """
    if not holds:
        raise WrongBodyError(name)


def check_nearest(body: Body, ask: NearestAsk, lots: Mapping[str, Lot]) -> None:
    """Check an answer of `/v1/nearest`: which lots, how far, in what order, and their state.

    Raises:
        WrongBodyError: Something is wrong with it.
    """
    found: Sequence[Body] = body["lots"]
    _check_envelope(body)
    _check_prices(body["stay"], found)
    require(len(found) <= ask.limit, "more lots than asked for")
    for one in found:
        lot = lots.get(one["lot_id"])
        if lot is None:
            raise WrongBodyError("a lot that is not in the city")
        at = _point(one)
        require(
            abs(at[0] - lot.longitude) < _SAME_DEG and abs(at[1] - lot.latitude) < _SAME_DEG,
            "a lot stands elsewhere",
        )
        _check_distance(one, ask)
        _check_free(one, ask)
    _check_order([(one["distance_m"], one["lot_id"]) for one in found])


def _check_free(one: Body, ask: NearestAsk) -> None:
    free = one["free_spaces"]
    require(isinstance(free, int) and free >= ask.min_free, "fewer free spaces than asked for")
    _check_counts(one)
    require(one["status"] == "open", "a lot that is not open")
    require(one["data_state"] in _DATA_STATES - {"unknown"}, "free spaces of an unknown state")
    _moment(one["observed_at"], "observed_at is no time")
    _check_age(one)
    if ask.space_class is not None:
        require(one["free_of_class"] >= max(ask.min_free, 1), "too few of the class asked for")


def _check_counts(one: Body) -> None:
    """Check that free and unknown spaces, which are no more than there are, leave none below 0."""
    free, unknown = one["free_spaces"], one["unknown_spaces"]
    require((free or 0) >= 0 and unknown >= 0, "spaces below 0")
    require((free or 0) + unknown <= one["capacity"], "more free spaces than capacity")


def _check_age(one: Body) -> None:
    age_s = one["age_s"]
    require(age_s is None or age_s >= 0, "observed ahead of the platform's clock")


def _check_prices(stay: Body, lots: Sequence[Body]) -> None:
    """Check that an answer says what it prices, and that every price and closing is of that."""
    start = _moment(stay["from"], "the stay's start is no time")
    require(stay["duration_min"] >= 1, "a stay of no length")
    end = start + timedelta(minutes=stay["duration_min"])
    for one in lots:
        quote = one["quote"]
        if quote is not None:
            require(quote["total_minor"] >= 0, "a price below nothing")
            require(quote["currency"] and quote["tariff_id"], "a price of no tariff")
            require(quote["version"] >= 1, "a price of no version")
        if "closes_at" in one:
            closes_at = _moment(one["closes_at"], "closes_at is no time")
            require(start < closes_at < end, "closes_at outside the stay")


def check_nearest_spaces(body: Body, ask: NearestAsk, lots: Mapping[str, Lot]) -> None:
    """Check an answer of `/v1/spaces/nearest`.

    Raises:
        WrongBodyError: Something is wrong with it.
    """
    found: Sequence[Body] = body["spaces"]
    _check_envelope(body)
    require(len(found) <= ask.limit, "more bays than asked for")
    for one in found:
        lot = lots.get(one["lot_id"])
        if lot is None:
            raise WrongBodyError("a bay of a lot that is not in the city")
        require(lot.reporting == "bays", "a bay of a lot that senses none")
        _check_bay(one, lot)
        require(one["number"] <= lot.capacity, "a bay beyond the lot's capacity")
        _check_distance(one, ask)
    _check_order([(one["distance_m"], one["lot_id"], one["number"]) for one in found])


def check_lot(body: Body, lot: Lot) -> None:
    """Check an answer of `/v1/lots/{lot_id}`.

    Raises:
        WrongBodyError: Something is wrong with it.
    """
    require(body["lot_id"] == lot.lot_id, "another lot")
    require(body["reporting"] == lot.reporting, "another way of reporting")
    require(body["operator_id"] == lot.operator_id, "another operator")
    require(body["data_state"] in _DATA_STATES, "no data_state")
    require(not body.get("degraded"), "degraded")
    _check_counts(body)
    _check_age(body)
    free, unknown, capacity = body["free_spaces"], body["unknown_spaces"], body["capacity"]
    known = body["data_state"] != "unknown" and (unknown < capacity or not capacity)
    require((free is not None) == known, "free spaces known and state unknown, or the reverse")
    require(known or unknown == capacity, "spaces known and state unknown")
    if body["status"] == "full":
        require(free == 0 and unknown == 0, "full with a free or an unknown space")
    classes = body["free_by_class"]
    if known and lot.reporting == "bays":
        require(sum(classes.values()) == free, "free spaces by class do not add up")
    _check_prices(body["stay"], [body])


def check_lot_spaces(body: Body, lot: Lot) -> None:
    """Check an answer of `/v1/lots/{lot_id}/spaces`: every bay, once, in order, of this lot.

    Raises:
        WrongBodyError: Something is wrong with it.
    """
    items: Sequence[Body] = body["items"]
    bays = lot.capacity if lot.reporting == "bays" else 0
    require(len(items) == bays, "more or fewer bays than the lot has")
    for number, item in enumerate(items, start=1):
        require(item["number"] == number, "bays out of order")
        require(item["state"] in _STATES, "a bay without a state")
        _check_bay(item, lot)


def check_city(body: Body, lots: int) -> None:
    """Check an answer of `/v1/city`: districts add up, and nothing is beyond its bounds.

    Raises:
        WrongBodyError: Something is wrong with it.
    """
    _check_envelope(body)
    require(body["lots"] == lots, "more or fewer lots than the city has")
    for one in (body, *body["districts"]):
        _check_counts(one)
        states = one["live"] + one["stale"] + one["estimated"] + one["unknown"]
        require(states == one["lots"], "lots by data_state do not add up")
        occupancy = one["occupancy"]
        require(occupancy is None or 0 <= occupancy <= 1, "occupancy outside 0..1")
        known = one["capacity"] - one["unknown_spaces"]
        if occupancy is not None and not one["unknown"]:
            same = known and abs(occupancy - 1 + one["free_spaces"] / known) < _SAME_RATIO
            require(same, "occupancy is not that of the counts")
    for field in _SUMMED:
        total = sum(district[field] for district in body["districts"])
        require(total == body[field], f"{field} of the districts do not add up")


def _check_envelope(body: Body) -> None:
    _moment(body["as_of"], "as_of is no time")
    require(not body.get("degraded"), "degraded")


def _check_bay(one: Body, lot: Lot) -> None:
    require(one["space_id"] == f"{lot.lot_id}-{one['number']:04d}", "a bay of another lot")
    require(one["number"] >= 1, "a bay below 1")
    require(one["space_class"] in _CLASSES, "a bay of no class")
    require(isinstance(one["level"], int), "a bay on no level")
    longitude, latitude = _point(one)
    # A degree of longitude is shorter: this bound is a coarse one, for thousands of bays.
    away = max(abs(longitude - lot.longitude), abs(latitude - lot.latitude)) * 111_195
    require(away <= _LOT_EXTENT_M, "a bay far from its lot")


def _check_distance(one: Body, ask: NearestAsk) -> None:
    distance_m = one["distance_m"]
    _, _, true_m = _WGS_84.inv(ask.longitude, ask.latitude, *_point(one))
    require(
        abs(distance_m - true_m) <= _RELATIVE * true_m + _ROUNDING_M, "distance off by over 0.5 %"
    )
    require(distance_m <= ask.radius_m + _ROUNDING_M, "beyond the radius")


def _check_order(keys: Sequence[tuple[Any, ...]]) -> None:
    # Distances are rounded to the millimetre: two that look equal may differ below that.
    distances = [key[0] for key in keys]
    require(distances == sorted(distances), "order of distances")
    require(len({key[1:] for key in keys}) == len(keys), "the same one twice")


def _point(one: Body) -> tuple[float, float]:
    location = one["location"]
    require(location["type"] == "Point", "a location that is no point")
    longitude, latitude = location["coordinates"]
    return longitude, latitude


def _moment(text: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise WrongBodyError(name) from None
    require(moment.tzinfo is not None, name)
    return moment
