"""The contract's golden cases, each with its fee and with lines that add up to it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pricing import Stay, content_hash, quote, read_tariff

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_bytes())
TARIFFS = {each["id"]: each for each in GOLDEN["tariffs"]}


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{case['tariff']}")
def test_golden_case(case: dict[str, Any]) -> None:
    tariff = read_tariff(TARIFFS[case["tariff"]])
    zone = ZoneInfo(tariff.timezone)
    entry, leave = (
        datetime.fromisoformat(case[end]).replace(tzinfo=zone) for end in ("entry", "exit")
    )
    found = quote(tariff, Stay(entry, leave, case["vehicle"], tuple(case.get("granted", ()))))
    assert found.total_minor == case["fee_minor"]
    assert sum(line.amount_minor for line in found.lines) == case["fee_minor"]


def test_every_golden_document_is_read_and_written_unchanged() -> None:
    assert len(TARIFFS) == 19
    for written in TARIFFS.values():
        tariff = read_tariff(json.dumps(written))
        assert tariff.document() == written
        assert content_hash(tariff) == content_hash(written)
