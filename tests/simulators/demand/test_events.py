"""Events: their crowds park around the place and leave, and a bad one is named."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulators.demand.events import CARS_PER_PERSON, Event, guests_of, read_event, read_places
from simulators.demand.flow import Flow
from simulators.registry import RegistryError
from tests.simulators.demand.cities import HOUR_S, OFFSET_S, STILL, at, lot, parameters

ZONE = ZoneInfo("Asia/Shanghai")
BEGINS = "2026-11-24T19:30"
STADIUM = Event("stadium", 120.38, 36.06, at(BEGINS), 4_000)
LOTS = [
    lot("beside", 500, "office", longitude=120.38, latitude=36.061),
    lot("a walk away", 500, "office", longitude=120.38, latitude=36.068),
    lot("far", 500, "office", longitude=120.38, latitude=36.2),
]
PLACES = {"p1": (120.38, 36.06), "国信体育场": (120.38, 36.06), "Guoxin Stadium": (120.38, 36.06)}


def run(*events: Event) -> Flow:
    known = parameters("office", peak={"mean": 0.4, "sd": 0}, **STILL)
    return Flow(
        LOTS,
        at("2026-11-24T12:00"),
        seed=1,
        utc_offset_s=OFFSET_S,
        parameters=known,
        events=events,
    )


def test_a_crowd_comes_before_parks_near_and_leaves_after() -> None:
    plain, crowded = run(), run(STADIUM)
    cars = 4_000 * CARS_PER_PERSON
    more = []
    for hours in (-4, 0, 2, 3.5):
        for flow in (plain, crowded):
            flow.advance_to(at(BEGINS) + hours * HOUR_S)
        more.append((crowded.present - plain.present).tolist())
    before, begun, during, after = more
    assert before == [0, 0, 0]
    assert sum(after) == pytest.approx(0, abs=90)
    assert begun[0] > begun[1] > 20
    assert sum(begun[:2]) == pytest.approx(cars, rel=0.25)
    assert sum(during[:2]) > 0.7 * cars
    assert abs(begun[2]) < 60


def test_who_finds_no_room_at_an_event_is_counted() -> None:
    flow = run(Event("final", 120.38, 36.06, at(BEGINS), 20_000))
    flow.advance_to(at(BEGINS))
    assert 940 < flow.present[:2].sum() <= 1_000
    assert flow.lost > 1_000
    assert flow.present[2] < 500


def test_an_event_is_the_same_beside_another() -> None:
    one, both = guests_of([STADIUM], LOTS, 1), guests_of([STADIUM, STADIUM], LOTS, 1)
    assert np.array_equal(np.repeat(one.comes_s, 2), both.comes_s)
    assert (np.diff(both.comes_s) >= 0).all()
    assert one.comes_s.max() <= at(BEGINS) < one.leaves_s.min()


def test_places_and_events_are_read(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text(
        "place_id,name_zh,name_en,district,longitude,latitude\n"
        "p1,国信体育场,Guoxin Stadium,370212,120.38,36.06\n",
        encoding="utf-8",
    )
    assert read_places(path) == PLACES
    for name in PLACES:
        event = read_event(f"{name},{BEGINS},4000", PLACES, ZONE)
        assert event == Event(name, 120.38, 36.06, at(BEGINS), 4_000)
    assert read_event(f"p1,{BEGINS}Z,1", PLACES, ZONE).begins_s == at(BEGINS) + OFFSET_S


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("p1", "PLACE,TIME,PEOPLE"),
        ("p1,2026-11-24T19:30,5,6", "PLACE,TIME,PEOPLE"),
        ("Guoxin Stadion,2026-11-24T19:30,5", "did you mean Guoxin Stadium"),
        ("p1,half past seven,5", "'half past seven' is no time"),
        ("p1,2026-13-24T19:30,5", "is no time"),
        ("p1,2026-11-24T19:30,many", "'many' is no number of people"),
        ("p1,2026-11-24T19:30,-5", "is no number of people"),
        ("p1,2026-11-24T19:30,0", "is no number of people"),
        ("p1,2026-11-24T19:30,1000000", "1 to 200000"),
        ("p1,2026-11-24T19:30,\u0665", "is no number of people"),
    ],
)
def test_a_bad_event_is_named(text: str, named: str) -> None:
    with pytest.raises(RegistryError, match=named):
        read_event(text, PLACES, ZONE)


def test_an_event_far_from_any_lot_is_refused() -> None:
    with pytest.raises(RegistryError, match="no lot within 1500 m"):
        run(Event("island", 121.0, 35.5, at(BEGINS), 100))


def test_bad_places_are_named(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("place_id,longitude,latitude\np1,120,36\n")
    with pytest.raises(RegistryError, match=r"places\.csv"):
        read_places(path)
    with pytest.raises(RegistryError, match=r"none\.csv"):
        read_places(tmp_path / "none.csv")


def test_known_parameters_hold_for_events_too() -> None:
    known = parameters("office", peak={"mean": 0.1, "sd": 0})
    flow = Flow(LOTS, at(BEGINS), seed=1, utc_offset_s=OFFSET_S, parameters=known, events=[STADIUM])
    # Those who came before the start are there: the run began a week before.
    assert flow.present[:2].sum() > 300
