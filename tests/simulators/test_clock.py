"""The demand's clock: starts, speeds, machines that sleep, and demands that cannot keep up."""

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from structlog.testing import capture_logs

from simulators import fleet, run_command
from simulators.clock import IN_TIME_S, DemandClock
from simulators.registry import Broker
from tests.simulators.test_fleet import GATEWAYS, LOTS, NOON, Clock

START = datetime.fromisoformat("2026-10-01T08:00:00+08:00")
HOUR_S = 3_600.0
# Clocks count microseconds.
LEAST_S = 1e-3


def city(clock: Clock, speed: float = 1.0, start_at: datetime | None = START) -> fleet.Fleet:
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    settings = fleet.FleetSettings(speed=speed, start_at=start_at)
    nowhere = Broker("127.0.0.1", 1)
    return fleet.Fleet(nowhere, lots, gateways, settings, clock=clock.steady, now=clock.now)


def free_after(half_an_hour_by: Callable[[], float], speed: float) -> list[int]:
    clock = Clock()
    there = city(clock, speed)
    end_s = START.timestamp() + HOUR_S / 2 + 1  # between two steps
    while end_s - there.world.simulated_s > LEAST_S:
        left_s = (end_s - there.world.simulated_s) / speed
        clock.go_on(min(half_an_hour_by(), left_s))
        there.tick()
    return [int(free) for free in there.world.free_spaces()]


def test_the_same_seed_and_start_give_the_same_half_hour_at_any_speed() -> None:
    rng = np.random.default_rng(1)
    in_real_time = free_after(lambda: 1.0, 1.0)
    assert free_after(lambda: 1.0, 60.0) == in_real_time
    assert free_after(lambda: 1.0, 1_000.0) == in_real_time
    assert free_after(lambda: float(rng.uniform(0.2, 3.0)), 7.3) == in_real_time


def test_the_demand_begins_at_its_start_whatever_the_wall_clock_says() -> None:
    clock = Clock()
    there = city(clock, 60.0)
    clock.go_on(10.0)
    there.tick()
    assert there.world.simulated_s == START.timestamp() + 600
    assert there.world.observed_at == clock.at


def test_after_a_sleep_the_demand_is_in_time_at_once_and_says_so() -> None:
    clock = Clock()
    there = city(clock, start_at=None)
    clock.go_on(8 * HOUR_S, 1.0)
    with capture_logs() as log:
        there.tick()
    assert there.world.simulated_s == clock.at.timestamp()
    assert (there.jumps, [entry["slept_s"] for entry in log]) == (0, [28_799])


def test_a_stopped_process_catches_up_too() -> None:
    clock = Clock()
    there = city(clock, start_at=None)
    clock.go_on(HOUR_S)
    with capture_logs() as log:
        there.tick()
    assert there.world.simulated_s == clock.at.timestamp()
    assert [entry["event"] for entry in log] == ["the demand is behind and catches up"]


def test_a_demand_that_cannot_catch_up_jumps_within_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    there = city(clock)
    advance = there.world.advance_to

    def slowly(at_s: float) -> None:
        advance(at_s)
        clock.go_on(0.2)

    monkeypatch.setattr(there.world, "advance_to", slowly)
    clock.go_on(30 * 24 * HOUR_S, 1.0)
    woke_s = clock.steady_s
    with capture_logs() as log:
        while not there.jumps:
            there.tick()
            clock.go_on(0.5)
            assert clock.steady_s - woke_s < 60
    assert log[-1]["event"] == "the demand cannot catch up and jumps"
    passed_s = (clock.at - datetime.fromisoformat(NOON)).total_seconds()
    assert abs(there.world.simulated_s - START.timestamp() - passed_s) < 2
    for _ in range(100):
        clock.go_on(1.0)
        there.tick()
    assert there.jumps == 1, "in time from then on"


def test_a_wall_clock_that_is_set_back_does_not_stop_the_demand() -> None:
    clock = DemandClock(0.0, 2.0, 1_000.0, 10.0)
    assert clock.read(1_001.0, 11.0) == 2.0
    assert clock.read(500.0, 12.0) == 4.0
    assert clock.read(501.0, 13.0) == 6.0
    assert clock.slept_s == 0.0
    assert clock.read(601.0, 14.0) == 206.0
    assert clock.slept_s == 99.0


def test_what_is_late_by_ticks_is_in_time() -> None:
    clock = DemandClock(0.0, 60.0, 0.0, 0.0)
    clock.read(IN_TIME_S - 1, IN_TIME_S - 1)
    assert not clock.should_jump(0.0, 1e6)
    assert not clock.should_jump(0.0, 2e6)


def options(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run_command.add_arguments(parser)
    return parser.parse_args(["--city", ".", "--start", text])


def test_a_start_is_an_instant_or_local() -> None:
    assert options("2026-10-01T08:00").start == START
    assert options("2026-10-01T00:00Z").start == START
    assert options("2026-10-01").start == START - timedelta(hours=8)
    assert options("2026-10-01T00:00Z").start.utcoffset() == timedelta(hours=8)
    assert options("now").start is None


@pytest.mark.parametrize("text", ["", "noon", "1999-12-31", "2026-13-01", "9999-12-31T23:59"])
def test_a_start_that_is_no_time_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(text)
    assert f"{text!r} is not a time" in capsys.readouterr().err
