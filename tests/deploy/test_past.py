"""The demo's past: which days are made, and that nothing outlives a stop."""

import asyncio
import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from deploy.directory import Directory
from deploy.past import PastMaker, turns
from tests.deploy.test_compose import PLACE, SECRETS
from tests.polling import until

NOW = datetime(2026, 11, 28, 4, 20, tzinfo=UTC)
TODAY = NOW.date()
LAST_WEEK = (datetime(2026, 11, 21, tzinfo=UTC), NOW)
SEVEN_WEEKS = (datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))


def days(first: int, last: int) -> set[date]:
    """The days from so many before today to so many before it."""
    return {TODAY - timedelta(days=back) for back in range(last, first + 1)}


def test_a_first_start_makes_the_last_week_and_then_seven_more() -> None:
    assert list(turns(set(), NOW)) == [LAST_WEEK, SEVEN_WEEKS]


@pytest.mark.parametrize(
    ("there", "made"),
    [
        # It was stopped after the last week.
        (days(7, 0), [(datetime(2026, 11, 28, tzinfo=UTC), NOW), SEVEN_WEEKS]),
        # All was there, and then nothing ran for two days: the day of that stop is filled too.
        (days(56, 3), [(datetime(2026, 11, 25, tzinfo=UTC), NOW)]),
        # It stopped in the middle of the seven weeks.
        (
            days(20, 0),
            [
                (datetime(2026, 11, 28, tzinfo=UTC), NOW),
                (SEVEN_WEEKS[0], datetime(2026, 11, 8, tzinfo=UTC)),
            ],
        ),
        # Nothing ran for a year.
        (days(400, 365), [LAST_WEEK, SEVEN_WEEKS]),
    ],
)
def test_a_later_start_makes_what_is_missing(
    there: set[date], made: list[tuple[datetime, datetime]]
) -> None:
    assert list(turns(there, NOW)) == made


async def test_a_stop_ends_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_there(_: PastMaker) -> set[date]:
        return set()

    monkeypatch.setattr(PastMaker, "_days_there", nothing_there)
    slow, pid = tmp_path / "slow", tmp_path / "pid"
    slow.write_text(f"#!/bin/sh\necho $$ > {pid}.new && mv {pid}.new {pid}\nexec sleep 1000\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    var = Directory(tmp_path / "var")
    var.make()
    said: list[str] = []
    place = replace(PLACE, python=str(slow))
    maker = PastMaker(var, lambda: place, SECRETS, tmp_path, said.append)
    maker.start()
    await until(pid.exists)
    job = psutil.Process(int(pid.read_text()))
    assert job.nice() == 19
    await asyncio.to_thread(maker.stop)
    assert not job.is_running()
    assert said == []


async def test_what_fails_is_said_and_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_there(_: PastMaker) -> set[date]:
        return set()

    monkeypatch.setattr(PastMaker, "_days_there", nothing_there)
    var = Directory(tmp_path / "var")
    var.make()
    said: list[str] = []
    place = replace(PLACE, python="false")
    maker = PastMaker(var, lambda: place, SECRETS, tmp_path, said.append)
    maker.start()
    await until(lambda: bool(said))
    assert said == [
        f"history: history ended with status 1; see {var.log('history')}; the next start goes on"
    ]
    await asyncio.to_thread(maker.stop)
