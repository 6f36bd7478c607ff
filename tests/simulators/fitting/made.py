"""A folder of stays and occupancy, drawn from what a test then looks for."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

FIRST = datetime(2024, 3, 4, tzinfo=UTC)  # A Monday.
STAY_HEADER = ["Lockdown Time", "Lockup Time", "cost", "status（0 for unstable，1 for stable）"]
DESCRIPTION = ["file", "land_use", "spaces", "source", "licence", "url"]


def write(path: Path, header: list[str], rows: list[list[str]], encoding: str = "utf-8") -> None:
    path.parent.mkdir(exist_ok=True)
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "wt", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])


def stay_rows(
    rng: np.random.Generator, days: int, a_day: float, medians: tuple[float, float]
) -> list[list[str]]:
    """Arrivals from 8 to 20 o'clock; stays of the first median before noon, then of the other."""
    rows = []
    for day in range(days):
        for _ in range(rng.poisson(a_day * rng.lognormal(0, 0.2))):
            at = FIRST + timedelta(days=day, hours=8 + 12 * rng.random())
            stay = medians[at.hour >= 12] * rng.lognormal(0, 0.4)
            rows.append([_minute(at), _minute(at + timedelta(minutes=stay)), "0", "1"])
    return rows


def occupancy_rows(rng: np.random.Generator, days: int) -> list[list[str]]:
    """Three car parks of 200: lot 1 tells no capacity, lot 3 stands still in the first week."""
    rows = []
    levels = rng.normal(0, 0.08, (3, days))
    for quarter in range(days * 96):
        hour = quarter / 4 % 24
        for lot in range(3):
            share = 0.3 + 0.5 * np.exp(-(((hour - 13 - lot) / 4) ** 2))
            share *= np.exp(levels[lot, quarter // 96])
            free = round(200 * (1 - min(share + rng.normal(0, 0.01), 1)))
            if lot == 2 and quarter < 7 * 96:
                free = 77
            at = FIRST + timedelta(minutes=15 * quarter)
            rows.append(
                [
                    at.strftime("%Y-%m-%dT%H:%M"),
                    str(lot + 1),
                    "None" if lot == 0 else "200",
                    str(free),
                ]
            )
    rows[5][3] = "-1"
    return rows


def folder(path: Path) -> Path:
    """Write a folder that can be fitted."""
    rng = np.random.default_rng(8)
    path.mkdir(exist_ok=True)
    short = [[_minute(FIRST), _minute(FIRST + timedelta(minutes=4)), "0", "0"]] * 30
    write(path / "one.csv", STAY_HEADER, short + stay_rows(rng, 43, 60, (60, 120)), "gb18030")
    write(path / "two.csv", STAY_HEADER, stay_rows(rng, 43, 90, (60, 120)))
    write(
        path / "parks.csv.gz", ["ts_snapshot", "lot", "capacity", "free"], occupancy_rows(rng, 42)
    )
    write(
        path / "lots.csv",
        ["lot", "name", "latitude", "longitude", "capacity"],
        [["1", "One", "36.7", "-4.4", "None"], ["9", "Nowhere", "0.0", "0.0", "-1"]],
    )
    described = [
        ["one.csv", "market", "300", "Somebody", "CC0", ""],
        ["two.csv", "market", "5", "Somebody", "CC0", ""],
        ["parks.csv.gz", "", "", "A town", "CC BY 4.0", ""],
    ]
    write(path / "fit.csv", DESCRIPTION, described)
    return path


def _minute(at: datetime) -> str:
    return f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}"
