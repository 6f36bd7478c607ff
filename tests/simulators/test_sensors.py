"""Each fault of sensors, gates, clocks and connections, and that the same days have the same."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pytest

from simulators import fleet
from simulators.demand.bays import Demand
from simulators.feeds import merge, spaces_report
from simulators.registry import Broker
from simulators.sensors.bays import BaySensors, Chances
from simulators.sensors.gates import GateCounters
from simulators.sensors.links import GRACE_S, Links
from simulators.sensors.profiles import (
    BAD,
    CLEAN,
    DEAD_MIN,
    FLIPPED_MIN,
    FROZEN_MIN,
    NORMAL,
    PROFILES,
    ClockFault,
    Profile,
)
from simulators.world import World
from tests.polling import until
from tests.simulators.conftest import OpenBroker
from tests.simulators.platform_double import PlatformDouble
from tests.simulators.test_fleet import GATEWAYS, LOTS, NOON, Clock, lot

BAYS = 20_000
OFFSETS = np.array([0, BAYS // 2, BAYS])
ALL = np.arange(BAYS)
NOON_AT = datetime.fromisoformat(NOON)


def chances(seed: int = 1) -> Chances:
    return Chances(seed, ["370202-0001", "370202-0002"], OFFSETS)


def sensors(truth: np.ndarray, profile: Profile, seed: int = 1) -> BaySensors:
    return BaySensors(chances(seed), truth, profile, 0)


def test_clean_sensors_show_what_is_true() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    here = sensors(truth, CLEAN)
    for number in range(1, 30):
        changed = ALL[number::7]
        truth[changed] ^= True
        here.step(number, changed)
        here.renew(number)
        assert (here.shown() == truth).all()
    assert not here.unknown.any()


def test_a_missed_change_is_put_right_by_the_next_that_is_noticed() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    here = sensors(truth, Profile(missed=0.1))
    truth[:] = True
    here.step(1, ALL)
    missed = np.flatnonzero(~here.shown())
    assert len(missed) / BAYS == pytest.approx(0.1, abs=0.01)
    truth[:] = False
    here.step(2, ALL)
    again = np.flatnonzero(here.shown())
    assert len(again) / BAYS == pytest.approx(0.09, abs=0.01)
    assert not set(again) & set(missed)


def test_a_car_is_seen_in_the_next_bay_too_until_it_leaves() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    here = sensors(truth, Profile(doubled=0.2))
    cars = ALL[::2]
    truth[cars] = True
    here.step(1, cars)
    doubled = np.flatnonzero(here.shown() & ~truth)
    assert len(doubled) / len(cars) == pytest.approx(0.2, abs=0.02)
    truth[cars] = False
    here.step(2, cars)
    assert not here.shown().any()
    last = OFFSETS[1:-1] - 1
    for number in range(3, 60):
        truth[last] ^= True
        here.step(number, last)
        assert not here.shown()[last + 1].any(), "the next bay is another lot's"


def test_a_flipped_sensor_shows_the_opposite_for_a_while() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    here = sensors(truth, Profile(flipped=0.05))
    before = here.shown()
    assert before.mean() == pytest.approx(0.05, abs=0.01)
    ended = 0
    for minute in range(1, FLIPPED_MIN + 1):
        here.renew(minute)
        ended += int((before & ~here.shown()).sum() > 0)
    assert ended == FLIPPED_MIN, "some end in each minute"
    assert (before & here.shown()).sum() < 0.2 * before.sum()


def test_a_dead_sensor_is_unknown_until_it_is_replaced() -> None:
    truth = np.ones(BAYS, dtype=np.bool_)
    here = sensors(truth, Profile(dead=0.05))
    dead = np.flatnonzero(here.unknown)
    assert len(dead) / BAYS == pytest.approx(0.05, abs=0.01)
    assert not here.shown()[dead].any()
    truth[:] = False
    here.step(1, ALL)
    for minute in range(1, DEAD_MIN + 1):
        here.renew(minute)
    mended = dead[~here.unknown[dead]]
    assert len(mended) > 0.8 * len(dead)
    assert not here.shown()[mended].any()


def test_a_frozen_sensor_says_what_it_said_until_it_is_reset() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    here = sensors(truth, Profile(frozen=0.1, flipped=0.1, doubled=0.1))
    before = here.shown()
    truth[:] = True
    here.step(1, ALL)
    held = np.flatnonzero(here._frozen.on)
    assert len(held) / BAYS == pytest.approx(0.1, abs=0.01)
    assert (here.shown()[held] == before[held]).all()
    for minute in range(1, FROZEN_MIN + 1):
        here.renew(minute)
    reset = held[~here._frozen.on[held] & ~here._flipped.on[held]]
    assert len(reset) > 0.6 * len(held)
    assert here.shown()[reset].all()


def test_counts_at_gates_drift_and_are_put_right_by_night() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    gates = GateCounters(chances(), truth, OFFSETS, Profile(gate_missed=0.05, gate_doubled=0.01))
    truth[:8_000] = True
    gates.step(1, ALL[:8_000])
    counted = gates.cars[0] / 8_000
    assert counted == pytest.approx(0.96, abs=0.01)
    assert gates.cars[1] == 0
    for minute in range(2 * 60):
        gates.renew(minute, minute)
    assert gates.cars[0] != 8_000
    for minute in range(2 * 60, 5 * 60):
        gates.renew(minute, minute)
    assert gates.cars.tolist() == [8_000, 0]


def test_a_counter_shows_neither_less_than_nothing_nor_more_than_all() -> None:
    truth = np.zeros(BAYS, dtype=np.bool_)
    gates = GateCounters(chances(), truth, OFFSETS, Profile(gate_doubled=1.0, recounted=0.0))
    truth[:] = True
    gates.step(1, ALL)
    assert gates.cars.tolist() == [BAYS // 2, BAYS // 2]
    truth[:] = False
    gates.step(2, ALL)
    assert gates.cars.tolist() == [0, 0]
    truth[:] = True
    for minute in range(24 * 60):
        gates.renew(minute, minute)
    assert gates.cars.tolist() == [0, 0], "nobody counts anew"


def world(profile: Profile, seed: int = 1) -> World:
    lots = [lot(n, "bays" if n % 2 else "count", 400) for n in range(20)]
    make_demand = partial(Demand, lots, seed=1, utc_offset_s=28_800)
    return World(lots, make_demand, NOON_AT.timestamp(), NOON_AT, profile=profile, seed=seed)


def shown_after(profile: Profile, cuts_s: float, seed: int = 1) -> list[object]:
    here = world(profile, seed)
    end_s = NOON_AT.timestamp() + 1_800
    while here.simulated_s < end_s:
        here.advance_to(min(here.simulated_s + cuts_s, end_s))
    list(here.changes(NOON_AT))
    return [here.whole_state(n).fields for n in range(len(here.lots))]


def test_the_same_seed_and_days_have_the_same_faults_however_they_are_cut() -> None:
    known = shown_after(BAD, 1.0)
    assert shown_after(BAD, 60.0) == known
    assert shown_after(BAD, 77.7) == known
    assert shown_after(BAD, 60.0, seed=2) != known
    assert shown_after(CLEAN, 60.0, seed=2) == shown_after(CLEAN, 60.0)


def wrong(profile: Profile) -> float:
    """Return the share of bays that are shown otherwise than they are, after some hours."""
    here = world(profile)
    here.advance_to(here.simulated_s + 6 * 3_600)
    list(here.changes(NOON_AT))
    senses = ~here._of_counting
    differs = (here._shown != here.occupied) | here._unknown
    return float(differs[senses].mean())


def test_each_profile_is_worse_than_the_one_before() -> None:
    assert wrong(CLEAN) == 0.0
    assert 0.005 < wrong(NORMAL) < 0.04
    assert 0.06 < wrong(BAD) < 0.2


def test_reports_tell_of_dead_sensors() -> None:
    here = world(Profile(dead=0.1))
    known = {n: here.whole_state(n) for n in range(len(here.lots))}
    assert "unknown_bits" in known[1].fields
    assert known[0].kind == "count"
    here._sensors._dead.on[:] = False
    told = dict(here.changes(NOON_AT))
    assert all(len(here.report(n, told[n]).fields["free"]) > 0 for n in (1, 3, 5))
    here._sensors._dead.on[:] = True
    told = dict(here.changes(NOON_AT))
    report = here.report(1, told[1])
    assert report.fields["unknown"] == list(range(1, 401))
    assert report.fields["occupied"] == report.fields["free"] == []


def test_reports_of_unknown_bays_are_merged() -> None:
    first = spaces_report(NOON, [1, 2], [3], [4])
    merged = merge(first, spaces_report(NOON, [4], [1], [3]))
    assert merged is not None
    assert merged.fields == {"occupied": [2, 4], "free": [1], "unknown": [3]}


def test_clocks_are_wrong_for_some_and_not_at_first() -> None:
    names = [f"gw-{n}" for n in range(2_000)]
    faults = (ClockFault(0.1, -60.0, -30.0), ClockFault(0.05, 400.0, 500.0))
    links = Links(1, names, Profile(clocks=faults), 1_000.0)
    assert not links.clocks_s(1_000.0 + GRACE_S - 1).any()
    wrong_s = links.clocks_s(1_000_000.0)
    assert (wrong_s < 0).mean() == pytest.approx(0.1, abs=0.03)
    assert (wrong_s > 0).mean() == pytest.approx(0.05, abs=0.02)
    assert -60 <= wrong_s.min() < wrong_s[wrong_s < 0].max() <= -30
    assert 400 <= wrong_s[wrong_s > 0].min() < wrong_s.max() <= 500
    assert (links.clocks_s(1_000_001.0) == wrong_s).all()
    assert (links.clocks_s(2_000_000.0) != wrong_s).any()


def test_outages_have_their_rate_and_their_length() -> None:
    links = Links(1, [f"gw-{n}" for n in range(500)], Profile(outages_an_hour=0.5, outage_s=60), 0)
    cut = np.array([links.cut(1_000_000.0 + 10 * n) for n in range(3_600)])
    assert cut.mean() == pytest.approx(0.5 * 60 / 3_600, rel=0.15)
    begun = (cut[1:] & ~cut[:-1]).sum()
    assert begun / 500 / 10 == pytest.approx(0.5, rel=0.15)
    assert not Links(1, ["gw-1"], BAD, 0.0).cut(GRACE_S - 1).any()


def test_a_clock_that_is_off_stands_in_the_reports_of_its_lots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    profile = Profile(clocks=(ClockFault(1.0, 90.0, 90.0),))
    monkeypatch.setitem(PROFILES, "normal", profile)
    settings = fleet.FleetSettings(profile="normal")
    nowhere = Broker("127.0.0.1", 1)
    city = fleet.Fleet(nowhere, lots, gateways, settings, clock=clock.steady, now=clock.now)
    clock.go_on(GRACE_S + 1)
    city.tick()
    at = datetime.fromisoformat(city.world.whole_state(0).observed_at)
    assert at - clock.at == timedelta(seconds=90)


async def test_a_gateway_that_was_cut_off_comes_back_with_its_outbox(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    clock = Clock()
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    settings = fleet.FleetSettings(speed=60.0)
    city = fleet.Fleet(
        open_broker.address, lots, gateways, settings, clock=clock.steady, now=clock.now
    )
    stop = asyncio.Event()
    gateway = city.gateways["gw-1"]
    other = city.gateways["gw-0"]
    running = [asyncio.create_task(one.run(stop)) for one in (gateway, other)]
    await until(lambda: gateway.connected.is_set() and other.connected.is_set())
    await until(lambda: gateway.unacked == other.unacked == 0)
    gateway.cut()
    await until(lambda: ("gw-1", "offline") in platform.statuses)
    await until(lambda: not gateway.connected.is_set())
    heard = len([feed for feed in platform.feeds if feed.gateway == "gw-1"])
    left_at = clock.at
    for _ in range(20):
        clock.go_on(1.0)
        city.tick()
    await until(lambda: other.unacked == 0)
    waiting = gateway.unacked
    assert waiting > 0
    assert len([feed for feed in platform.feeds if feed.gateway == "gw-1"]) == heard
    assert other.connected.is_set()
    clock.go_on(600.0, 0.0)
    gateway.mend()
    await until(lambda: gateway.connections == 2 and gateway.unacked == 0)
    late = [feed for feed in platform.feeds if feed.gateway == "gw-1"][heard:]
    assert len(late) >= waiting, "what waited came, and the whole state"
    stamps = [datetime.fromisoformat(feed.body["observed_at"]) for feed in late]
    assert min(stamps) - left_at < timedelta(seconds=30), "reports say when they were true"
    stop.set()
    await asyncio.gather(*running)
