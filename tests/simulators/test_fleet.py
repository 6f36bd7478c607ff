"""The fleet: which lots it drives, when they report, and a small city on a real broker."""

import argparse
import asyncio
import csv
import json
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from simulators import fleet, run_command
from simulators.demand.bays import Demand
from simulators.feeds import CHANGES_MAX
from simulators.pacing import COUNT_INTERVAL_S, CountPacer, SnapshotSchedule
from simulators.registry import Credentials, Lot, RegistryError, read_credentials, read_lots
from simulators.world import World
from tests.polling import until
from tests.simulators.conftest import OpenBroker
from tests.simulators.platform_double import Feed, PlatformDouble

NOON = "2026-11-23T12:00:00+08:00"
COLUMNS = (
    *("lot_id", "operator_id", "gateway_id", "district", "name_zh", "name_en", "lot_type"),
    *("land_use", "reporting", "report_interval_s", "capacity", "levels", "height_limit_m"),
    *("opens_at", "closes_at", "timezone", "longitude", "latitude"),
)


def lot(number: int, reporting: str = "bays", capacity: int = 100, interval_s: int = 600) -> Lot:
    return Lot(
        lot_id=f"370202-{number:04d}",
        gateway_id=f"gw-{number % 3}",
        lot_type="surface",
        land_use="market",
        reporting=reporting,
        report_interval_s=interval_s,
        capacity=capacity,
        longitude=120.3 + number / 100,
        latitude=36.1,
    )


LOTS = [lot(n, "bays" if n % 3 else "count", 40 + n) for n in range(12)]
GATEWAYS = [
    Credentials(
        f"gw-{g}",
        "secret",
        tuple(entry.lot_id for entry in LOTS if entry.gateway_id == f"gw-{g}"),
        simulated=g != 2,
    )
    for g in range(3)
]
DRIVEN = [entry for entry in LOTS if entry.gateway_id != "gw-2"]


def write_city(directory: Path) -> Path:
    with (directory / "lots.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for entry in LOTS:
            fields = {name: getattr(entry, name, "") for name in COLUMNS}
            writer.writerow(fields)
    gateways = [
        {
            "username": entry.username,
            "password": entry.password,
            "lots": list(entry.lots),
            "simulated": entry.simulated,
        }
        for entry in GATEWAYS
    ]
    (directory / "credentials.json").write_text(json.dumps({"gateways": gateways}))
    return directory


def world(lots: list[Lot], start: str = NOON) -> World:
    start_s = datetime.fromisoformat(start).timestamp()
    make_demand = partial(Demand, lots, seed=1, utc_offset_s=28_800)
    return World(lots, make_demand, start_s, datetime.fromisoformat(start))


def test_files_are_read_as_written(tmp_path: Path) -> None:
    write_city(tmp_path)
    assert read_lots(tmp_path / "lots.csv") == LOTS
    assert read_credentials(tmp_path / "credentials.json") == GATEWAYS


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "lots.csv").write_text("lot_id,capacity\n370202-0001,12\n")
    (tmp_path / "credentials.json").write_text("{}")
    with pytest.raises(RegistryError, match=r"lots\.csv"):
        read_lots(tmp_path / "lots.csv")
    with pytest.raises(RegistryError, match=r"credentials\.json"):
        read_credentials(tmp_path / "credentials.json")


def test_every_fault_of_lots_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lots.csv"
    write_city(tmp_path)
    header, *rows = path.read_text().splitlines()
    names = header.split(",")
    place = names.index("capacity")

    def changed(row: str, text: str) -> str:
        cells = row.split(",")
        cells[place] = text
        return ",".join(cells)

    wrong = [changed(rows[0], text) for text in ("-4", "0", "many", "nan", "9" * 5_000)]
    path.write_text("\n".join([header, *rows, *wrong, rows[0], "a,b", rows[1]]))
    with pytest.raises(RegistryError) as raised:
        read_lots(path)
    faults = str(raised.value).splitlines()
    first = len(rows) + 2
    for number in range(first, first + 5):
        assert any(f"lots.csv, row {number}, column capacity: " in fault for fault in faults)
    assert any(f"row {first + 5}, column lot_id: " in fault for fault in faults)
    assert f"{path}, row {first + 6}: 2 fields where the header has {len(names)}" in faults
    path.write_text(header.replace("capacity", "spaces") + "\n" + rows[0])
    with pytest.raises(RegistryError, match="row 1, column capacity: is missing"):
        read_lots(path)


def test_only_simulated_gateways_are_driven() -> None:
    stray = [Credentials("gw-far", "secret", ("elsewhere-1",), simulated=True)]
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS + stray)
    assert lots == DRIVEN
    assert sorted(gateways) == ["gw-0", "gw-1"]


def test_changes_tell_the_state_of_the_bays() -> None:
    here = world([lot(1, capacity=60), lot(2, capacity=3_000)])
    known = [here.whole_state(n) for n in range(2)]
    assert [report.kind for report in known] == ["snapshot", "snapshot"]
    seen = 0
    for _ in range(200):
        here.advance_to(here.simulated_s + 5.0)
        for index, bays in here.changes(here.observed_at):
            report = here.report(index, bays)
            assert report.kind == "spaces"
            told = report.fields["occupied"] + report.fields["free"]
            assert sorted(told) == (bays + 1).tolist()
            assert 1 <= min(told) <= max(told) <= here.lots[index].capacity
            seen += 1
    assert seen > 20
    assert here.report(1, np.arange(CHANGES_MAX + 1)).kind == "snapshot"


def test_counting_lots_report_counts() -> None:
    here = world([lot(1, "count", capacity=60)])
    report = here.whole_state(0)
    assert (report.kind, report.fields["capacity"]) == ("count", 60)
    assert report.fields["free"] == here.free_spaces()[0] == round(60 * (1 - here.occupancy()))


def due_times(schedule: SnapshotSchedule, seconds: Iterable[int]) -> dict[int, list[int]]:
    """Give the seconds at which each lot was due, by its position."""
    times: dict[int, list[int]] = defaultdict(list)
    for second in seconds:
        for position in schedule.due(float(second)):
            times[position].append(second)
    return times


def test_every_lot_reports_within_its_own_interval() -> None:
    intervals = [*[60] * 50, *[120] * 50, 10, 86_400]
    lots = [lot(n, interval_s=interval_s) for n, interval_s in enumerate(intervals)]
    schedule = SnapshotSchedule(lots, 300.0, 0.0, random.Random(1))
    times = due_times(schedule, range(3_600))
    for position, interval_s in enumerate(intervals):
        gaps = np.diff([0, *times[position]])
        assert gaps.max() <= min(interval_s, 301), position
        assert gaps[1:].min() >= min(0.6 * interval_s, 300), "not more often than it must"


def test_reports_are_spread_also_after_a_pause_that_made_all_due() -> None:
    lots = [lot(n, interval_s=120) for n in range(100)]
    schedule = SnapshotSchedule(lots, 300.0, 0.0, random.Random(1))
    first = Counter(second for times in due_times(schedule, range(96)).values() for second in times)
    assert max(first.values()) <= 6
    assert len(schedule.due(500.0)) == 100, "the pause"
    later = due_times(schedule, range(501, 1_000))
    assert max(Counter(second for times in later.values() for second in times).values()) <= 12


def test_counts_are_held_back() -> None:
    pacer = CountPacer()
    pacer.changed(3)
    assert pacer.due(100.0) == [3]
    pacer.changed(3)
    pacer.changed(4)
    assert pacer.due(101.0) == [4]
    assert pacer.due(100.0 + COUNT_INTERVAL_S) == [3]
    assert pacer.due(200.0) == []


class Clock:
    """A wall clock and steady seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.at = datetime.fromisoformat(NOON)
        self.steady_s = 10_000.0

    def go_on(self, wall_s: float, steady_s: float | None = None) -> None:
        self.at += timedelta(seconds=wall_s)
        self.steady_s += wall_s if steady_s is None else steady_s

    def steady(self) -> float:
        return self.steady_s

    def now(self) -> datetime:
        return self.at


async def run_city(broker: OpenBroker, stop: asyncio.Event, speed: float) -> fleet.Fleet:
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    settings = fleet.FleetSettings(speed=speed, snapshot_interval_s=2.0)
    noon = datetime.fromisoformat(NOON)
    began_s = time.monotonic()

    def now() -> datetime:
        return datetime.fromtimestamp(
            noon.timestamp() + time.monotonic() - began_s, fleet.CITY_TIMEZONE
        )

    city = fleet.Fleet(broker.address, lots, gateways, settings, now=now)
    await city.run(stop)
    return city


async def test_a_small_city_is_told_truly(
    open_broker: OpenBroker, platform: PlatformDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "START_S", 0.5)
    stop = asyncio.Event()
    task = asyncio.create_task(run_city(open_broker, stop, speed=60.0))
    await until(lambda: {"spaces", "snapshot", "count"} <= {f.kind for f in platform.feeds})
    await until(lambda: len({feed.lot for feed in platform.feeds}) == len(DRIVEN))
    await until(lambda: any(f.kind == "snapshot" and f.number[1] > 2 for f in platform.feeds))
    stop.set()
    city = await asyncio.wait_for(task, 10)
    assert {feed.lot for feed in platform.feeds} == {entry.lot_id for entry in DRIVEN}
    assert all(feed.body["observed_at"].endswith("+08:00") for feed in platform.feeds)
    assert sum(gateway.acks["applied"] for gateway in city.gateways.values()) >= len(DRIVEN)
    await until(lambda: platform.statuses.count(("gw-0", "offline")) == 1)
    assert ("gw-2", "online") not in platform.statuses
    check_kinds(platform.feeds)


def check_kinds(feeds: list[Feed]) -> None:
    """Each lot reports in its own way, whole at first, with numbers that rise by one."""
    reporting = {entry.lot_id: entry.reporting for entry in LOTS}
    for lot_id in {feed.lot for feed in feeds}:
        own = [feed for feed in feeds if feed.lot == lot_id]
        kinds = {feed.kind for feed in own}
        assert kinds <= ({"count"} if reporting[lot_id] == "count" else {"spaces", "snapshot"})
        assert own[0].kind != "spaces"
        assert [feed.number[1] for feed in own] == list(range(1, len(own) + 1))


async def test_after_the_last_ack_the_platform_holds_the_city(
    open_broker: OpenBroker, platform: PlatformDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "START_S", 0.1)
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    clock = Clock()
    settings = fleet.FleetSettings(speed=120.0)
    city = fleet.Fleet(
        open_broker.address, lots, gateways, settings, clock=clock.steady, now=clock.now
    )
    stop = asyncio.Event()
    running = [asyncio.create_task(gateway.run(stop)) for gateway in city.gateways.values()]
    await until(lambda: all(gateway.connected.is_set() for gateway in city.gateways.values()))
    for _ in range(30):
        clock.go_on(COUNT_INTERVAL_S)
        city.tick()
        await asyncio.sleep(0)
    await until(lambda: told_truly(city, platform))
    stop.set()
    await asyncio.gather(*running)
    assert told_truly(city, platform)
    assert {feed.lot for feed in platform.feeds} == {entry.lot_id for entry in lots}


async def test_a_fast_city_sends_one_message_of_a_lot_at_a_time(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    platform.answer = lambda _feed: None
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    clock = Clock()
    settings = fleet.FleetSettings(speed=600.0)
    city = fleet.Fleet(
        open_broker.address, lots, gateways, settings, clock=clock.steady, now=clock.now
    )
    stop = asyncio.Event()
    running = [asyncio.create_task(gateway.run(stop)) for gateway in city.gateways.values()]
    await until(lambda: len(platform.feeds) == len(DRIVEN))
    for _ in range(30):
        clock.go_on(0.9)  # in all less than an ack may take
        city.tick()
        await asyncio.sleep(0)
    stop.set()
    await asyncio.gather(*running)  # what was sent meanwhile has gone out, and the farewell last
    await until(lambda: [status for _, status in platform.statuses].count("offline") == 2)
    assert len(platform.feeds) == len(DRIVEN)
    unacked = sum(gateway.unacked for gateway in city.gateways.values())
    assert unacked == 2 * len(DRIVEN), "one in flight, and one that tells all the rest"


def told_truly(city: fleet.Fleet, platform: PlatformDouble) -> bool:
    for position, entry in enumerate(city.world.lots):
        kept = platform.rules.lots[entry.lot_id]
        told = kept.free if entry.reporting == "count" else 0
        if entry.reporting == "bays":
            told = entry.capacity - sum(kept.occupied.values())
        if told != city.world.free_spaces()[position]:
            return False
    return True


async def test_speed_is_the_drivers_and_stamps_are_the_clocks(
    open_broker: OpenBroker, platform: PlatformDouble, tmp_path: Path
) -> None:
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    status_file = tmp_path / "simulator.json"
    start_at = datetime.fromisoformat("2026-10-01T08:00:00+08:00")
    settings = fleet.FleetSettings(speed=600.0, start_at=start_at, status_file=status_file)
    began_at = datetime.now(fleet.CITY_TIMEZONE)
    city = fleet.Fleet(open_broker.address, lots, gateways, settings)
    stop = asyncio.Event()
    task = asyncio.create_task(city.run(stop))
    await until(lambda: any(feed.number[1] > 2 for feed in platform.feeds))
    await until(lambda: status_file.exists() and b'"connected":2' in status_file.read_bytes())
    stop.set()
    await asyncio.wait_for(task, 10)
    ended_at = datetime.now(fleet.CITY_TIMEZONE)
    for feed in platform.feeds:
        # They are written to the millisecond.
        at = datetime.fromisoformat(feed.body["observed_at"]) + timedelta(milliseconds=1)
        assert began_at <= at <= ended_at
    status = json.loads(status_file.read_bytes())
    assert began_at <= datetime.fromisoformat(status["written_at"]) <= ended_at
    simulated = datetime.fromisoformat(status["simulated_at"]) - start_at
    assert timedelta(minutes=9) < simulated
    assert status["speed"] == 600.0
    assert status["sent"] > 0


def test_a_status_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    fleet.write_status(tmp_path / "nowhere" / "simulator.json", {"speed": 1.0})
    assert list(tmp_path.iterdir()) == []


async def start_program(tmp_path: Path, broker: OpenBroker) -> asyncio.subprocess.Process:
    write_city(tmp_path)
    arguments = ["-m", "simulators", "run", "--city", str(tmp_path)]
    arguments += ["--credentials", str(tmp_path / "credentials.json")]
    arguments += ["--speed", "30", "--profile", "clean"]
    arguments += ["--mqtt-host", broker.address.host, "--mqtt-port", str(broker.address.port)]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_stops_within_two_seconds(
    open_broker: OpenBroker,
    platform: PlatformDouble,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    process = await start_program(tmp_path, open_broker)
    await until(lambda: len(platform.statuses) == 2)
    began_s = time.monotonic()
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 5) == 0
    assert time.monotonic() - began_s < 2
    await until(lambda: [status for _, status in platform.statuses].count("offline") == 2)


async def test_without_a_broker_it_waits_and_still_stops(
    open_broker: OpenBroker, platform: PlatformDouble, tmp_path: Path
) -> None:
    process = await start_program(tmp_path, open_broker)
    await until(lambda: platform.statuses)
    open_broker.stop()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 3) == 0


def test_a_city_without_simulated_gateways_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_city(tmp_path)
    (tmp_path / "credentials.json").write_text('{"gateways": []}')
    parser = argparse.ArgumentParser()
    run_command.add_arguments(parser)
    options = ["--city", str(tmp_path), "--credentials", str(tmp_path / "credentials.json")]
    args = parser.parse_args([*options, "--mqtt-host", "127.0.0.1", "--mqtt-port", "1"])
    assert run_command.run_command(args) == 2
    assert "no simulated gateway" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ("p1,2026-11-24T19:30", "PLACE,TIME,PEOPLE"),
        ("p2,2026-11-24T19:30,500", "no place 'p2'"),
        ("p3,2026-11-24T19:30,500", "no lot within"),
    ],
)
def test_a_bad_event_stops_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], event: str, named: str
) -> None:
    write_city(tmp_path)
    (tmp_path / "places.csv").write_text(
        "place_id,name_zh,name_en,district,longitude,latitude\n"
        "p1,栈桥,Zhanqiao Pier,370202,120.31,36.1\np3,岛,Island,370202,125,36.1\n",
        encoding="utf-8",
    )
    parser = argparse.ArgumentParser()
    run_command.add_arguments(parser)
    options = ["--city", str(tmp_path), "--credentials", str(tmp_path / "credentials.json")]
    options += ["--mqtt-host", "127.0.0.1", "--mqtt-port", "1", "--event", event]
    args = parser.parse_args(options)
    assert run_command.run_command(args) == 2
    assert named in capsys.readouterr().err
