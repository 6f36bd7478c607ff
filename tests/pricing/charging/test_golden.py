"""Golden cases (docs/contract/tariff.md) and derived ones: each its fee, and lines that add up."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pricing import Stay, content_hash, quote, read_tariff

DATA = Path(__file__).parents[1] / "data"
GOLDEN = json.loads((DATA / "golden.json").read_bytes())
DERIVED = json.loads((DATA / "derived.json").read_bytes())
TARIFFS = {each["id"]: each for each in GOLDEN["tariffs"]}
ALL_TARIFFS = TARIFFS | {each["id"]: each for each in DERIVED["tariffs"]}


@pytest.mark.parametrize(
    "case", [*GOLDEN["cases"], *DERIVED["cases"]], ids=lambda case: f"{case['tariff']}"
)
def test_case(case: dict[str, Any]) -> None:
    tariff = read_tariff(ALL_TARIFFS[case["tariff"]])
    zone = ZoneInfo(tariff.timezone)
    entry, leave = (
        datetime.fromisoformat(case[end]).replace(tzinfo=zone) for end in ("entry", "exit")
    )
    found = quote(tariff, Stay(entry, leave, case["vehicle"], tuple(case.get("granted", ()))))
    assert found.total_minor == case["fee_minor"], case.get("why")
    assert sum(line.amount_minor for line in found.lines) == case["fee_minor"]


def test_every_derived_case_says_its_arithmetic_and_is_no_golden_one() -> None:
    assert all(len(case["why"]) > 10 for case in DERIVED["cases"])
    asked = [_question(case) for case in (*GOLDEN["cases"], *DERIVED["cases"])]
    assert len(asked) == len(set(asked))
    assert len(ALL_TARIFFS) == len(GOLDEN["tariffs"]) + len(DERIVED["tariffs"])


def _question(case: dict[str, Any]) -> str:
    return json.dumps({key: case[key] for key in case if key not in {"fee_minor", "why"}})


def test_every_golden_document_is_read_and_written_unchanged() -> None:
    assert len(TARIFFS) == 19
    for written in TARIFFS.values():
        tariff = read_tariff(json.dumps(written))
        assert tariff.document() == written
        assert content_hash(tariff) == content_hash(written)
