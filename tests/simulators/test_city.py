"""The city: counts, shares, shapes and names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
import shapely

from simulators.city.bays import CLASSES, KERB_BAY_M
from simulators.city.build import TRY_LOTS, City, build_city
from simulators.city.capacities import BAYS_PER_LOT, MOST_ON_A_LEVEL
from simulators.city.checks import faults
from simulators.city.geodesy import between

SEED = 370200


@pytest.fixture(scope="module")
def small() -> City:
    return build_city(120, SEED)


@pytest.fixture(scope="module")
def whole() -> City:
    return build_city(1670, SEED)


def test_the_whole_city_has_the_published_numbers(whole: City) -> None:
    assert len(whole.lots) == 1670
    assert 470_000 <= len(whole.bays.lot) <= 475_000
    assert sum(lot.capacity for lot in whole.lots) == len(whole.bays.lot)
    assert 38 <= len(whole.operators) <= 42
    assert 195 <= len(whole.gateways) <= 205


@pytest.mark.parametrize("count", [5, 6, 7, 9, 12, 20, 33, 50, 100, 500])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_size_keeps_the_ratio(count: int, seed: int) -> None:
    city = build_city(count, seed)
    assert len(city.lots) == count
    assert len(city.bays.lot) == count * BAYS_PER_LOT
    assert city.lots[:2] == TRY_LOTS
    assert len({lot.name_zh for lot in city.lots}) == count
    assert len({lot.name_en for lot in city.lots}) == count


@pytest.mark.parametrize("count", [4, 0, -1, 20_001])
def test_sizes_out_of_range_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=r"5\.\.20000"):
        build_city(count, SEED)


def test_another_seed_gives_another_city(small: City) -> None:
    other = build_city(120, SEED + 1)
    assert [lot.lot_id for lot in other.lots] == [lot.lot_id for lot in small.lots]
    assert {(x.longitude, x.latitude) for x in other.lots[2:]}.isdisjoint(
        (x.longitude, x.latitude) for x in small.lots[2:]
    )


def test_every_lot_stands_in_its_district(whole: City) -> None:
    for district in whole.districts:
        points = np.array(
            [(x.longitude, x.latitude) for x in whole.lots if x.district == district.adcode]
        )
        assert len(points) > 0
        assert shapely.contains_xy(district.land, points[:, 0], points[:, 1]).all()


def test_density_follows_the_real_city(whole: City) -> None:
    counts = Counter(lot.district for lot in whole.lots)
    per_area = {d.adcode: counts[d.adcode] / d.land.area for d in whole.districts}
    centre, urban = ["370202", "370203"], ["370213", "370212", "370214", "370211"]
    beyond = ["370281", "370215", "370285", "370283"]
    order = sorted(per_area, key=lambda adcode: -per_area[adcode])
    assert order == centre + urban + beyond


def test_ids_are_unique_well_formed_and_serial(whole: City) -> None:
    ids = [lot.lot_id for lot in whole.lots]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    for lot in whole.lots:
        assert re.fullmatch(rf"{lot.district}-\d{{4}}", lot.lot_id)
    names = [g.gateway_id for g in whole.gateways] + [o.operator_id for o in whole.operators]
    assert all(re.fullmatch(r"[a-z0-9._-]{1,64}", name) for name in names)
    for district, count in Counter(lot.district for lot in whole.lots).items():
        assert f"{district}-{count:04d}" in ids


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_names_are_unique_in_both_languages(seed: int) -> None:
    lots = build_city(1670, seed).lots
    assert [n for n, times in Counter(x.name_zh for x in lots).items() if times > 1] == []
    assert [n for n, times in Counter(x.name_en for x in lots).items() if times > 1] == []


def test_gateways_report_for_lots_of_their_operator(whole: City) -> None:
    owner = {gateway.gateway_id: gateway.operator_id for gateway in whole.gateways}
    assert len(owner) == len(whole.gateways)
    assert all(owner[lot.gateway_id] == lot.operator_id for lot in whole.lots)
    assert {lot.gateway_id for lot in whole.lots} == set(owner)
    assert {lot.operator_id for lot in whole.lots} == {o.operator_id for o in whole.operators}


def test_operators_differ_much_in_size(whole: City) -> None:
    sizes = sorted(Counter(lot.operator_id for lot in whole.lots).values())
    assert sizes[-1] > 5 * median(sizes)


def test_one_operator_is_left_to_try(small: City) -> None:
    lots = [lot for lot in small.lots if lot.operator_id == "op-try"]
    assert [(lot.lot_id, lot.reporting) for lot in lots] == [
        ("370202-0001", "bays"),
        ("370202-0002", "count"),
    ]
    assert all(20 <= lot.capacity <= 200 and lot.hours is None for lot in lots)
    assert [g.gateway_id for g in small.gateways if not g.simulated] == ["gw-try"]


def test_seventy_percent_sense_each_bay(whole: City, small: City) -> None:
    for city in (whole, small):
        sensing = sum(lot.reporting == "bays" for lot in city.lots)
        assert sensing == round(0.7 * len(city.lots))


def test_capacities_have_a_heavy_tail(whole: City) -> None:
    capacities = sorted(lot.capacity for lot in whole.lots)
    assert 110 <= median(capacities) <= 160
    assert sum(20 <= n <= 100 for n in capacities) > 0.3 * len(capacities)
    assert 5 <= sum(n >= 2000 for n in capacities) <= 40
    assert 2000 < capacities[-1] <= 4000
    assert capacities[-1] > capacities[-3]
    kerb = [lot.capacity for lot in whole.lots if lot.lot_type == "on_street"]
    assert (min(kerb), max(kerb)) >= (10, 40)
    assert max(kerb) <= 80


def test_types_levels_and_height_limits_agree(whole: City) -> None:
    for lot in whole.lots:
        roofed = lot.lot_type in {"underground", "multi_storey"}
        assert (lot.height_limit_m is not None) == roofed
        assert roofed or lot.levels == 1
        assert lot.lot_type != "underground" or 2.0 <= (lot.height_limit_m or 0) <= 2.4
        assert (lot.lot_type == "on_street") == (lot.land_use == "street")
    levels = {lot.levels for lot in whole.lots}
    assert {1, 2, 3, 4} <= levels


def test_most_lots_are_open_round_the_clock(whole: City) -> None:
    hours = [lot.hours for lot in whole.lots]
    assert 0.6 < hours.count(None) / len(hours) < 0.9
    for opens, closes in filter(None, hours):
        assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", opens)
        assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", closes)
        assert opens != closes


def test_bays_are_numbered_from_one_and_levels_are_whole(small: City) -> None:
    for i, lot in enumerate(small.lots):
        own = small.bays.lot == i
        assert small.bays.number[own].tolist() == list(range(1, lot.capacity + 1))
        levels = set(small.bays.level[own].tolist())
        if lot.lot_type == "underground":
            assert levels == set(range(-lot.levels, 0))
        else:
            assert levels == set(range(lot.levels))


def test_bay_classes_have_their_shares(whole: City) -> None:
    counts = np.bincount(whole.bays.space_class, minlength=len(CLASSES))
    shares = dict(zip(CLASSES, counts / counts.sum(), strict=True))
    assert 0.015 < shares["accessible"] < 0.03
    assert 0.10 < shares["ev"] < 0.20
    assert 0.003 < shares["large"] < 0.05


def test_bays_stand_in_rows_around_their_lot(small: City) -> None:
    bays = small.bays
    for i, lot in enumerate(small.lots):
        ground = (bays.lot == i) & (bays.level == bays.level[bays.lot == i][0])
        east_m, north_m = between(
            lot.longitude, lot.latitude, bays.longitude[ground], bays.latitude[ground]
        )
        reach_m = np.hypot(east_m, north_m).max()
        limit_m = KERB_BAY_M * 40 if lot.lot_type == "on_street" else 300
        assert reach_m <= limit_m
        points = np.column_stack([east_m, north_m])
        gaps_m = np.hypot(*(points[1:] - points[:-1]).T)
        assert gaps_m.min() > 2.4
        assert len(np.unique(points.round(1), axis=0)) == len(points)


def test_levels_stack_over_one_another(small: City) -> None:
    i, lot = next((i, x) for i, x in enumerate(small.lots) if x.levels >= 3)
    own = small.bays.lot == i
    per_level = -(-lot.capacity // lot.levels)
    assert small.bays.longitude[own][0] == small.bays.longitude[own][per_level]
    assert small.bays.latitude[own][0] == small.bays.latitude[own][per_level]


def test_lots_at_places_and_addresses_do_not_crowd(whole: City) -> None:
    lots = [x for x in whole.lots if x.district == "370202" and x.lot_type != "on_street"]
    points = shapely.points([(x.longitude * 89_900, x.latitude * 110_950) for x in lots])
    tree = shapely.STRtree(points)
    _, gaps_m = tree.query_nearest(points, exclusive=True, return_distance=True)
    assert np.quantile(gaps_m, 0.02) > 35


@pytest.mark.parametrize("seed", [SEED, 1, 2, 3, 4])
def test_no_whole_city_breaks_a_rule_of_the_ground(seed: int) -> None:
    assert faults(build_city(1670, seed)) == []


@pytest.mark.parametrize("count", [5, 20, 100])
def test_no_small_city_does(count: int) -> None:
    assert faults(build_city(count, SEED)) == []


def _moved(city: City, lot: int, to: tuple[float, float]) -> City:
    """The city with all bays of a lot moved so that the first stands at `to`."""
    own = city.bays.lot == lot
    east, north = (
        np.array(to) - (city.bays.longitude[own][0], city.bays.latitude[own][0])
    ).tolist()
    bays = replace(
        city.bays,
        longitude=city.bays.longitude + np.where(own, east, 0.0),
        latitude=city.bays.latitude + np.where(own, north, 0.0),
    )
    return replace(city, bays=bays)


def test_a_lot_in_the_sea_is_a_fault(small: City) -> None:
    lot = small.lots[5]
    wrong = faults(_moved(small, 5, (120.30, 35.90)))
    assert wrong == [f"{lot.lot_id}: not all of it is on the land of Shinan District"]


def test_one_bay_in_the_sea_is_a_fault(small: City) -> None:
    own = np.flatnonzero(small.bays.lot == 5)
    latitude = small.bays.latitude.copy()
    latitude[own[-1]] = 35.9
    wrong = faults(replace(small, bays=replace(small.bays, latitude=latitude)))
    assert f"{small.lots[5].lot_id}: not all of it is on the land of Shinan District" in wrong


def test_a_lot_over_another_is_a_fault(small: City) -> None:
    one = small.lots[5]
    middle = (one.longitude, one.latitude)
    wrong = faults(_moved(small, 6, middle))
    assert any(
        each.startswith(f"{one.lot_id} and {small.lots[6].lot_id} overlap") for each in wrong
    )


def test_gates_on_a_kerb_are_a_fault(small: City) -> None:
    kerb = next(lot for lot in small.lots if lot.lot_type == "on_street")
    lots = [replace(x, reporting="count") if x is kerb else x for x in small.lots]
    wrong = faults(replace(small, lots=tuple(lots)))
    assert wrong == [f"{kerb.lot_id}: lies along a kerb and counts at gates"]


def test_a_level_that_holds_too_much_is_a_fault(small: City) -> None:
    below = (lot for lot in small.lots if lot.lot_type == "underground")
    largest = max(below, key=lambda lot: lot.capacity)
    flat = replace(small.bays, level=np.full_like(small.bays.level, -1))
    wrong = faults(replace(small, bays=flat))
    flawed = f"{largest.lot_id}: {largest.capacity} bays on level -1, which holds "
    assert any(each.startswith(flawed) for each in wrong)


def test_no_level_of_a_whole_city_is_as_large_as_1400_bays(whole: City) -> None:
    assert max(MOST_ON_A_LEVEL.values()) <= 1100
    levels = np.unique(
        np.column_stack([whole.bays.lot, whole.bays.level]), axis=0, return_counts=True
    )
    assert levels[1].max() <= 1100


def test_a_district_with_few_bays_for_its_people_is_a_fault(whole: City) -> None:
    districts = [
        replace(d, people=2 * d.people) if d.adcode == "370215" else d for d in whole.districts
    ]
    assert faults(replace(whole, districts=tuple(districts))) == [
        "Jimo District: 16 bays for 1,000 people, not 24.0 to 40.0"
    ]
