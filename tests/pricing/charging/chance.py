"""Random tariffs and stays, as unruly as docs/contract/tariff.md allows."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Document = dict[str, Any]

ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
]
CLOCKS = ["00:00", "01:30", "02:00", "02:30", "03:00", "07:30", "08:00", "12:00", "13:00", "18:45",
          "20:00", "22:10"]  # fmt: skip
DAYS = ["workday", "weekend", "holiday", "mon", "wed", "fri", "sat", "sun"]
SEASONS = ["01-01", "02-28", "02-29", "03-01", "03-28", "04-20", "10-10", "10-25", "12-31"]
UNITS = [600, 700, 900, 1800, 2700, 3600, 5400, 7200, 50_000, 90_000]
LENGTHS = [0, 1, 599, 600, 900, 1800, 3600, 5400, 7200, 20_000, 43_200, 86_400, 90_000, 180_000]
# Around clock changes, ends of seasons and years, a leap day.
MOMENTS = ["2026-03-28T12:00", "2026-03-29T00:10", "2026-10-24T20:00", "2026-10-25T00:30",
           "2026-03-08T01:00", "2026-11-01T03:30", "2026-04-04T10:00", "2026-10-03T10:00",
           "2025-12-31T06:00", "2028-02-28T09:00", "2028-02-29T20:00", "2026-02-27T18:00",
           "2026-04-19T12:00", "2026-06-10T02:00", "2026-10-10T00:00"]  # fmt: skip


def prices(chance: Random) -> Document:
    kind = chance.choices(["unit", "flat", "free"], [6, 2, 2])[0]
    if kind == "free":
        return {"charge": kind}
    if kind == "flat":
        return {"charge": kind, "price_minor": chance.randrange(0, 900)}
    froms = sorted({0, *(chance.choice(LENGTHS) for _ in range(chance.randrange(3)))})
    return {
        "charge": kind,
        "unit_s": chance.choice(UNITS),
        "rounding": chance.choice(["up", "down"]),
        "tiers": [{"from_s": each, "price_minor": chance.randrange(0, 500)} for each in froms],
    }


def period(chance: Random, name: str) -> Document:
    made: Document = {"id": name, "days": "all", "start": chance.choice(CLOCKS)}
    made["end"] = chance.choice([*CLOCKS, "24:00"])
    if chance.random() < 0.4:
        made["days"] = chance.sample(DAYS, chance.randrange(1, 4))
    if chance.random() < 0.3:
        made["season"] = {"from": chance.choice(SEASONS), "to": chance.choice(SEASONS)}
    made.update(prices(chance))
    if made["charge"] != "free" and chance.random() < 0.3:
        made["cap_minor"] = chance.randrange(0, 2000)
    return made


def grace(chance: Random) -> Document:
    mode = chance.choice(["none", "threshold", "deduct", "tail"])
    if mode == "none":
        return {"mode": mode}
    made: Document = {"mode": mode, "seconds": chance.choice(LENGTHS[:10])}
    if mode == "threshold":
        made["basis"] = chance.choice(["stay", "chargeable"])
    if chance.random() < 0.3:
        made["first_stay_of_day"] = True
    return made


def entitlements(chance: Random) -> list[Document]:
    return [
        {
            "id": name,
            "deduct_s": chance.choice([0, 0, 600, 7200]),
            "percent_off": chance.choice([0, 33, 50, 12.5, "7.25", 100]),
            "combinable_with_grace": chance.random() < 0.7,
        }
        for name in ("nev", "resident")
    ]


def tariff(chance: Random) -> Document:
    caps = ["calendar_day", "rolling_24h", "session"]
    made: Document = {
        "id": "chance",
        "name": {"zh": "随机", "en": "Chance"},
        "currency": "CNY",
        "timezone": chance.choice(ZONES),
        "periods": [period(chance, f"p{i}") for i in range(chance.randrange(1, 5))],
        "tier_clock": chance.choice(["window", "session"]),
        "boundary": chance.choice(["unit_start", "split"]),
        "grace": grace(chance),
        "version_policy": chance.choice(["at_entry", "at_unit_start"]),
        "caps": [
            {"window": chance.choice(caps), "amount_minor": chance.randrange(0, 6000)}
            for _ in range(chance.choice([0, 0, 1, 2, 3]))
        ],
        "entitlements": entitlements(chance),
    }
    if chance.random() < 0.5:
        made["vehicles"] = {
            "small": {},
            "large": {
                "multiplier": chance.choice([2, 1.5, "1.15", 0.5]),
                "add_minor_per_unit": chance.choice([0, 50]),
                "cap_multiplier": chance.choice([1, 1.25, 2]),
            },
        }
    return made


def calendar(chance: Random) -> Document:
    days = ["2026-03-29", "2026-10-25", "2026-01-01", "2026-06-10", "2028-02-29", "2026-10-11",
            "2026-10-10", "2026-11-01", "2026-03-08"]  # fmt: skip
    return {
        "holidays": chance.sample(days, 3),
        "makeup_workdays": chance.sample(days, 3),
    }


def stay(chance: Random, longest_s: int) -> tuple[datetime, datetime, str, tuple[str, ...]]:
    moment = datetime.fromisoformat(chance.choice(MOMENTS)).replace(tzinfo=UTC)
    entry = moment + timedelta(seconds=chance.choice([1, 60, 300]) * chance.randrange(0, 300))
    length = chance.choice([*LENGTHS, chance.randrange(longest_s)])
    leave = entry + timedelta(seconds=min(length, longest_s))
    granted = tuple(chance.sample(["nev", "resident", "first_stay"], chance.choice([0, 0, 1, 2])))
    zone = ZoneInfo(chance.choice(ZONES))
    return entry.astimezone(zone), leave, chance.choice(["small", "large"]), granted
