"""How fast quotes are on one core: `python -m load_tests.pricing_bench [--seconds 2]`.

Two figures against their targets: quotes a second of two-hour stays, and milliseconds for a stay of
30 days. Every quote has its lines; the sentences are made when a line's text is asked for, so the
same is measured again with the quote and all its sentences turned into JSON's types.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from pricing import Stay, Tariff, quote, read_tariff

TARGET_QUOTES_A_SECOND = 20_000
TARGET_LONG_MS = 1.0
TWO_HOURS = timedelta(hours=2)
THIRTY_DAYS = timedelta(days=30)
FIRST_ENTRY = datetime(2026, 6, 1, tzinfo=UTC)
ENTRIES = 2000
STEP = timedelta(minutes=37)
BATCH = 50


def _tariff(name: str, periods: list[dict[str, Any]], **more: Any) -> Tariff:
    plain = {
        "id": name,
        "name": {"zh": name, "en": name},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": periods,
        "tier_clock": "window",
        "boundary": "unit_start",
        "grace": {"mode": "none"},
        "version_policy": "at_entry",
    }
    return read_tariff(plain | more)


def _unit(name: str, start: str, end: str, unit_s: int, *tiers: tuple[int, int]) -> dict[str, Any]:
    period = {"id": name, "days": "all", "start": start, "end": end, "charge": "unit"}
    return period | {
        "unit_s": unit_s,
        "rounding": "up",
        "tiers": [{"from_s": from_s, "price_minor": price} for from_s, price in tiers],
    }


def tariffs() -> list[Tariff]:
    """A road berth with grace and tiers, one with every kind of cap, one with all that is slow."""
    day = _unit("day", "07:30", "18:30", 1800, (0, 350), (3600, 400)) | {"cap_minor": 6000}
    free = {"id": "night", "days": "all", "start": "18:30", "end": "07:30", "charge": "free"}
    night = _unit("night", "20:00", "08:00", 7200, (0, 100)) | {"cap_minor": 500}
    lunch = {"id": "lunch", "days": "all", "start": "12:00", "end": "13:00", "charge": "free"}
    workday = _unit("workday", "08:00", "20:00", 900, (0, 250), (3600, 375)) | {"days": ["workday"]}
    other = _unit("other", "08:00", "20:00", 3600, (0, 200))
    caps = [{"window": each, "amount_minor": 90_000} for each in ("calendar_day", "rolling_24h")]
    grace = {"mode": "threshold", "seconds": 900, "basis": "stay"}
    vehicles = {"small": {}, "large": {"multiplier": 1.15, "cap_multiplier": 1.5}}
    return [
        _tariff("road", [day, free], grace=grace),
        _tariff("caps", [lunch, workday, other, night], caps=caps),
        _tariff("fractions", [lunch, workday, other, night], caps=caps, vehicles=vehicles),
    ]


def _stays(length: timedelta, vehicle: str) -> Sequence[Stay]:
    entries = (FIRST_ENTRY + i * STEP for i in range(ENTRIES))
    return [Stay(entry, entry + length, vehicle) for entry in entries]


def _seconds_each(work: Callable[[Stay], object], stays: Sequence[Stay], seconds: float) -> float:
    """Seconds of CPU a call, over about so many seconds, after warming up."""
    for stay in stays[:BATCH]:
        work(stay)
    source = cycle(stays)
    calls = 0
    start = time.process_time()
    while (spent := time.process_time() - start) < seconds or calls == 0:
        for stay in islice(source, BATCH):
            work(stay)
        calls += BATCH
    return spent / calls


def measure(tariff: Tariff, vehicle: str, seconds: float) -> tuple[float, float, float, float]:
    """Seconds each: two hours, two hours as JSON's types, 30 days, 30 days as JSON's types."""
    quoted = lambda stay: quote(tariff, stay)  # noqa: E731
    written = lambda stay: quote(tariff, stay).as_dict()  # noqa: E731
    short, long = (_stays(length, vehicle) for length in (TWO_HOURS, THIRTY_DAYS))
    return (
        _seconds_each(quoted, short, seconds),
        _seconds_each(written, short, seconds / 2),
        _seconds_each(quoted, long, seconds),
        _seconds_each(written, long, seconds / 2),
    )


def main() -> int:
    """Print the figures beside their targets; non-zero where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.pricing_bench")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    seconds: float = parser.parse_args().seconds
    # On one core, as the targets are.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = [f"{'tariff':<12}{'2 h: quotes/s':>15}{'as JSON':>12}{'30 days: ms':>14}{'as JSON':>10}"]
    missed = False
    for tariff in tariffs():
        vehicle = "large" if tariff.vehicles else "small"
        short, short_json, long, long_json = measure(tariff, vehicle, seconds)
        missed |= 1 / short < TARGET_QUOTES_A_SECOND or long * 1000 >= TARGET_LONG_MS
        rows.append(
            f"{tariff.id:<12}{1 / short:>15,.0f}{1 / short_json:>12,.0f}"
            f"{long * 1000:>14.3f}{long_json * 1000:>10.3f}"
        )
    rows.append(f"{'target':<12}{TARGET_QUOTES_A_SECOND:>15,}{'':>12}{TARGET_LONG_MS:>14.3f}")
    sys.stdout.write("\n".join(rows) + "\n")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
