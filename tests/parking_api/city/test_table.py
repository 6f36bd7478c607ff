"""The nearest lots and bays, found by the grid, are those that are found by measuring all."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking_api.city.bays import Bays
from parking_api.city.distances import distances_m
from parking_api.city.queries import CityLot
from parking_api.city.search import Found, Near, Wanted, nearest_bays, nearest_lots
from parking_api.city.states import micros
from parking_api.city.table import Table

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
# Usual ones; on both sides of 180 degrees; where degrees of longitude shrink to nothing.
CENTRES = [(120.38, 36.06), (180.0, -17.0), (-180.0, 51.9), (25.0, 79.99), (0.0, 90.0), (0.0, 0.0)]
CAPACITY = 8


def row(number: int, lon: float, lat: float, **values: Any) -> CityLot:
    columns: dict[str, Any] = dict.fromkeys(CityLot.__struct_fields__)
    columns |= {
        "lot_id": f"lot-{number:04d}",
        "operator_id": "op-a",
        "lot_type": "surface",
        "reporting": "bays",
        "report_interval_s": 600,
        "registered_capacity": CAPACITY,
        "levels": 1,
        "timezone": "Asia/Shanghai",
        "longitude": (lon + 180) % 360 - 180,
        "latitude": max(-90.0, min(lat, 90.0)),
        "version": 1,
        "capacity": CAPACITY,
        "free_spaces": 3,
        "unknown_spaces": 0,
        "observed_at": NOW - timedelta(minutes=1),
        "committed_at": NOW - timedelta(minutes=1),
        # The first five bays are taken.
        "occupied_bits": b"\x1f",
        "unknown_bits": b"\x00",
    }
    return CityLot(**columns | values)


def table(rows: list[CityLot], spread: float = 0.0) -> Table:
    """A table of lots, whose bays lie up to so many degrees beside them."""
    dice, size = np.random.default_rng(1), len(rows) * CAPACITY
    lons = np.repeat([one.longitude for one in rows], CAPACITY)
    lats = np.repeat([one.latitude for one in rows], CAPACITY)
    lons = (lons + dice.uniform(-spread, spread, size) + 180) % 360 - 180
    return Table(
        rows,
        Bays(
            starts=np.arange(len(rows) + 1) * CAPACITY,
            numbers=np.tile(np.arange(1, CAPACITY + 1, dtype=np.int32), len(rows)),
            levels=np.zeros(size, dtype=np.int16),
            classes=np.zeros(size, dtype=np.int16),
            lons=lons,
            lats=np.clip(lats + dice.uniform(-spread, spread, size), -90, 90),
        ),
    )


def pairs(found: Found) -> list[tuple[int, float]]:
    return list(zip(found.indices.tolist(), found.distances_m.tolist(), strict=True))


def number_near(city: Table, wanted: Wanted, at: datetime) -> int:
    return len(nearest_lots(city, Near(120.0, 36.0, 100, 1), wanted, micros(at)).indices)


@settings(max_examples=150, deadline=None)
@given(
    centre=st.sampled_from(CENTRES),
    seed=st.integers(0, 2**32 - 1),
    width=st.sampled_from([0.0, 0.001, 0.05, 1.0]),
    lots=st.integers(0, 60),
    most=st.sampled_from([1, 5, 100]),
    radius_m=st.sampled_from([1.0, 300.0, 2000.0, 20_000.0]),
)
def test_what_is_found_is_what_measuring_all_finds(  # noqa: PLR0917 - what hypothesis chooses
    centre: tuple[float, float], seed: int, width: float, lots: int, most: int, radius_m: float
) -> None:
    dice = np.random.default_rng(seed)
    places = dice.normal(centre, width + 1e-9, (lots, 2))
    # Some share a place: their order is that of their ids.
    places[lots // 2 :] = places[: lots - lots // 2]
    city = table([row(n, lon, lat) for n, (lon, lat) in enumerate(places.tolist())], width / 5)
    lon, lat = dice.normal(centre, width + 1e-9)
    lon, lat = (lon + 180) % 360 - 180, float(np.clip(lat, -90, 90))
    if centre[0] == 180 and seed % 2:
        lon = 180.0
    near = Near(lon, lat, radius_m, most)

    # The second time from what was kept of the first.
    found, again = (nearest_lots(city, near, Wanted(), micros(NOW)) for _ in range(2))
    bays, bays_again = (nearest_bays(city, near, Wanted(), micros(NOW)) for _ in range(2))

    far_m = distances_m(lon, lat, city.lons, city.lats)
    order = [int(n) for n in np.argsort(far_m, kind="stable") if far_m[n] <= radius_m][:most]
    assert pairs(found) == pairs(again) == [(n, far_m[n]) for n in order]
    far_m = distances_m(lon, lat, city.bays.lons, city.bays.lats)
    far_m[city.bays.numbers <= 5] = np.inf
    order = [int(n) for n in np.argsort(far_m, kind="stable") if far_m[n] <= radius_m][:most]
    assert pairs(bays) == pairs(bays_again) == [(n, far_m[n]) for n in order]


@pytest.mark.parametrize(
    ("later", "states"),
    [
        (timedelta(0), ["live", "open"]),
        # 1.5 report intervals after what was observed, and a microsecond more.
        (timedelta(minutes=14), ["live", "open"]),
        (timedelta(minutes=14, microseconds=1), ["stale", "open"]),
        (timedelta(minutes=29), ["stale", "open"]),
        (timedelta(minutes=29, microseconds=1), ["unknown", "unknown"]),
    ],
)
def test_time_passes_without_a_message(later: timedelta, states: list[str]) -> None:
    city = table([row(0, 120.0, 36.0)])
    # What is found now is kept, and must not outlive the state.
    assert number_near(city, Wanted(), NOW) == 1
    at = NOW + later
    lot = city.at(city.lots[0], micros(at))
    assert [lot.data_state, lot.status] == states
    assert number_near(city, Wanted(), at) == (states[0] != "unknown")
    assert number_near(city, Wanted(min_free=0), at) == 1
    assert number_near(city, Wanted(), NOW) == 1


@pytest.mark.parametrize("search", [nearest_lots, nearest_bays])
def test_what_is_kept_of_a_block_follows_its_states(
    search: Callable[[Table, Near, Wanted, int], Found],
) -> None:
    """One lot's states, one after the other, and whether it is found while each lasts."""
    city = table([row(0, 120.0, 36.0)])
    lot, near = city.lots[0], Near(120.0, 36.0, 100, 1)

    def is_found(at: datetime) -> bool:
        return bool(len(search(city, near, Wanted(), micros(at)).indices))

    def becomes(version: int, observed_at: datetime, free: int) -> None:
        bits = (2**CAPACITY - 1 >> free).to_bytes(1, "little")
        values = {"version": version, "free_spaces": free, "occupied_bits": bits}
        made = table([row(0, 120.0, 36.0, observed_at=observed_at, **values)])
        assert city.take(lot, made.lots[0].state)

    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    assert is_found(NOW)
    becomes(2, NOW, 0)
    assert not is_found(NOW)
    becomes(3, NOW, 1)
    assert is_found(NOW)
    becomes(4, NOW, 5)
    assert is_found(NOW)
    # Nothing is known after half an hour; then a newer state comes, which was observed before that.
    assert not is_found(NOW + hour)
    becomes(5, NOW + 20 * minute, 5)
    assert is_found(NOW + 40 * minute)
    assert not is_found(NOW + hour)
    # One that was observed earlier: it is known for less long.
    becomes(6, NOW + hour, 5)
    assert is_found(NOW + hour)
    becomes(7, NOW + 40 * minute, 5)
    assert is_found(NOW + hour)
    assert not is_found(NOW + hour + 15 * minute)


def test_lots_open_and_close_as_time_passes() -> None:
    """The hours are those of the lot's own time zone, on whichever minute they begin."""
    hours = {"opens_at": time(11, 1), "closes_at": time(12, 30), "report_interval_s": 86_400}
    city = table([row(0, 120.0, 36.0, **hours)])
    changes, before = [], False
    for minute in count():
        at = NOW + timedelta(minutes=minute)
        is_there = bool(number_near(city, Wanted(), at))
        status = city.at(city.lots[0], micros(at)).status
        assert (status == "open") == is_there
        if is_there != before:
            changes.append(minute)
        before = is_there
        if minute == 120:
            break
    assert changes == [1, 90]


def test_a_closure_begins_and_ends_to_the_microsecond() -> None:
    begins, ends = NOW + timedelta(seconds=10, microseconds=1), NOW + timedelta(seconds=40)
    closure = {"closed_from": begins, "closed_until": ends, "report_interval_s": 86_400}
    city = table([row(0, 120.0, 36.0, **closure), row(1, 120.0, 36.0, report_interval_s=86_400)])
    one = timedelta(microseconds=1)
    times = [NOW, begins - one, begins, NOW + timedelta(seconds=20), ends - one, ends, ends + one]
    # Clocks may go back.
    for at in [*times, *reversed(times)]:
        is_shut = begins <= at < ends
        lot = city.at(city.lots[0], micros(at))
        assert (lot.status, lot.is_shut) == (("closed", True) if is_shut else ("open", False))
        for wanted in (Wanted(), Wanted(0)):
            found = nearest_lots(city, Near(120.0, 36.0, 100, 10), wanted, micros(at))
            assert found.indices.tolist() == ([1] if is_shut else [0, 1])
        assert city.statuses(micros(at))[1].tolist() == [2 if is_shut else 0, 0]


def test_a_lot_of_unknown_state_is_closed_for_a_time_all_the_same() -> None:
    long_ago = {"observed_at": NOW - timedelta(days=9), "closed_from": NOW - timedelta(days=1)}
    city = table([row(0, 120.0, 36.0, **long_ago)])

    assert city.at(city.lots[0], micros(NOW)).status == "closed"
    assert not number_near(city, Wanted(0), NOW)


def test_an_older_state_changes_nothing() -> None:
    city = table([row(0, 120.0, 36.0, version=5)])
    lot = city.lots[0]
    newer, older = table([row(0, 120, 36, version=6)]), table([row(0, 120, 36, version=4)])
    assert not city.take(lot, older.lots[0].state)
    assert not city.take(lot, lot.state)
    assert city.take(lot, newer.lots[0].state)
    assert lot.state is not None
    assert lot.state.version == 6
