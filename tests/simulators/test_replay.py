"""Replay: recorded counts at their instants through their gateways, and what is told at the end."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulators.recording import Recording
from simulators.registry import Broker, Credentials
from simulators.replay import Replay, Summary
from tests.polling import until
from tests.simulators.conftest import OpenBroker
from tests.simulators.platform_double import Feed, PlatformDouble

EXCERPT = Path(__file__).parent / "data" / "malaga_excerpt.csv"
MADRID = ZoneInfo("Europe/Madrid")
HEADER = "ts_snapshot,lot,capacity,free,ts_source"
EPOCH = 1_764_000_000
GATEWAYS = [
    Credentials("gw-m1", "secret", ("malaga-1", "malaga-5"), simulated=False),
    Credentials("gw-m2", "secret", ("malaga-138", "malaga-140"), simulated=False),
    Credentials("gw-idle", "secret", ("370202-0001",), simulated=False),
]


def replay_of(broker: OpenBroker, speed: float = 0.0) -> Replay:
    return Replay(
        broker.address, GATEWAYS, speed=speed, lot_prefix="malaga-", new_epoch=lambda: EPOCH
    )


async def test_the_excerpt_arrives_as_counts(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    recording = Recording(EXCERPT.read_text().splitlines(), MADRID)
    summary = await replay_of(open_broker).run(recording, asyncio.Event())
    assert summary == Summary(
        sent=9,
        acks=summary.acks,
        unknown_lots=summary.unknown_lots,
        unacked=0,
        complete=True,
    )
    assert summary.acks == {"applied": 9}
    assert summary.unknown_lots == {"malaga-777": 1}
    first, *_ = platform.of("malaga-1")
    assert first.gateway == "gw-m1"
    assert first.body == {
        "epoch": EPOCH,
        "seq": 1,
        "observed_at": "2023-01-01T00:05:00+01:00",
        "free": 201,
        "capacity": 342,
    }
    assert "capacity" not in platform.of("malaga-5")[0].body
    assert platform.rules.lots["malaga-140"].free == 160
    assert {feed.gateway for feed in platform.feeds} == {"gw-m1", "gw-m2"}


async def test_the_summary_tells_every_figure() -> None:
    recording = Recording(EXCERPT.read_text().splitlines(), MADRID)
    assert len(list(recording)) == 20
    summary = Summary(sent=9)
    summary.acks["applied"] = 9
    summary.unknown_lots["malaga-777"] = 1
    lines = summary.lines(recording)
    figures = {line.rpartition(" ")[0].strip(): int(line.split()[-1]) for line in lines[:-1]}
    assert figures == {
        "rows": 20,
        "sent": 9,
        "missing": 2,
        "minus_one": 2,
        "over_capacity": 1,
        "unparseable": 3,
        "out_of_order": 2,
        "missing_capacity": 4,
        "unknown_lots": 1,
        "gaps": 1,
        "acks applied": 9,
        "unacked": 0,
    }
    assert lines[-1] == "not in the credentials: malaga-777"


async def test_its_own_time_is_kept_and_accelerated(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    rows = [f"2023-01-01T00:0{minute},1,10,{minute},None" for minute in (0, 1, 2)]
    began_s = time.monotonic()
    summary = await replay_of(open_broker, speed=400).run(
        Recording([HEADER, *rows], MADRID), asyncio.Event()
    )
    took_s = time.monotonic() - began_s
    assert summary.complete
    assert 120 / 400 <= took_s < 3
    assert [feed.body["free"] for feed in platform.feeds] == [0, 1, 2]


async def test_live_counts_are_of_now_in_their_own_time(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    rows = [f"2023-09-05T08:{minute},1,99,{minute},None" for minute in ("21", "22", "24")]
    replay = Replay(open_broker.address, GATEWAYS, speed=400, lot_prefix="malaga-", live=True)
    began_at = datetime.now(UTC)
    summary = await replay.run(Recording([HEADER, *rows], MADRID), asyncio.Event())
    ended_at = datetime.now(UTC)
    assert summary.complete
    texts = [feed.body["observed_at"] for feed in platform.feeds]
    stamps = [datetime.fromisoformat(text) for text in texts]
    assert began_at <= stamps[0] + timedelta(milliseconds=1)
    assert stamps[-1] <= ended_at
    steps_s = [(later - sooner).total_seconds() for sooner, later in itertools.pairwise(stamps)]
    assert steps_s[0] >= 60 / 400 - 0.01
    assert steps_s[1] >= 120 / 400 - 0.01
    assert {text[-6:] for text in texts} <= {"+01:00", "+02:00"}, "the place's own offset"
    assert [feed.body["free"] for feed in platform.feeds] == [21, 22, 24]


def test_a_live_replay_has_a_speed() -> None:
    with pytest.raises(ValueError, match="speed"):
        Replay(Broker("127.0.0.1", 1), [], speed=0, lot_prefix="", live=True)


async def test_over_its_rate_it_goes_on_as_fast_as_the_platform_takes_it(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    """Only 20 messages pass at once, and as many again after each `retry_s`."""
    tokens = {"left": 20, "full_at_s": 0.0}

    def answer(feed: Feed) -> dict[str, object]:
        if tokens["left"] == 0 and time.monotonic() >= tokens["full_at_s"]:
            tokens["left"] = 20
        if tokens["left"] == 0:
            epoch, seq = feed.number
            return {"epoch": epoch, "seq": seq, "result": "deferred", "retry_s": 0.2}
        tokens["left"] -= 1
        if tokens["left"] == 0:
            tokens["full_at_s"] = time.monotonic() + 0.1
        return platform.rules.take(feed)

    platform.answer = answer
    rows = [
        f"2023-09-05T{n // 60:02}:{n % 60:02},{lot},99,{n % 99},None"
        for n in range(50)
        for lot in (1, 5)
    ]
    summary = await replay_of(open_broker).run(Recording([HEADER, *rows], MADRID), asyncio.Event())
    assert (summary.sent, summary.unacked, summary.acks["applied"]) == (100, 0, 100)
    assert summary.acks["superseded"] == 0, "the history misses nothing"
    assert 1 <= summary.acks["deferred"] <= 50


async def test_a_lots_counts_go_one_at_a_time_and_few_wait(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    kept_back: list[Feed] = []
    platform.answer = kept_back.append
    rows = [f"2023-01-01T{n // 60:02}:{n % 60:02},1,99,{n % 99},None" for n in range(100)]
    stop = asyncio.Event()
    task = asyncio.create_task(replay_of(open_broker).run(Recording([HEADER, *rows], MADRID), stop))
    await until(lambda: len(kept_back) == 1)
    stop.set()
    summary = await asyncio.wait_for(task, 5)
    assert len(kept_back) == 1, "the next could overtake it, were it deferred"
    assert (summary.sent, summary.unacked, summary.complete) == (16, 16, False)


def command(tmp_path: Path, broker: OpenBroker, *options: str) -> list[str]:
    credentials = tmp_path / "credentials.json"
    gateways = [
        {"username": entry.username, "password": entry.password, "lots": list(entry.lots)}
        for entry in GATEWAYS
    ]
    credentials.write_text(json.dumps({"gateways": gateways}))
    address = ["--mqtt-host", broker.address.host, "--mqtt-port", str(broker.address.port)]
    program = [sys.executable, "-m", "simulators", "replay", *options]
    return [*program, "--credentials", str(credentials), *address]


async def test_the_command_prints_its_summary(
    open_broker: OpenBroker, platform: PlatformDouble, tmp_path: Path
) -> None:
    part = ("--from", "2023-01-01T00:11", "--to", "2023-01-01T02:36", "--speed", "0")
    arguments = command(tmp_path, open_broker, str(EXCERPT), *part)
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output
    assert "sent" in output.decode()
    assert [feed.body["free"] for feed in platform.of("malaga-1")] == [199, 150]


async def test_interrupted_it_says_what_is_missing(
    open_broker: OpenBroker, platform: PlatformDouble, tmp_path: Path
) -> None:
    platform.answer = lambda _feed: None
    arguments = command(tmp_path, open_broker, str(EXCERPT), "--speed", "0")
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
    await until(lambda: len(platform.feeds) == 4)
    process.send_signal(signal.SIGINT)
    output, _ = await asyncio.wait_for(process.communicate(), 5)
    assert process.returncode == 1
    assert output.decode().split()[-7:-5] == ["unacked", "9"]


@pytest.mark.parametrize(
    "options", [("--speed", "-1"), ("--timezone", "Mars/Base"), ("--live", "--speed", "0")]
)
def test_bad_options_are_refused(
    open_broker: OpenBroker, tmp_path: Path, options: tuple[str, ...]
) -> None:
    arguments = command(tmp_path, open_broker, str(EXCERPT), *options)
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert options[1] in done.stderr


def test_the_help_says_what_a_replay_shows(open_broker: OpenBroker, tmp_path: Path) -> None:
    arguments = command(tmp_path, open_broker, "--help")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "only /v1/lots/{lot_id}/occupancy shows it" in done.stdout
    assert "--live" in done.stdout


def test_a_file_without_the_columns_is_refused(open_broker: OpenBroker, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    done = subprocess.run(
        command(tmp_path, open_broker, str(wrong)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "columns missing" in done.stderr
