"""The JSON Schema of the tariff document: the one in `docs/schema/`, held to model and reader."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pricing import TariffFaultsError, read_tariff
from pricing.schema import schema_text

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(schema_text())
DATA = ROOT / "tests/pricing/data"
TARIFFS: list[dict[str, Any]] = [
    tariff
    for name in ("golden.json", "derived.json")
    for tariff in json.loads((DATA / name).read_text())["tariffs"]
]
FULL: dict[str, Any] = {
    "id": "all-parts",
    "name": {"zh": "全部", "en": "All parts"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "periods": [
        {
            "id": "day",
            "days": ["workday", "sat"],
            "season": {"from": "06-01", "to": "02-29"},
            "start": "07:30",
            "end": "24:00",
            "charge": "unit",
            "unit_s": 1800,
            "rounding": "up",
            "tiers": [{"from_s": 0, "price_minor": 300}],
        }
    ],
    "tier_clock": "window",
    "boundary": "split",
    "grace": {"mode": "threshold", "seconds": 900, "basis": "stay"},
    "version_policy": "at_entry",
    "caps": [{"window": "calendar_day", "amount_minor": 5000}],
    "vehicles": {"small": {"multiplier": "1.5", "add_minor_per_unit": -1}},
    "entitlements": [{"id": "nev", "percent_off": 12.5}],
    "calendar": {"holidays": ["2026-10-01"]},
}
MISSING = object()
REQUIRED = FULL.keys() - {"caps", "vehicles", "entitlements", "calendar"}
BREAKS: list[tuple[str, object]] = [
    ("colour", "red"),
    *((name, MISSING) for name in sorted(REQUIRED)),
    ("id", " "),
    ("name.zh", ""),
    ("name.fr", "toutes"),
    *(("currency", value) for value in ("yuan", "cny", 156)),
    ("periods", []),
    ("periods", {}),
    *(("periods.0.days", value) for value in ("mon", [], ["monday"], None)),
    *(("periods.0.start", value) for value in ("7:30", "24:30", "07:60", 7, None)),
    ("periods.0.season.from", "13-01"),
    ("periods.0.season.to", MISSING),
    ("periods.0.charge", "hour"),
    *(("periods.0.unit_s", value) for value in (0, 1.5, "1800")),
    ("periods.0.rounding", "nearest"),
    ("periods.0.tiers", []),
    ("periods.0.tiers", {}),
    *(("periods.0.tiers.0.price_minor", value) for value in (-1, "300", 1.5, None, True)),
    ("tier_clock", "day"),
    ("grace.mode", "some"),
    ("grace.seconds", -1),
    ("grace.first_stay_of_day", "yes"),
    ("caps.0.window", "week"),
    ("caps.0.amount_minor", -1),
    ("vehicles", {}),
    *(("vehicles.small.multiplier", value) for value in (-1, "1,5", "-1", None, 10**13)),
    *(("entitlements.0.percent_off", value) for value in (101, -1, "half", None)),
    ("calendar.holidays.0", "1 October"),
]


def accepts(document: object) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(document)


def is_read(document: dict[str, Any]) -> bool:
    try:
        read_tariff(document)
    except TariffFaultsError:
        return False
    return True


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the full document with another value at a path."""
    document = copy.deepcopy(FULL)
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    place: Any = document
    for step in way:
        place = place[step]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return document


def test_the_file_is_what_the_model_says() -> None:
    command = [sys.executable, "-m", "pricing", "schema"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert printed == (ROOT / "docs/schema/tariff.json").read_bytes() == schema_text().encode()
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("document", [FULL, *TARIFFS], ids=lambda one: one["id"])
def test_what_is_a_tariff_is_taken_by_schema_and_reader(document: dict[str, Any]) -> None:
    assert accepts(document)
    assert is_read(document)


@pytest.mark.parametrize(("path", "value"), BREAKS)
def test_what_is_none_is_refused_by_both(path: str, value: object) -> None:
    assert not accepts(changed(path, value))
    assert not is_read(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("currency", "AAA"),
        ("timezone", "Asia/Qingdao"),
        ("periods.0.season.from", "02-30"),
        ("periods.0.unit_s", MISSING),
        ("periods.0.price_minor", 100),
        ("periods.0.tiers.0.from_s", 1),
        ("grace.basis", MISSING),
        ("vehicles.small.add_minor_per_unit", -1000),
        ("calendar.holidays.0", "2026-02-30"),
    ],
)
def test_the_reader_knows_more_as_the_description_says(path: str, value: object) -> None:
    assert accepts(changed(path, value))
    assert not is_read(changed(path, value))
