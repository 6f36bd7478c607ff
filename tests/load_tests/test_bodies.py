from collections.abc import Callable
from typing import Any

import pytest

from load_tests.bodies import (
    NearestAsk,
    WrongBodyError,
    check_city,
    check_lot,
    check_lot_spaces,
    check_nearest,
    check_nearest_spaces,
)
from tests.load_tests import builders
from tests.load_tests.builders import AT, BAYS, GATES, LOTS

Spoil = Callable[[dict[str, Any]], object]
ASK = NearestAsk(*AT)


def test_right_answers_pass() -> None:
    check_nearest(builders.nearest(), ASK, LOTS)
    check_nearest_spaces(builders.nearest_spaces(), ASK, LOTS)
    check_lot(builders.one_lot(), BAYS)
    check_lot_spaces(builders.lot_spaces(), BAYS)
    check_lot_spaces({"items": []}, GATES)
    check_city(builders.city(), 3)


def test_an_empty_answer_of_nearest_is_no_wrong_one() -> None:
    check_nearest({**builders.nearest(), "lots": []}, ASK, LOTS)


@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("order of distances", lambda b: b["lots"].reverse()),
        ("distance off by over 0.5 %", lambda b: b["lots"][0].update(distance_m=100.0)),
        (
            "distance off by over 0.5 %",
            lambda b: b["lots"][0].update(distance_m=b["lots"][0]["distance_m"] * 1.006),
        ),
        ("fewer free spaces than asked for", lambda b: b["lots"][0].update(free_spaces=0)),
        ("fewer free spaces than asked for", lambda b: b["lots"][1].update(free_spaces=None)),
        ("more free spaces than capacity", lambda b: b["lots"][0].update(free_spaces=51)),
        ("a lot that is not open", lambda b: b["lots"][0].update(status="closed")),
        (
            "free spaces of an unknown state",
            lambda b: b["lots"][0].update(data_state="unknown"),
        ),
        ("a lot that is not in the city", lambda b: b["lots"][0].update(lot_id="x")),
        (
            "a lot stands elsewhere",
            lambda b: b["lots"][0].update(location=builders.location(120.4, 36.0)),
        ),
        ("the same one twice", lambda b: b["lots"].append(b["lots"][-1])),
        ("observed_at is no time", lambda b: b["lots"][0].update(observed_at=None)),
        ("as_of is no time", lambda b: b.update(as_of="2026-11-22T09:30:00")),
        ("a price below nothing", lambda b: b["lots"][1]["quote"].update(total_minor=-1)),
        ("degraded", lambda b: b.update(degraded=True)),
    ],
)
def test_a_wrong_answer_of_nearest_is_named(problem: str, spoil: Spoil) -> None:
    body = builders.nearest()
    spoil(body)
    with pytest.raises(WrongBodyError, match=problem):
        check_nearest(body, ASK, LOTS)


@pytest.mark.parametrize(
    ("problem", "ask"),
    [
        ("more lots than asked for", NearestAsk(*AT, limit=1)),
        ("beyond the radius", NearestAsk(*AT, radius_m=100.0)),
        ("fewer free spaces than asked for", NearestAsk(*AT, min_free=4)),
    ],
)
def test_an_answer_to_another_question_is_named(problem: str, ask: NearestAsk) -> None:
    with pytest.raises(WrongBodyError, match=problem):
        check_nearest(builders.nearest(), ask, LOTS)


def test_too_few_of_a_class_are_named() -> None:
    body = builders.nearest()
    for lot in body["lots"]:
        lot["free_of_class"] = 1
    ask = NearestAsk(*AT, min_free=2, space_class="ev")
    with pytest.raises(WrongBodyError, match="too few of the class"):
        check_nearest(body, ask, LOTS)


@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("a bay of another lot", lambda b: b["spaces"][0].update(space_id="370202-0002-0001")),
        ("a bay of a lot that senses none", lambda b: b["spaces"][0].update(lot_id=GATES.lot_id)),
        ("distance off by over 0.5 %", lambda b: b["spaces"][1].update(distance_m=900.0)),
        (
            "a bay beyond the lot's capacity",
            lambda b: b["spaces"][0].update(number=5, space_id=f"{BAYS.lot_id}-0005"),
        ),
        ("the same one twice", lambda b: b["spaces"].append(b["spaces"][-1])),
    ],
)
def test_wrong_nearest_bays_are_named(problem: str, spoil: Spoil) -> None:
    body = builders.nearest_spaces()
    spoil(body)
    with pytest.raises(WrongBodyError, match=problem):
        check_nearest_spaces(body, ASK, LOTS)


@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("another lot", lambda b: b.update(lot_id="x")),
        ("free spaces known and state unknown", lambda b: b.update(data_state="unknown")),
        ("do not add up", lambda b: b["free_by_class"].update(ev=2)),
        ("more free spaces than capacity", lambda b: b.update(free_spaces=5)),
        ("more free spaces than capacity", lambda b: b.update(unknown_spaces=2)),
        (
            "free spaces known and state unknown",
            lambda b: b.update(free_spaces=0, unknown_spaces=4),
        ),
        ("full with a free or an unknown space", lambda b: b.update(status="full")),
        ("observed ahead of the platform's clock", lambda b: b.update(age_s=-1.0)),
        ("a stay of no length", lambda b: b["stay"].update(duration_min=0)),
        ("start is no time", lambda b: b["stay"].update({"from": "2026-11-22T09:30:00"})),
        ("a price below nothing", lambda b: b["quote"].update(total_minor=-1)),
        ("a price of no tariff", lambda b: b["quote"].update(tariff_id="")),
        ("a price of no version", lambda b: b["quote"].update(version=0)),
        ("closes_at is no time", lambda b: b.update(closes_at="23:00")),
        ("closes_at outside", lambda b: b.update(closes_at="2026-11-22T10:30:00+08:00")),
        ("closes_at outside", lambda b: b.update(closes_at="2026-11-22T09:30:00+08:00")),
    ],
)
def test_a_wrong_lot_is_named(problem: str, spoil: Spoil) -> None:
    body = builders.one_lot()
    spoil(body)
    with pytest.raises(WrongBodyError, match=problem):
        check_lot(body, BAYS)


@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("more or fewer bays", lambda b: b["items"].pop()),
        ("out of order", lambda b: b["items"].reverse()),
        ("without a state", lambda b: b["items"][0].update(state="taken")),
        ("of another lot", lambda b: b["items"][0].update(space_id="x-0001")),
        (
            "far from its lot",
            lambda b: b["items"][0].update(location=builders.location(120.5, 36.0631)),
        ),
    ],
)
def test_wrong_bays_of_a_lot_are_named(problem: str, spoil: Spoil) -> None:
    body = builders.lot_spaces()
    spoil(body)
    with pytest.raises(WrongBodyError, match=problem):
        check_lot_spaces(body, BAYS)


@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("occupancy is not that of the counts", lambda b: b.update(free_spaces=31)),
        (
            "free_spaces of the districts do not add up",
            lambda b: b.update(free_spaces=31, occupancy=0.69),
        ),
        ("occupancy is not that of the counts", lambda b: b.update(unknown_spaces=10)),
        (
            "unknown_spaces of the districts do not add up",
            lambda b: b.update(unknown_spaces=10, occupancy=0.6667),
        ),
        ("more free spaces than capacity", lambda b: b["districts"][0].update(free_spaces=41)),
        ("lots by data_state", lambda b: b.update(live=2)),
        (
            "capacity of the districts",
            lambda b: b["districts"][1].update(capacity=61, occupancy=1 - 20 / 61),
        ),
        ("occupancy outside", lambda b: b.update(occupancy=1.2)),
    ],
)
def test_wrong_totals_are_named(problem: str, spoil: Spoil) -> None:
    body = builders.city()
    spoil(body)
    with pytest.raises(WrongBodyError, match=problem):
        check_city(body, 3)


def test_a_city_that_lacks_lots_is_named() -> None:
    with pytest.raises(WrongBodyError, match="more or fewer lots"):
        check_city(builders.city(), 4)
